"""Requests per second of the whole service, a durable row for each: `make bench`.

Starts the service as `make run` does, over a database of its own, and posts 24-token reviews to it from clients that
each wait for their answer. The clients run in a process of their own on the same machine, which costs the service part
of its cores; the figure includes that.
"""

import argparse
import http.client
import json
import multiprocessing
import platform
import shutil
import statistics
import tempfile
import threading
import time
from pathlib import Path

from src.sentiment_analyzer import cpus
from test.service import Service

REVIEW = "a quiet and funny film that never hurries and stays with you for days after you have seen the last of it"


def load(port: int, clients: int, seconds: float, result: "multiprocessing.Queue[list[float]]") -> None:
    """Post from `clients` threads for so many seconds; put the latency of each answer, in seconds."""
    latencies: list[float] = []
    stop = time.monotonic() + seconds
    body = json.dumps({"sentence": REVIEW})

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while time.monotonic() < stop:
            started = time.perf_counter()
            connection.request("POST", "/sentiments/", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            if answer.status != 201:
                raise RuntimeError(f"status {answer.status}")
            latencies.append(time.perf_counter() - started)

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    result.put(latencies)


def measure(port: int, clients: int, seconds: float) -> list[float]:
    """Return the latencies of one round, in seconds."""
    result: multiprocessing.Queue[list[float]] = multiprocessing.Queue()
    process = multiprocessing.Process(target=load, args=(port, clients, seconds, result))
    process.start()
    latencies = result.get()
    process.join()
    return latencies


def main() -> None:
    """Print a table: clients, requests per second, latencies."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="sentiments-bench-"))
    service = Service(folder)
    service.start()
    try:
        measure(service.port, 8, 2)
        rounds: dict[int, list[list[float]]] = {clients: [] for clients in arguments.clients}
        for _ in range(arguments.rounds):
            for clients in arguments.clients:
                rounds[clients].append(measure(service.port, clients, arguments.seconds))
    finally:
        service.stop()
        shutil.rmtree(folder)
    print(f"{cpus.available()} cores, {platform.machine()}; medians of {arguments.rounds} alternating rounds\n")
    print("| clients | requests/s | p50 | p99 |\n|---|---|---|---|")
    for clients, latencies in rounds.items():
        rate = statistics.median(len(one) / arguments.seconds for one in latencies)
        quantiles = [statistics.quantiles(one, n=100) for one in latencies]
        p50, p99 = (statistics.median(one[index] for one in quantiles) * 1000 for index in (49, 98))
        print(f"| {clients} | {rate:.0f} | {p50:.1f} ms | {p99:.1f} ms |")


if __name__ == "__main__":
    main()
