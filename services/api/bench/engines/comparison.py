"""The comparison of engines. Their workers take turns, so that a slow phase of the machine affects all of them."""

import json
import platform
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from src.config import ROOT
from src.sentiment_analyzer import cpus

MODEL = ROOT / "model"


@dataclass(frozen=True, slots=True)
class Shape:
    """The shape of one batch."""

    batch: int
    tokens: int
    """The tokens of each text, special tokens included."""

    def __str__(self) -> str:
        return f"{self.batch} x {self.tokens} tokens"


SENTENCE, SENTENCES, REVIEWS = Shape(1, 24), Shape(32, 24), Shape(16, 256)
SHAPES = (SENTENCE, SENTENCES, REVIEWS)


class Worker:
    """A process that runs one candidate."""

    def __init__(self, python: str, candidate: str, work: Path) -> None:
        self._process = subprocess.Popen(
            [python, "-m", "bench.engines.worker", candidate, str(MODEL), str(work)],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        if self._answer() != "ready":
            raise RuntimeError(f"{candidate} did not start")

    def seconds(self, shape: Shape, seconds: float) -> float:
        """Return the median seconds of one batch, measured for so many seconds."""
        request = {"batch": shape.batch, "tokens": shape.tokens, "seconds": seconds}
        print(json.dumps(request), file=self._process.stdin, flush=True)
        return float(self._answer())

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _answer(self) -> Any:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise RuntimeError("a candidate ended: run its bench.engines.worker by hand to see why")
        return json.loads(line)


def compare(
    candidates: Mapping[str, str], work: Path, *, rounds: int, seconds: float, shapes: Sequence[Shape] = SHAPES
) -> dict[str, dict[Shape, float]]:
    """Return the median seconds of one batch, by candidate and shape.

    :param candidates: the Python executable of each candidate.
    :param work: the folder with the peers' files.
    """
    workers = {name: Worker(python, name, work) for name, python in candidates.items()}
    try:
        found: dict[str, dict[Shape, list[float]]] = {name: {shape: [] for shape in shapes} for name in workers}
        for _ in range(rounds):
            for shape in shapes:
                for name, worker in workers.items():
                    found[name][shape].append(worker.seconds(shape, seconds))
    finally:
        for worker in workers.values():
            worker.close()
    return {
        name: {shape: statistics.median(times) for shape, times in by_shape.items()} for name, by_shape in found.items()
    }


def table(found: Mapping[str, Mapping[Shape, float]], against: str) -> str:
    """Return a Markdown table: milliseconds for one text, texts per second for many, speed relative to `against`."""
    shapes = list(found[against])
    lines = [
        f"| engine | {' | '.join(map(str, shapes))} | {' | '.join(f'times {against}' for _ in shapes)} |",
        "|---" * (1 + 2 * len(shapes)) + "|",
    ]
    for name, times in found.items():
        cells = [
            f"{times[shape] * 1000:.2f} ms" if shape.batch == 1 else f"{shape.batch / times[shape]:,.0f}/s"
            for shape in shapes
        ]
        cells += [f"{found[against][shape] / times[shape]:.2f}" for shape in shapes]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def machine() -> str:
    """Return a description of this machine."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor()
    return f"{name}, {cpus.available()} cores, {platform.machine()}"
