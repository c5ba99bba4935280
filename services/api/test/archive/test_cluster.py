"""Scoring with Ray: every record once, whatever dies meanwhile."""

import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from pyarrow import parquet

from src.config import ROOT
from test.service import wait_until

pytest.importorskip("ray", reason="requirements-ray.txt is not installed.")
pytestmark = pytest.mark.scale

FILES, RECORDS, BLOCK = 4, 3000, 500
SMALL_BLOCKS = (  # in the driver alone: readers get the sizes of blocks from it
    "import sys; from src.files import tables; tables.BLOCK_RECORDS = int(sys.argv[1]); "
    "from src.commands.score import score; score(sys.argv[2:])"
)


def files(folder: Path) -> Counter[str]:
    """Write the files, one of them below a folder; return the texts that can be scored."""
    (folder / "year=2026").mkdir(parents=True)
    texts: Counter[str] = Counter()
    for number in range(FILES):
        given = [f"Film {number}-{one} is {'fine' if one % 2 else 'dull'}." for one in range(RECORDS)]
        given[7] = " "
        name = f"year=2026/{number}.ndjson" if number == 1 else f"{number}.ndjson"
        lines = [json.dumps({"id": one, "sentence": text}) for one, text in enumerate(given)]
        (folder / name).write_text("\n".join([*lines, "not json"]))
        texts.update(text for text in given if text != " ")
    return texts


def start(folder: Path, *options: str, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-c",
        SMALL_BLOCKS,
        str(BLOCK),
        str(folder / "in"),
        "--ray",
        "--out",
        str(folder / "out"),
    ]
    with (folder / "log").open("ab") as log:
        return subprocess.Popen([*command, *options], cwd=ROOT, env=env, stdout=log, stderr=log, start_new_session=True)


def scored(folder: Path) -> list[Path]:
    return [path for path in (folder / "out").rglob("*.parquet") if ".unfinished" not in path.name]


def found(folder: Path) -> Counter[str]:
    return Counter(text for path in scored(folder) for text in parquet.read_table(path)["sentence"].to_pylist())


def processes(name: str, of: int | None = None) -> list[psutil.Process]:
    """Return the processes whose command has a name: below another one, or all that belong to this test's clusters."""
    among = psutil.Process(of or os.getpid()).children(recursive=True)
    return [one for one in among if one.is_running() and name in " ".join(one.cmdline())]


def check(folder: Path, texts: Counter[str]) -> None:
    """Check that each record was scored or refused once."""
    assert found(folder) == texts
    manifest = json.loads((folder / "out/_manifest.json").read_text())
    assert manifest["finished_on"]
    assert (manifest["records"], manifest["refused"]) == (FILES * (RECORDS + 1), FILES * 2)
    refused = [line for path in (folder / "out/_refused").rglob("*.ndjson") for line in path.read_text().splitlines()]
    assert len(refused) == FILES * 2


def finish(folder: Path, process: subprocess.Popen[bytes]) -> None:
    assert process.wait(240) == 0, (folder / "log").read_text()


def test_a_killed_worker_is_replaced_and_a_killed_driver_is_continued(tmp_path: Path) -> None:
    texts = files(tmp_path / "in")
    process = start(tmp_path)
    wait_until(lambda: len(scored(tmp_path)) >= 2, 120)
    [worker, *_] = processes("MapWorker", process.pid)
    worker.kill()
    wait_until(lambda: len(scored(tmp_path)) >= 8, 120)
    everything = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    psutil.wait_procs(everything, 60)
    before = {path: path.stat().st_mtime_ns for path in scored(tmp_path)}
    assert len(before) < FILES * (RECORDS // BLOCK + 1)
    finish(tmp_path, start(tmp_path))
    assert {path: path.stat().st_mtime_ns for path in before} == before  # not scored again
    check(tmp_path, texts)


def test_a_file_that_cannot_be_read_fails_no_other(tmp_path: Path) -> None:
    texts = files(tmp_path / "in")
    (tmp_path / "in/bad.parquet").write_bytes(b"PAR1")
    process = start(tmp_path)
    assert process.wait(240) == 1
    assert "bad.parquet: " in (tmp_path / "log").read_text()
    assert found(tmp_path) == texts
    manifest = json.loads((tmp_path / "out/_manifest.json").read_text())
    assert list(manifest["unreadable"]) == ["bad.parquet"]
    assert manifest["finished_on"] is None


_HEAD = ["--head", "--include-dashboard=false"]


class Nodes:
    """Ray's nodes of a test, on the loopback interface: each has a raylet and one core."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        self.environment = {**os.environ, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        self._nodes: list[subprocess.Popen[bytes]] = []

    def start(self) -> psutil.Process:
        """Start a node, the first as the head; return its raylet."""
        where = [f"--address={self.address}"] if self._nodes else [*_HEAD, f"--port={self.address.split(':')[1]}"]
        node = subprocess.Popen(
            [str(Path(sys.executable).with_name("ray")), "start", *where, "--num-cpus=1", "--node-ip-address=127.0.0.1",
             "--disable-usage-stats", "--block"],
            env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._nodes.append(node)
        wait_until(lambda: bool(processes("raylet/raylet", node.pid)) and self._answers(), 60)
        return processes("raylet/raylet", node.pid)[0]

    def _answers(self) -> bool:
        host, port = self.address.split(":")
        with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=5):
            return True
        return False

    def stop(self) -> None:
        """Kill every process of every node."""
        for node in self._nodes:
            with contextlib.suppress(psutil.NoSuchProcess):
                for process in [*psutil.Process(node.pid).children(recursive=True), psutil.Process(node.pid)]:
                    with contextlib.suppress(psutil.NoSuchProcess):
                        process.kill()
            node.wait()


@pytest.fixture
def nodes() -> Iterator[Nodes]:
    """A cluster without nodes."""
    cluster = Nodes()
    yield cluster
    cluster.stop()


def test_two_raylets_share_the_work_and_a_killed_one_is_replaced(tmp_path: Path, nodes: Nodes) -> None:
    texts = files(tmp_path / "in")
    nodes.start()
    raylet = nodes.start()
    process = start(tmp_path, "--address", nodes.address, env=nodes.environment)
    wait_until(lambda: len(scored(tmp_path)) >= 4 or process.poll() is not None, 120)
    assert "ray::MapWorker" in " ".join(" ".join(one.cmdline()) for one in raylet.children()), "one node did all"
    raylet.kill()
    nodes.start()
    finish(tmp_path, process)
    check(tmp_path, texts)
