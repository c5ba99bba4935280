"""What a scorer and its process say to each other, besides jobs.

Apart from the process's own module, which is its `__main__`: what is pickled there has another name here.
"""

from dataclasses import dataclass

from src.sentiment_analyzer.scorer.batching import Scored


@dataclass(frozen=True, slots=True)
class Ready:
    """What a scorer says first, if its model is good."""

    version: str
    calibrated: bool
    engine: str


@dataclass(frozen=True, slots=True)
class Refused:
    """What it says first if its model is not."""

    message: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What was computed together."""

    windows: int
    tokens: int
    """Special ones included."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Progress:
    """What it says after each batch, and when it is asked whether it is there."""

    scored: list[Scored]
    """The jobs that are complete, or failed."""
    batch: Batch | None = None
    """What was computed; None if nothing was."""


PING = None
"""Sent instead of a job: it is answered by the loop that computes, so that the answer shows that it does not hang."""
