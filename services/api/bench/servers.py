"""Web servers for this service's own app: rates, slow clients, and bodies that are too large.

`python -m bench.servers PYTHON [NAME ...]`, where PYTHON is of an environment that has this service's requirements and
granian, waitress, gevent and psycogreen. The candidates take turns over one database. The load generator and the
scorer are on the same cores.
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
from sqlalchemy import create_engine, text

from bench.engines.comparison import MODEL, machine
from bench.service import quantile
from bench.serving import clients
from bench.serving.load import Result, closed_loop, post
from bench.serving.servers import sentences
from src.config import ROOT
from src.database.embedded import EmbeddedPostgres
from src.sentiment_analyzer.scorer.keeper import Keeper

THREADS = "96"
QUEUE = 512
APP = "bench.serving.wsgi:app"
GUNICORN = ["-m", "gunicorn", "--config", "gunicorn.conf.py"]
CANDIDATES: dict[str, list[str]] = {
    "gthread": [*GUNICORN, "src.wsgi:app"],
    "granian": ["-m", "granian", "--interface", "wsgi", "--http", "1", "--no-ws", "--no-log", "--blocking-threads",
                THREADS, "--port", "{port}", APP],
    "granian, RSGI": ["-m", "granian", "--interface", "rsgi", "--http", "1", "--no-ws", "--no-log", "--loop", "asyncio",
                      "--port", "{port}", "bench.serving.rsgi:serve"],
    "waitress": ["-m", "waitress", f"--threads={THREADS}", "--connection-limit=2000", "--asyncore-use-poll",
                 "--max-request-body-size=70000000", "--listen=127.0.0.1:{port}", APP],
    "gevent": ["-m", "gevent.monkey", "--module", *GUNICORN[1:], "-k", "gevent", "--worker-connections", "2000", APP],
}  # fmt: skip


class Running:
    """A candidate that answers."""

    def __init__(self, name: str, port: int, process: "subprocess.Popen[bytes]") -> None:
        self.name, self.port, self.process = name, port, process

    def web_processes(self) -> list[psutil.Process]:
        """Return its processes. The scorer is not among them: it belongs to the keeper."""
        root = psutil.Process(self.process.pid)
        return [root, *root.children(recursive=True)]

    def cpu_seconds(self) -> float:
        """Return the CPU time of its processes."""
        return float(sum(sum(one.cpu_times()[:2]) for one in self.web_processes()))

    def megabytes(self) -> float:
        """Return the private memory of its processes."""
        return sum(one.memory_full_info().uss for one in self.web_processes()) / 2**20

    def threads(self) -> int:
        """Return the number of its threads."""
        return int(sum(one.num_threads() for one in self.web_processes()))


@contextlib.contextmanager
def database() -> Iterator[Path]:
    """Start an embedded PostgreSQL with 50 reviews of 20 KB for slow readers; yield its folder."""
    folder = Path(tempfile.mkdtemp(prefix="sentiments-bench-"))
    server = EmbeddedPostgres(folder)
    server.start()
    try:
        environment = {**os.environ, "INSTANCE_PATH": str(folder), "DATABASE_URL": "", "FLASK_APP": "src"}
        subprocess.run(
            [sys.executable, "-m", "flask", "db", "upgrade"], cwd=ROOT, env=environment, check=True, capture_output=True
        )
        engine = create_engine(server.url)
        with engine.begin() as connection:
            connection.execute(
                text(
                    "INSERT INTO sentiments (sentence, sentiment_score, confidence, p_neutral, warnings, tokens,"
                    " windows, model_version) SELECT repeat('word ', 4000), 0.5, 0.6, 0.2, '{}', 4000, 20, 'bench@0'"
                    " FROM generate_series(1, 50)"
                )
            )
        engine.dispose()
        yield folder
    finally:
        server.stop()
        shutil.rmtree(folder)


@contextlib.contextmanager
def running(name: str, python: str, instance: Path, port: int) -> Iterator[Running]:
    """Start a candidate and wait until it is ready."""
    folder = tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
    with folder as metrics, Keeper(str(MODEL), queue=QUEUE) as scorer:
        environment = {
            **os.environ, "INSTANCE_PATH": str(instance), "DATABASE_URL": "", "PORT": str(port), "THREADS": THREADS,
            "QUEUE": str(QUEUE), "WEB_WORKERS": "1", "SCORER_SOCKET": scorer.address,
            "PROMETHEUS_MULTIPROC_DIR": metrics, **({"GEVENT": "1"} if name == "gevent" else {}),
        }  # fmt: skip
        command = [python, *(part.format(port=port) for part in CANDIDATES[name])]
        path = instance / f"{name}.log"
        with path.open("ab") as log:
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            _wait(port, process, path)
            yield Running(name, port, process)
        finally:
            children = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(40)
            for child in children:
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()
            process.kill()


def _wait(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2):
            return
        time.sleep(0.2)
    raise RuntimeError(f"{process.args!r} did not start:\n{log.read_text()[-3000:]}")


def rate(server: Running, count: int, seconds: float) -> str:
    """Return the answers a second, p99 and web CPU of a POST, with `count` clients."""
    requests = [post("/sentiments/", {"sentence": sentence}) for sentence in sentences()]
    closed_loop(server.port, requests, min(count, 32), 1)
    before = server.cpu_seconds()
    result = closed_loop(server.port, requests, count, seconds)
    taken = 1000 * (server.cpu_seconds() - before) / max(1, len(result.latencies))
    return (
        f"{result.rate:.0f}/s, p50 {_ms(result, 0.5)}, p99 {_ms(result, 0.99)}, web {taken:.2f} ms, "
        f"{dict(result.statuses)}"
    )


def beside_slow(server: Running, kind: str, count: int, seconds: float) -> str:
    """Return how one normal client fares beside `count` slow ones, and what these cost while nobody else is there."""
    requests = [post("/sentiments/", {"sentence": sentence}) for sentence in sentences()]
    alone = closed_loop(server.port, requests, 1, seconds)
    memory = server.megabytes()
    with clients.slow(server.port, kind, count) as report:
        time.sleep(3)
        before = server.cpu_seconds()
        time.sleep(seconds)
        share = (server.cpu_seconds() - before) / seconds
        grown, threads = server.megabytes() - memory, server.threads()
        beside = closed_loop(server.port, requests, 1, seconds)
        held = report()
    time.sleep(1)
    return (
        f"p99 {_ms(alone, 0.99)} alone, {_ms(beside, 0.99)} beside ({len(alone.latencies)} and "
        f"{len(beside.latencies)} answers); they take {100 * share:.1f}% of a core, {grown:.0f} MB; {threads} threads; "
        f"{held.closed} of {held.opened} closed by then"
    )


def deadlines(server: Running, seconds: float) -> str:
    """Return when one slow client of each kind is cut off."""
    with contextlib.ExitStack() as stack:
        reports = {kind: stack.enter_context(clients.slow(server.port, kind, 2)) for kind in clients.KINDS}
        time.sleep(seconds)
        held = {kind: report() for kind, report in reports.items()}
    return ", ".join(
        f"{kind} {', '.join(f'{second:.0f} s' for second in one.seconds) or f'not in {seconds:.0f} s'}"
        for kind, one in held.items()
    )


def graceful_stop(server: Running) -> str:
    """Return what becomes of requests in progress when the server gets SIGTERM, and how long it takes to end."""
    statuses: list[str] = []
    sentence = " ".join(sentences(70, 200))  # a few hundred milliseconds in the scorer

    def send() -> None:
        request = urllib.request.Request(
            f"http://127.0.0.1:{server.port}/sentiments/", json.dumps({"sentence": sentence}).encode(),
            {"Content-Type": "application/json"},
        )  # fmt: skip
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                statuses.append(str(answer.status))
        except OSError as error:
            statuses.append(type(error).__name__)

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    began = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    with socket.socket() as probe:
        accepted = probe.connect_ex(("127.0.0.1", server.port)) == 0
    for thread in threads:
        thread.join()
    answered = time.monotonic() - began
    server.process.wait(60)
    return (
        f"{' '.join(statuses)} after {answered:.1f} s; ended after {time.monotonic() - began:.1f} s; "
        f"a new connection was {'accepted' if accepted else 'refused'}"
    )


def _ms(result: Result, share: float) -> str:
    return f"{1000 * quantile(result, share):.0f} ms"


def trials(server: Running, only: list[str], slow: int) -> Iterator[tuple[str, str]]:
    """Yield the name and the outcome of each trial."""
    if "large" in only:
        for client, seen in clients.too_large(server.port).items():
            yield f"30 MB by {client}", seen
        yield "Expect: 100-continue", clients.expects(server.port)
        yield "bulk", clients.streaming(server.port)
    if "smuggling" in only:
        yield from clients.smuggle(server.port).items()
    for kind in clients.KINDS if "slow" in only else ():
        yield f"{slow} slow in {kind}", beside_slow(server, kind, slow, 4)
    if "deadlines" in only:
        yield "one slow client of each kind is cut off", deadlines(server, 45)
    if "stop" in only:
        yield "SIGTERM", graceful_stop(server)


def main() -> None:
    """Print what each candidate does."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("python")
    parser.add_argument("names", nargs="*", default=list(CANDIDATES))
    parser.add_argument("--only", default="rates,slow,large,deadlines,smuggling,stop")
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--slow", type=int, default=500)
    parser.add_argument("--port", type=int, default=5310)
    arguments = parser.parse_args()
    only = arguments.only.split(",")
    print(f"{machine()}, load {os.getloadavg()[0]:.1f}", flush=True)
    with database() as instance:
        for _ in range(arguments.rounds if "rates" in only else 0):
            for name in arguments.names:
                with running(name, arguments.python, instance, arguments.port) as server:
                    for count in (32, 256):
                        print(f"{name}, {count} clients: {rate(server, count, arguments.seconds)}", flush=True)
        for name in arguments.names if only != ["rates"] else ():
            with running(name, arguments.python, instance, arguments.port) as server:
                for trial, outcome in trials(server, only, arguments.slow):
                    print(f"{name}, {trial}: {outcome}", flush=True)


if __name__ == "__main__":
    main()
