"""The choice and the order of the windows of a batch. Reviews neither delay nor fail each other."""

import time

import numpy as np
import pytest
from numpy.typing import NDArray

from src.sentiment_analyzer.errors import DeadlinePassed
from src.sentiment_analyzer.score import Score, Tokenized
from src.sentiment_analyzer.scorer.batching import (
    BACKGROUND_TOKENS,
    BATCH_TOKENS,
    BATCHES_PER_BACKGROUND,
    IDLE_SECONDS,
    IDLE_TOKENS,
    JOBS_PER_WINDOW,
    Batcher,
    Job,
)
from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer

LONG = "A dull film that goes on and on. " * 700
POISON = "zebra"


class Fragile:
    """The real analyzer, except that it fails on reviews with one certain word."""

    def __init__(self, analyzer: SentimentAnalyzer, *, part: str) -> None:
        self._analyzer, self._part = analyzer, part
        [[self._poison]] = analyzer.tokenize([POISON])[0].windows
        self.score = analyzer.score

    def tokenize(self, texts: list[str]) -> list[Tokenized]:
        if self._part == "tokenize" and any(POISON in text for text in texts):
            raise ValueError(POISON)
        return self._analyzer.tokenize(texts)

    def logits(self, windows: list[list[int]]) -> NDArray[np.float64]:
        if self._part == "logits" and any(self._poison in window for window in windows):
            raise ValueError(POISON)
        return self._analyzer.logits(windows)


def build_jobs(*texts: str, seconds: float = 600) -> list[Job]:
    """Jobs of one text, with the keys 0, 1, ..."""
    return [Job(key, [text], time.monotonic() + seconds) for key, text in enumerate(texts)]


def drain(batcher: Batcher) -> dict[int, Score | None]:
    """Compute all windows that are left, of jobs with one text."""
    scored: dict[int, Score | None] = {}
    while batcher:
        scored |= {key: scores[0] if isinstance(scores, list) else None for key, scores in batcher.compute()}
    return scored


def test_a_review_has_the_same_score_as_without_a_queue(analyzer: SentimentAnalyzer) -> None:
    texts = ["A fine film.", "", LONG, "Terrible. " * 400, "Ein furchtbar langweiliger Film, den man sich sparen kann."]
    batcher = Batcher(analyzer)
    assert batcher.add(build_jobs(*texts)) == []
    scored = drain(batcher)
    assert [scored[key] for key in range(len(texts))] == analyzer.analyze(texts)


def test_a_job_of_many_texts_is_scored_whole_and_does_not_delay_a_short_one(analyzer: SentimentAnalyzer) -> None:
    texts = ["A fine film.", LONG, "", *(f"Film {number} is dull." for number in range(300))]
    batcher = Batcher(analyzer)
    batcher.add([Job(0, texts, time.monotonic() + 600)])
    assert batcher.compute() == []
    batcher.add([Job(7, ["A fine film."], time.monotonic() + 600)])
    assert [key for key, _ in batcher.compute()] == [7]
    scored = []
    while batcher:
        scored += batcher.compute()
    assert scored == [(0, analyzer.analyze(texts))]


def test_a_short_review_does_not_wait_for_a_long_one(analyzer: SentimentAnalyzer) -> None:
    batcher = Batcher(analyzer)
    batcher.add(build_jobs(LONG))
    assert batcher.compute() == []
    batcher.add([Job(7, ["A fine film."], time.monotonic() + 600)])
    assert [key for key, _ in batcher.compute()] == [7]
    assert list(drain(batcher)) == [0]


def test_a_long_review_advances_however_many_short_ones_arrive(analyzer: SentimentAnalyzer) -> None:
    long = "A dull film that goes on and on. " * 300  # six windows
    batcher = Batcher(analyzer)
    batcher.add(build_jobs(long))
    before = 0
    while True:
        batcher.add([Job(1, ["Fine. " * 100], time.monotonic() + 600) for _ in range(20)])  # more than a batch
        scored = [key for key, _ in batcher.compute()]
        if 0 in scored:
            break
        before += len(scored)
        assert before <= 6 * JOBS_PER_WINDOW


def test_a_batch_is_filled_up_to_its_limit_of_tokens(analyzer: SentimentAnalyzer) -> None:
    batcher = Batcher(analyzer)
    batcher.add(build_jobs(*["Fine. " * 50] * 100))
    tokens = len(batcher.compute()) * 102
    assert BATCH_TOKENS - 102 < tokens <= BATCH_TOKENS


@pytest.mark.parametrize("part", ["tokenize", "logits"])
def test_a_review_that_fails_does_not_fail_its_batch(analyzer: SentimentAnalyzer, part: str) -> None:
    batcher = Batcher(Fragile(analyzer, part=part))
    texts = ["A fine film.", f"A {POISON}.", "A dull film.", LONG + POISON, LONG]
    failed = batcher.add(build_jobs(*texts))
    scored = drain(batcher) | {key: None for key, _ in failed}
    expected = analyzer.analyze(texts)
    assert [scored[key] for key in range(5)] == [expected[0], None, expected[2], None, expected[4]]


def test_a_job_past_its_deadline_is_not_computed_and_returned_once(analyzer: SentimentAnalyzer) -> None:
    batcher = Batcher(analyzer)
    batcher.add(build_jobs("A fine film.", LONG, seconds=-1))
    assert [(key, type(outcome)) for key, outcome in batcher.compute()] == [(0, DeadlinePassed), (1, DeadlinePassed)]
    assert batcher.windows == 0
    assert not batcher


def build_background(count: int, text: str = "Fine. " * 50) -> Job:
    """A background job of so many texts."""
    return Job(1000, [text] * count, time.monotonic() + 600, background=True)


def test_the_foreground_goes_before_the_background(analyzer: SentimentAnalyzer) -> None:
    batcher = Batcher(analyzer)
    batcher.add([build_background(1)])
    batcher.add(build_jobs("A fine film.", "A dull film."))
    assert [key for key, _ in batcher.compute()] == [0, 1]
    assert [key for key, _ in batcher.compute()] == [1000]


def test_background_batches_are_small_and_smaller_while_the_foreground_is_busy(
    analyzer: SentimentAnalyzer, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, logits = [time.monotonic()], analyzer.logits

    def slowly(windows: list[list[int]]) -> NDArray[np.float64]:
        now[0] += 2 * IDLE_SECONDS
        return logits(windows)

    monkeypatch.setattr(analyzer, "logits", slowly)
    batcher = Batcher(analyzer, clock=lambda: now[0])
    batcher.add([build_background(100)])
    batcher.compute()
    assert BACKGROUND_TOKENS < batcher.tokens <= IDLE_TOKENS
    batcher.add(build_jobs("A fine film."))
    batcher.compute()
    batcher.compute()
    assert batcher.tokens <= BACKGROUND_TOKENS
    batcher.compute()
    assert BACKGROUND_TOKENS < batcher.tokens <= IDLE_TOKENS


def test_the_background_advances_however_many_foreground_jobs_arrive(analyzer: SentimentAnalyzer) -> None:
    batcher = Batcher(analyzer)
    batcher.add([build_background(1)])
    before = 0
    while True:
        batcher.add(build_jobs("A fine film."))
        if 1000 in [key for key, _ in batcher.compute()]:
            break
        before += 1
        assert before <= BATCHES_PER_BACKGROUND
    assert before == BATCHES_PER_BACKGROUND
