"""Growth of memory: resident memory of web worker and scorer after few and after many requests, `make bench-memory`.

32 clients post reviews of 1 to 2,000 words, most of them short. Every row is committed.
"""

import argparse
import random

import psutil

from bench.serving import servers
from bench.serving.load import closed_loop, post
from bench.serving.servers import WORDS
from test.service import Service

EARLY, LATE = 5_000, 100_000
CLIENTS = 32
STEP_SECONDS = 5.0


def reviews(count: int = 2000) -> list[bytes]:
    """Return requests with texts of mixed lengths: the median has 12 words, one text in a hundred has 400 or more."""
    source = random.Random(0)
    lengths = [min(2000, max(1, round(source.lognormvariate(2.5, 1.5)))) for _ in range(count)]
    return [post("/sentiments/", {"sentence": " ".join(source.choices(WORDS, k=length))}) for length in lengths]


def resident(service: Service) -> float:
    """Return the resident memory of worker and scorer, in 10^6 bytes."""
    return float(sum(psutil.Process(service.pid(part)).memory_info().rss for part in ("worker", "scorer")) / 1e6)


def main() -> None:
    """Print resident memory every 10,000 requests, and the ratio of the last figure to the first."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--requests", type=int, default=LATE)
    arguments = parser.parse_args()
    requests, answered, early, printed = reviews(), 0, 0.0, 0
    with servers.own() as (server, service):
        while answered < arguments.requests:
            answered += len(closed_loop(server.port, requests, CLIENTS, STEP_SECONDS).latencies)
            if answered >= EARLY and not early:
                early = resident(service)
            if answered // 10_000 > printed or answered >= arguments.requests:
                printed = answered // 10_000
                print(f"{answered:,} requests: {resident(service):.0f} MB", flush=True)
            random.Random(answered).shuffle(requests)
        print(f"{resident(service) / early:.3f} of what it was after {EARLY:,} ({early:.0f} MB)")


if __name__ == "__main__":
    main()
