"""Whoever computes for many gives way."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from src.pace import paced

STEP = 0.01


def computing(steps: int) -> Iterator[int]:
    for step in range(steps):
        until = time.thread_time() + STEP
        while time.thread_time() < until:
            pass
        yield step


def waiting(steps: int) -> Iterator[int]:
    for step in range(steps):
        time.sleep(STEP)
        yield step


def seconds(steps: Iterator[int]) -> float:
    began = time.monotonic()
    assert list(paced(steps)) == list(range(20))
    return time.monotonic() - began


def test_all_threads_together_compute_half_of_the_time_at_most() -> None:
    assert seconds(computing(20)) >= 2 * 20 * STEP
    began = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        assert len(list(pool.map(seconds, [computing(20) for _ in range(4)]))) == 4
    assert time.monotonic() - began >= 2 * 4 * 20 * STEP


def test_who_waits_for_others_is_not_made_to_wait_more() -> None:
    began = time.monotonic()
    plain = list(waiting(20))
    assert seconds(waiting(20)) < 1.5 * (time.monotonic() - began)
    assert plain == list(range(20))
