"""Messages between the scorer process and those it scores for, other than jobs.

They have a module of their own because the process's module runs as `__main__`: a class that is defined there is
pickled under a name that the other side does not know.
"""

from dataclasses import dataclass

from src.sentiment_analyzer.errors import QueueFull
from src.sentiment_analyzer.scorer.batching import Outcome


@dataclass(frozen=True, slots=True)
class Ready:
    """The first message to each connection, when the model is loaded."""

    version: str
    calibrated: bool
    engine: str
    pid: int
    replaces: bool
    """True for the first connection to a process that replaces another, so that one of them counts it."""


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
    """The outcomes of some jobs of one connection, or the answer to a ping."""

    outcomes: list[tuple[int, Outcome | QueueFull]]
    batch: Batch | None = None
    """A batch that was computed. One connection gets it, also for the jobs of others."""


PING = None
"""A message in place of a job. The loop that computes answers it, so that an answer proves that this loop runs."""
