"""The whole service under load, with a committed row for each response: `make bench`.

The load generator is a process on the same cores. Its CPU time is reported, and the figures include it.
"""

import argparse
import statistics
import time
from collections.abc import Sequence

import psutil

from bench import plot
from bench.engines.comparison import machine
from bench.serving import servers
from bench.serving.load import Result, closed_loop, open_loop
from bench.serving.servers import Server
from test.service import Service

CLIENTS = 32


def compare(candidates: Sequence[Server], *, rounds: int, seconds: float) -> dict[str, list[Result]]:
    """Return the responses of each server to 32 clients, one result for each round; the rounds alternate."""
    results: dict[str, list[Result]] = {server.name: [] for server in candidates}
    for server in candidates:
        closed_loop(server.port, server.requests, CLIENTS, 2)
    for _ in range(rounds):
        for server in candidates:
            results[server.name].append(closed_loop(server.port, server.requests, CLIENTS, seconds))
    return results


def rates(results: dict[str, list[Result]]) -> dict[str, float]:
    """Return the median responses per second of each server."""
    return {name: statistics.median(result.rate for result in of_name) for name, of_name in results.items()}


def table(results: dict[str, list[Result]]) -> str:
    """Return a Markdown table, in which the others are compared with the first server."""
    first = next(iter(results))
    found = rates(results)
    lines = [f"| {CLIENTS} clients, 24 tokens | answers/s | p50 | p99 | {first} is |", "|---|---|---|---|---|"]
    for name, of_name in results.items():
        p50, p99 = (statistics.median(quantile(one, share) for one in of_name) * 1000 for share in (0.5, 0.99))
        lines.append(
            f"| {name} | {found[name]:.0f} | {p50:.0f} ms | {p99:.0f} ms | {found[first] / found[name]:.2f} x |"
        )
    return "\n".join(lines)


def quantile(result: Result, share: float) -> float:
    """Return a quantile of the latencies, in seconds."""
    ordered = sorted(result.latencies)
    return ordered[int(share * (len(ordered) - 1))] if ordered else float("nan")


def stages(service: Service, server: Server, seconds: float) -> str:
    """Return the CPU milliseconds of a request in each process."""
    processes = {"web": "worker", "scorer": "scorer", "PostgreSQL": "database"}
    before = {name: _cpu(service.pid(part)) for name, part in processes.items()}
    result = closed_loop(server.port, server.requests, CLIENTS, seconds)
    count = len(result.latencies)
    taken = {name: _cpu(service.pid(part)) - before[name] for name, part in processes.items()}
    taken["generator"] = result.cpu_seconds
    return ", ".join(f"{name} {1000 * value / count:.2f}" for name, value in taken.items())


def under_rates(server: Server, highest: float, *, rounds: int, seconds: float) -> str:
    """Return the latency at half of the highest rate, and the responses at three times that rate."""
    half = [open_loop(server.port, server.requests, highest / 2, seconds) for _ in range(rounds)]
    spread = statistics.median(quantile(one, 0.99) / quantile(one, 0.5) for one in half)
    p50 = statistics.median(quantile(one, 0.5) for one in half) * 1000
    flood = []
    for _ in range(rounds):
        flood.append(open_loop(server.port, server.requests, highest * 3, seconds))
        time.sleep(2)
    good = statistics.median(one.rate for one in flood)
    one = flood[-1]
    return (
        f"at half of it: p50 {p50:.1f} ms, p99 {spread:.1f} times that\n"
        f"at three times it: {good:.0f}/s stored, {good / highest:.2f} of the highest, p50 {quantile(one, 0.5):.2f} s; "
        f"last round {dict(one.statuses)}, {one.unsent} found no free connection of the generator; "
        f"it took {one.cpu_seconds / seconds:.2f} of a core"
    )


def _cpu(pid: int) -> float:
    process = psutil.Process(pid)
    with_children = [process, *(process.children() if "postgres" in process.name() else [])]
    return float(sum(sum(one.cpu_times()[:2]) for one in with_children))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    print(f"{machine()}; medians of {arguments.rounds} alternating rounds\n")
    with servers.own() as (server, service):
        with servers.pipeline(service) as other:
            results = compare([server, other], rounds=arguments.rounds, seconds=arguments.seconds)
        print(table(results), "\n")
        print("CPU milliseconds of a request:", stages(service, server, arguments.seconds))
        highest = rates(results)[server.name]
        print(under_rates(server, highest, rounds=arguments.rounds, seconds=arguments.seconds))
    plot.save("service", {"answers per second, 32 clients": rates(results)})


if __name__ == "__main__":
    main()
