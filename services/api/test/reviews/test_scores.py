"""Every use case that stores a score stores the whole of it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from src import reviews
from src.reviews import ClientKey, Submission
from src.sentiment_analyzer import Score
from test.builders import store_review

SENTENCE = "Der Film ist zwei Stunden lang."
SUBMISSION = Submission(sentence=SENTENCE)
NEUTRAL = Score(
    sentiment_score=-0.1, confidence=0.6, p_neutral=0.6, warnings=("not_english", "unreadable"), tokens=9, windows=1
)
TWO_LABELS = replace(NEUTRAL, confidence=0.55, p_neutral=None, warnings=())


class Scores:
    """An analyzer that gives every text the same score."""

    version, calibrated, ready = "three@1", True, True

    def __init__(self, score: Score) -> None:
        self._score = score

    def analyze(self, texts: Sequence[str], **_: bool) -> list[Score]:
        return [self._score for _ in texts]


def create(session: Session, analyzer: Scores, _: Path) -> None:
    reviews.create(session, analyzer, reviews.new_group_commit(), SUBMISSION)


def create_once(session: Session, analyzer: Scores, _: Path) -> None:
    reviews.create_once(session, analyzer, reviews.new_group_commit(), SUBMISSION, ClientKey("", "a-key"))


def put(session: Session, analyzer: Scores, _: Path) -> None:
    review = store_review(sentiment_score=0.1, p_neutral=0.7, warnings=["unreadable"])
    reviews.replace(session, analyzer, review.id, SENTENCE, {})


def bulk(session: Session, analyzer: Scores, _: Path) -> None:
    list(reviews.create_many(session, analyzer, [SUBMISSION]))


def from_file(session: Session, analyzer: Scores, folder: Path) -> None:
    (folder / "reviews.csv").write_text(f"sentence\n{SENTENCE}\n")
    list(reviews.import_file(session, analyzer, folder / "reviews.csv", [SUBMISSION]))


def rescore(session: Session, analyzer: Scores, _: Path) -> None:
    store_review(sentence=SENTENCE, sentiment_score=0.1, p_neutral=0.7, warnings=["unreadable"], model_version="old@1")
    list(reviews.rescore(session, analyzer, "old@1"))


@pytest.mark.parametrize("score", [NEUTRAL, TWO_LABELS])
@pytest.mark.parametrize("use_case", [create, create_once, put, bulk, from_file, rescore])
def test_the_whole_score_is_stored(
    session: Session, tmp_path: Path, use_case: Callable[[Session, Scores, Path], None], score: Score
) -> None:
    use_case(session, Scores(score), tmp_path)
    columns = "sentence, sentiment_score, confidence, p_neutral, warnings, tokens, windows, model_version"
    [row] = session.execute(text(f"SELECT {columns} FROM sentiments")).all()
    assert tuple(row) == (
        SENTENCE, score.sentiment_score, score.confidence, score.p_neutral, list(score.warnings), 9, 1, "three@1",
    )  # fmt: skip


def test_a_stored_review_has_what_a_found_one_has(session: Session) -> None:
    created, _ = reviews.create(session, Scores(NEUTRAL), reviews.new_group_commit(), SUBMISSION)
    session.expunge_all()
    found = reviews.find(session, created.id)
    for name in ("sentiment", "confidence", "probabilities", "warnings"):
        assert getattr(created, name) == getattr(found, name)
    assert found.sentiment == "neutral"


@pytest.mark.parametrize("sentiment", ["positive", "neutral", "negative"])
def test_a_person_may_say_any_of_the_three(session: Session, sentiment: str) -> None:
    """A correction agrees if it says the model's sentiment, and not if only the side of the score is right."""
    review = store_review(sentiment_score=-0.1, p_neutral=0.6)
    reviews.correct(session, review.id, sentiment)
    [accuracy] = reviews.summarize(session).accuracy
    assert (accuracy.corrections, accuracy.agreed) == (1, int(sentiment == "neutral"))
