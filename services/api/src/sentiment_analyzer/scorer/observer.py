"""Who watches a scorer."""

from typing import Protocol

from src.sentiment_analyzer.scorer.messages import Batch


class Observer(Protocol):
    """Who is told what a scorer does, by the threads that do it."""

    def waiting(self, calls: int) -> None:
        """Take note of how many calls of `analyze` wait or are being scored, without those in the background.

        The latest note is the latest count: one thread at a time is here, and holds up all others.
        """

    def computed(self, batch: Batch) -> None:
        """Take note of a batch that was computed."""

    def started_again(self) -> None:
        """Take note that the process died or hung, and that another one is there."""
