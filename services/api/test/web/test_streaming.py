"""Streaming: paced threads leave time for others."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from src.web import streaming
from src.web.streaming import paced

STEPS = 20
STEP = 0.01


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The sleeps that were asked for, none of them slept."""
    naps: list[float] = []
    monkeypatch.setattr(streaming, "_free_at", 0.0)
    monkeypatch.setattr(time, "sleep", naps.append)
    return naps


def computing() -> Iterator[int]:
    for step in range(STEPS):
        until = time.thread_time() + STEP
        while time.thread_time() < until:
            pass
        yield step


def waiting() -> Iterator[int]:
    for step in range(STEPS):
        threading.Event().wait(STEP)
        yield step


@pytest.mark.parametrize("threads", [1, 4])
def test_all_threads_together_get_half_of_the_time_at_most(naps: list[float], threads: int) -> None:
    began = time.monotonic()
    with ThreadPoolExecutor(threads) as pool:
        for steps in pool.map(lambda _: list(paced(computing())), range(threads)):
            assert steps == list(range(STEPS))
    assert len(naps) == threads * STEPS
    elapsed = time.monotonic() - began
    assert max(naps) >= 2 * threads * STEPS * STEP - elapsed  # no sleep was slept, so the last one owes all of them


def test_a_thread_that_waits_anyway_is_not_delayed(naps: list[float]) -> None:
    assert list(paced(waiting())) == list(range(STEPS))
    assert naps == [0.0] * STEPS
