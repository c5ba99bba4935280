"""Loading scored reviews into a database, in reviews a second: `make bench-loading`.

Short reviews of distinct words: into a database that serves, with all its indexes, while a client reads and posts; and
into an empty one whose words are indexed afterwards.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.engines.comparison import machine
from bench.service import quantile
from bench.serving import servers
from bench.serving.load import closed_loop
from src.archive.archive import Archive
from src.archive.progress import missing, survey_of
from src.archive.scoring import score_block
from src.archive.storage import Folder, sources
from src.config import ROOT
from src.files.tables import Reading
from src.files.writers import write_csv
from src.sentiment_analyzer import Score
from test.service import Service

WORDS = 50_000


class Instant:
    """An analyzer that answers at once."""

    version = "model@0123456789ab"
    calibrated = ready = True

    def analyze(self, texts: Sequence[str], *, background: bool = False) -> list[Score]:  # noqa: ARG002
        return [
            Score(sentiment_score=(len(text) % 100) / 60 - 0.8, confidence=0.9, p_neutral=0.05, tokens=12, windows=1)
            for text in texts
        ]


def archive(folder: Path, count: int) -> Path:
    """Write an archive of short reviews: ten words each, rare and common as in a language."""
    source = np.random.default_rng(1)
    drawn = np.minimum(source.zipf(1.3, (count, 10)), WORDS)
    rows = ((" ".join(f"word{word}" for word in row),) for row in drawn)
    with (folder / "in.csv").open("wb") as file:
        for data in write_csv(rows, ["sentence"]):
            file.write(data)
    made = Archive(Folder(str(folder / "out")), Instant.version, Reading("sentence", 10**6))
    [file_] = sources(str(folder / "in.csv"))
    made.begin([file_])
    for name, block in missing(file_, survey_of(file_, made.reading), made.reading, ()):
        made.store(name, score_block(Instant(), block, "sentence", lambda _: None))
    made.finish({})
    return folder / "out"


def seconds(service: Service, folder: Path, *options: str) -> float:
    """Return the seconds that `flask reviews load` takes, its start included."""
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "flask", "reviews", "load", str(folder), *options], cwd=ROOT, check=True,
        env={"INSTANCE_PATH": str(service.instance), "FLASK_APP": "src", "FLASK_SKIP_DOTENV": "1", "PATH": "/usr/bin"},
        capture_output=True,
    )  # fmt: skip
    return time.perf_counter() - started


def main() -> None:
    """Print the rates."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--reviews", type=int, default=200_000)
    arguments = parser.parse_args()
    print(f"{machine()}; {arguments.reviews:,} reviews of ten words\n")
    with tempfile.TemporaryDirectory() as name, servers.own() as (server, service):
        folder = archive(Path(name), arguments.reviews)
        service.empty()
        took = seconds(service, folder, "--index-afterwards")
        print(f"into an empty database, words indexed afterwards: {arguments.reviews / took:,.0f} reviews/s")
        service.empty()
        took = seconds(service, folder)
        print(f"into an empty database with all indexes: {arguments.reviews / took:,.0f} reviews/s")
        alone = closed_loop(server.port, server.requests, 1, 5)
        loading = threading.Thread(target=lambda: times.append(seconds(service, second)))
        times: list[float] = []
        (Path(name) / "second").mkdir()
        second = archive(Path(name) / "second", arguments.reviews)
        service.empty()
        loading.start()
        beside: list[float] = []
        while loading.is_alive():
            beside += closed_loop(server.port, server.requests, 1, 2).latencies
        print(
            f"beside a client that posts: {arguments.reviews / times[0]:,.0f} reviews/s; its p50 "
            f"{quantile(alone, 0.5) * 1000:.0f} ms, meanwhile {statistics.median(beside) * 1000:.0f} ms, "
            f"{len(beside) / times[0]:.0f} posts/s"
        )


if __name__ == "__main__":
    main()
