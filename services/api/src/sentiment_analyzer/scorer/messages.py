"""Messages between `Scorer` and its process, other than jobs.

They have a module of their own because the process's module runs as `__main__`: a class that is defined there is
pickled under a name that the other side does not know.
"""

from dataclasses import dataclass

from src.sentiment_analyzer.scorer.batching import Scored


@dataclass(frozen=True, slots=True)
class Ready:
    """The first message of a process whose model is loaded."""

    version: str
    calibrated: bool
    engine: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The first message of a process whose model cannot be loaded."""

    message: str


@dataclass(frozen=True, slots=True)
class Batch:
    """The size of one batch and the time that it took."""

    windows: int
    tokens: int
    """Special tokens included."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Progress:
    """The message after each batch, and the answer to a ping."""

    scored: list[Scored]
    """The jobs that are complete or have failed."""
    batch: Batch | None = None
    """None if nothing was computed."""


PING = None
"""A message in place of a job. The loop that computes answers it, so that an answer proves that this loop runs."""
