"""A full disk, of the data or of the write-ahead log: writes fail, and all is back when there is space."""

import contextlib
import os
import random
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from test.faults.conftest import execute
from test.service import Service, copy_instance, wait_until

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(os.getuid() != 0, reason="Only root may mount a file system of a limited size."),
]

MEGABYTES = {"postgres": 96, "pg_wal": 80}
WORDS = [f"{number:x}" for number in range(16, 4096)]
BACK_SECONDS = 60
"""PostgreSQL recovers from a crash, if the log had no space."""


@contextlib.contextmanager
def mounted(folder: Path, megabytes: int) -> Iterator[None]:
    """Give a folder a file system of its own, with what was in it."""
    before = folder.with_name(f"{folder.name}.before")
    folder.rename(before)
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], check=True)
    try:
        subprocess.run(["cp", "-a", f"{before}/.", str(folder)], check=True)
        os.chown(folder, before.stat().st_uid, before.stat().st_gid)
        folder.chmod(0o700)
        shutil.rmtree(before)
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def small(migrated_instance: Path) -> Iterator[Service]:
    """A service whose data and log have small file systems of their own."""
    instance = Path(tempfile.mkdtemp(prefix="sentiments-test-"))
    copy_instance(migrated_instance, instance)
    service = Service(instance)
    data = instance / "postgres"
    with (data / "postgresql.conf").open("a") as options:
        options.write("max_wal_size = 48MB\nmin_wal_size = 32MB\n")
    with mounted(data, MEGABYTES["postgres"]), mounted(data / "pg_wal", MEGABYTES["pg_wal"]):
        service.start()
        yield service
        service.stop()
    service.close()


def fill(folder: Path) -> Path:
    """Write a file until nothing more fits, and return it."""
    file = folder / "filler"
    with contextlib.suppress(OSError), file.open("wb", buffering=0) as stream:
        while stream.write(bytes(2**12)):
            pass
    return file


@pytest.mark.parametrize("part", ["", "pg_wal"])
def test_a_full_disk_is_a_503_and_all_is_back_without_a_restart_when_there_is_space(small: Service, part: str) -> None:
    review = small.post("A fine film.")
    supervisor = small.pid("supervisor")
    filler = fill(small.instance / "postgres" / part)
    if part:  # what is left of the log's last file is enough for thousands of reviews
        execute(small, "SELECT pg_switch_wal()")
    acknowledged, source = ["A fine film."], random.Random(18)
    refused: list[str] = []
    while len(refused) < 3:
        sentence = " ".join(source.choices(WORDS, k=300))  # hardly compressible
        status, answer = small.request("POST", "/sentiments/", {"sentence": sentence})
        assert status in (201, 503), answer
        (acknowledged if status == 201 else refused).append(sentence if status == 201 else answer["detail"])
    if not part:  # a log without space stops PostgreSQL
        assert "disk is full" in refused[-1]
        assert small.request("GET", f"/sentiments/{review}")[1]["sentence"] == "A fine film."
        assert small.request("GET", "/readyz")[0] == 200
    else:
        wait_until(lambda: "PostgreSQL did not start" in small.output(), 30)
        assert small.request("GET", "/readyz")[0] == 503
        assert small.request("GET", "/healthz")[0] == 200
    filler.unlink()
    wait_until(small.heals, BACK_SECONDS)
    found, address = set[str](), "/sentiments/?limit=500"
    while page := small.request("GET", address)[1]:
        found |= {record["sentence"] for record in page}
        address = f"/sentiments/?limit=500&before={page[-1]['id']}"
    assert set(acknowledged) <= found
    assert small.pid("supervisor") == supervisor
