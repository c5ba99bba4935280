"""The memory of Ray's pipeline for an archive of many gigabytes: `make bench-flow`.

The analyzer answers at once, so that reading and writing set the pace: if readers were not held back, what they read
would pile up.
"""

import argparse
import json
import tempfile
import threading
import time
from functools import partial
from pathlib import Path

import psutil

from bench.engines.comparison import MODEL, machine
from bench.loading import Instant
from src.archive import cluster
from src.archive.storage import sources
from src.files.tables import Reading
from src.schemas.reviews import why_refused
from src.sentiment_analyzer import Analyzer

FILE_BYTES = 250_000_000
TEXT = "word " * 200


class InstantJob(cluster.Job):
    """A job whose analyzer answers at once."""

    def load(self) -> Analyzer:
        return Instant()


class Watch(threading.Thread):
    """Watches the memory of this process and all below it."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.samples: list[tuple[float, int]] = []

    def run(self) -> None:
        this = psutil.Process()
        while True:
            total = 0
            for process in [this, *this.children(recursive=True)]:
                try:
                    total += process.memory_full_info().pss
                except psutil.Error:
                    continue
            self.samples.append((time.monotonic(), total))
            time.sleep(1)


def main() -> None:
    """Print the most memory in each quarter of the run."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--gigabytes", type=float, default=10)
    arguments = parser.parse_args()
    print(f"{machine()}; {arguments.gigabytes:g} GB of NDJSON in files of {FILE_BYTES / 1e6:.0f} MB\n")
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        folder = Path(name) / "in"
        folder.mkdir()
        line = json.dumps({"id": 12345, "sentence": TEXT}) + "\n"
        content = line.encode() * (FILE_BYTES // len(line))
        for number in range(round(arguments.gigabytes * 1e9 / FILE_BYTES)):
            (folder / f"{number:04}.ndjson").write_bytes(content)
        watch = Watch()
        watch.start()
        started = time.monotonic()
        job = InstantJob(
            str(MODEL), str(Path(name) / "out"), Reading("sentence", 10**6), partial(why_refused, limit=10**5)
        )
        total, _ = cluster.score(job, sources(str(folder)), None, lambda _: None)
        took = time.monotonic() - started
    print(f"{total.scored:,} reviews in {took:.0f} s, {arguments.gigabytes * 1000 / took:.0f} MB/s")
    for quarter in range(4):
        inside = [used for at, used in watch.samples if quarter <= 4 * (at - started) / took < quarter + 1]
        print(f"quarter {quarter + 1}: at most {max(inside, default=0) / 1e6:,.0f} MB")


if __name__ == "__main__":
    main()
