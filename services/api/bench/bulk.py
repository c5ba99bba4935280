"""Bulk scoring against the scorer alone, and the latency of single requests meanwhile: `make bench-bulk`.

Each round times the same sentences in three ways, one after the other: scored and discarded, posted to
`/sentiments/bulk`, and imported from a file with its rows committed. The latency of single requests is measured with
and without a bulk request in progress.
"""

import argparse
import http.client
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psutil

from bench.engines.comparison import MODEL, machine
from bench.service import quantile
from bench.serving import servers
from bench.serving.load import closed_loop
from bench.serving.servers import Server
from src import create_app
from src.config import Settings
from src.extensions import db
from src.files.readers import records
from src.reviews import import_file
from src.schemas.reviews import entry_of
from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer
from test.service import Service

CHUNK = 512
CLIENTS = (1, 8)
LARGE_BYTES = 60 * 2**20


def post(port: int, body: bytes, *, until: Callable[[], bool] = lambda: False) -> int:
    """Post NDJSON; return the number of reviews in the response. Close the connection early once `until()` is true."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", "/sentiments/bulk", body, {"Content-Type": "application/x-ndjson"})
    stored = 0
    for line in _lines(connection.getresponse()):
        stored += b'"sentiment_score"' in line
        if until():
            break
    connection.close()
    return stored


def _lines(answer: http.client.HTTPResponse) -> Iterator[bytes]:
    while line := answer.readline():
        yield line


def ndjson(texts: list[str]) -> bytes:
    """Return the texts as NDJSON records."""
    return "".join(json.dumps({"sentence": text}) + "\n" for text in texts).encode()


def rates(server: Server, service: Service, texts: list[str], rounds: int) -> dict[str, list[float]]:
    """Return the reviews per second of each way, one figure for each round."""
    analyzer, body = SentimentAnalyzer.load(str(MODEL)), ndjson(texts)
    app = create_app(Settings(instance_path=service.instance))

    def scored() -> int:
        return sum(len(analyzer.analyze(texts[at : at + CHUNK])) for at in range(0, len(texts), CHUNK))

    def imported() -> int:
        with tempfile.NamedTemporaryFile(suffix=".ndjson") as file, app.app_context():
            file.write(body)
            file.flush()
            entries = map(partial(entry_of, owner=""), records(Path(file.name), 2**21))
            steps = import_file(db.session(), analyzer, Path(file.name), entries, again=True)
            return [progress.stored for progress in steps][-1]

    ways = {"scored": scored, "posted": lambda: post(server.port, body), "imported": imported}
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, run in ways.items():
            started = time.perf_counter()
            assert run() == len(texts)
            found[name].append(len(texts) / (time.perf_counter() - started))
    return found


def latencies(server: Server, texts: list[str], clients: int, *, rounds: int, seconds: float) -> tuple[float, float]:
    """Return the median latency of single requests, without and with a bulk request in progress, in seconds."""
    alone, beside = [], []
    for _ in range(rounds):
        alone.append(quantile(closed_loop(server.port, server.requests, clients, seconds), 0.5))
        over = threading.Event()
        bulk = threading.Thread(target=post, args=(server.port, ndjson(texts)), kwargs={"until": over.is_set})
        bulk.start()
        time.sleep(1)
        beside.append(quantile(closed_loop(server.port, server.requests, clients, seconds), 0.5))
        assert bulk.is_alive(), "the bulk request ended too early: raise --texts"
        over.set()
        bulk.join()
    return statistics.median(alone), statistics.median(beside)


def memory(server: Server, service: Service, texts: list[str], seconds: float) -> tuple[float, float]:
    """Return the worker's resident memory before a large bulk request, and the most during it, in 10^6 bytes."""
    worker = psutil.Process(service.pid("worker"))
    post(server.port, ndjson(texts[:1000]))
    before = worker.memory_info().rss / 1e6
    most, end = [before], time.monotonic() + seconds

    def watched() -> bool:
        most.append(worker.memory_info().rss / 1e6)
        return time.monotonic() > end

    body = ndjson(texts)
    post(server.port, (body * (LARGE_BYTES // len(body) + 1))[:LARGE_BYTES], until=watched)
    return before, max(most)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--texts", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5)
    arguments = parser.parse_args()
    texts = servers.sentences(arguments.texts)
    print(f"{machine()}; {len(texts):,} sentences of 24 tokens, medians of {arguments.rounds} alternating rounds\n")
    with servers.own() as (server, service):
        for clients in CLIENTS:
            alone, beside = latencies(server, texts, clients, rounds=arguments.rounds, seconds=arguments.seconds)
            print(f"single requests of {clients} clients: p50 {alone * 1000:.1f} ms, in a bulk {beside * 1000:.1f} ms, "
                  f"{beside / alone:.2f} times as much")  # fmt: skip
        found = rates(server, service, texts, arguments.rounds)
        for name, of_name in found.items():
            share = statistics.median(one / bare for one, bare in zip(of_name, found["scored"], strict=True))
            print(f"{name}: {statistics.median(of_name):.0f} reviews/s, {share:.3f} of the scorer alone")
        before, most = memory(server, service, texts, 4 * arguments.seconds)
        print(f"memory of the worker: {before:.0f} MB, at most {most:.0f} MB during a bulk of {LARGE_BYTES:,} bytes")


if __name__ == "__main__":
    main()
