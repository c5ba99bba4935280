"""Measures of a model."""

import itertools
import re
from collections.abc import Sequence

import numpy as np
import pytest

from src.sentiment_analyzer.score import Score
from src.training import counterfactuals, measures, names, sentences
from src.training.measures import Answers


class Reader:
    """An analyzer whose score is that of the first word in a list that a text contains, and 0 without any."""

    def __init__(self, scores: dict[str, float], neutral: float | None = 0.1) -> None:
        self.scores, self.neutral = scores, neutral

    def analyze(self, texts: Sequence[str]) -> list[Score]:
        return [self.score(text) for text in texts]

    def score(self, text: str) -> Score:
        score = next((value for word, value in self.scores.items() if word in text), 0.0)
        neutral = self.neutral or 0.0
        likeliest = max(neutral, (1 - neutral + abs(score)) / 2)
        return Score(sentiment_score=score, confidence=likeliest, p_neutral=self.neutral, tokens=3, windows=1)


def given(*rows: tuple[float, float]) -> Answers:
    """Return answers of (score, P(neutral))."""
    reader = [Reader({"": score}, neutral) for score, neutral in rows]
    return measures.answers(Lined(reader), [str(index) for index in range(len(rows))])  # type: ignore[arg-type]


class Lined:
    """An analyzer with one reader for each text, which is the reader's number."""

    def __init__(self, readers: list[Reader]) -> None:
        self.readers = readers

    def analyze(self, texts: Sequence[str]) -> list[Score]:
        return [self.readers[int(text)].score(text) for text in texts]


def test_answers_are_in_the_order_of_the_texts() -> None:
    found = measures.answers(Reader({"good": 0.8, "bad": -0.8}), ["a very long bad one", "good", "bad"])  # type: ignore[arg-type]
    assert found.score.tolist() == [-0.8, 0.8, -0.8]
    assert found.sentiment.tolist() == ["negative", "positive", "negative"]


def test_the_share_of_positive_leaves_neutral_out() -> None:
    assert given((0.4, 0.5)).positive.tolist() == pytest.approx([0.9])


def test_a_calibrated_sample_has_an_error_of_about_zero() -> None:
    draw = np.random.default_rng(1)
    probability = draw.random(20_000)
    found = measures.calibration(probability, draw.random(20_000) < probability)
    assert found.error < 0.008
    assert found.low <= found.error <= found.high


def test_a_shifted_sample_has_its_shift_as_error() -> None:
    draw = np.random.default_rng(1)
    probability = draw.uniform(0.2, 0.8, 20_000)
    found = measures.calibration(probability, draw.random(20_000) < probability + 0.1)
    assert found.error == pytest.approx(0.1, abs=0.01)
    assert 0.08 < found.low < found.high < 0.12


def test_the_error_of_few_calibrated_texts_is_lower_than_the_plain_one() -> None:
    """A plain error of 872 texts is some 1.7% for a perfectly calibrated model."""
    errors = []
    for seed in range(20):
        draw = np.random.default_rng(seed)
        probability = draw.random(872)
        errors.append(measures.calibration(probability, draw.random(872) < probability).error)
    assert np.mean(errors) < 0.015


def test_macro_f1_is_the_mean_over_the_three_sentiments() -> None:
    answers = given((0.9, 0.0), (-0.9, 0.0), (0.0, 0.9), (0.9, 0.0))
    assert measures.macro_f1(answers, ["positive", "negative", "neutral", "neutral"]) == pytest.approx(
        (2 / 3 + 1 + 2 / 3) / 3
    )


def test_a_template_that_tells_two_countries_apart_is_found() -> None:
    reader = Reader({"Norway": 0.6, "Chad": -0.2})
    spread = measures.spreads(reader)["country"]  # type: ignore[arg-type]
    assert spread.difference == pytest.approx(0.8)
    assert (spread.lowest, spread.highest) == ("Chad", "Norway")


def test_a_model_that_sees_no_names_has_no_spread() -> None:
    found = measures.spreads(Reader({}))  # type: ignore[arg-type]
    assert {kind: spread.difference for kind, spread in found.items()} == dict.fromkeys(
        ("country", "name", measures.NEVER_TRAINED, "nationality", "religion", "pronoun"), 0.0
    )


def test_names_that_are_never_trained_on_are_in_no_sentence_that_training_writes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(counterfactuals, "FRAME_GROUPS", 4)
    new = measures.never_trained()
    assert len(new) > 40
    texts = itertools.chain(
        (made.text for made in sentences.written()),
        *(group.texts for group in counterfactuals.of_frames()),
    )
    words = {word for text in texts for word in re.findall(r"[A-Z]\w+", text)} - set(names.countries())
    assert words.isdisjoint(new)


def test_the_name_that_a_review_mentions_most_is_exchanged() -> None:
    [new, *_] = measures.never_trained()
    review = "Mary meets John. John leaves."
    assert measures.mentioned_name(review) == "John"
    of_all, of_new = measures.names_in_reviews(Reader({"John": 0.5}), [review, "nobody"])  # type: ignore[arg-type]
    assert of_all.tolist() == [0.5], "the review as it is against all others"
    assert of_new.tolist() == [0.0]
    assert new


def test_turns_and_texts_without_an_opinion_are_counted_by_kind() -> None:
    neutral = Reader({}, neutral=0.9)
    found = measures.off_domain(neutral)  # type: ignore[arg-type]
    assert found[measures.ALL].texts == 300
    assert all(share.right == 1 for share in found.values())
    turns = measures.turns(neutral)  # type: ignore[arg-type]
    assert (
        turns[measures.ALL].texts
        == 500
        == sum(share.texts for kind, share in turns.items() if kind not in (measures.ALL, measures.NEW))
    )
    assert 0 < turns["mixed"].right < 1
    assert turns["negation"].right == 0


def test_texts_that_training_writes_too_are_left_out_of_the_share_of_new_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measures, "_written", lambda: frozenset(["hi there", "..."]))
    assert measures.off_domain(Reader({}))[measures.NEW].texts == 298  # type: ignore[arg-type]
    assert measures.is_written("Hi there!")
    assert not measures.is_written("There, hi")


def test_an_unsure_answer_is_accepted_where_a_person_would_accept_it() -> None:
    unsure = measures.typed(Reader({}, neutral=0.34))  # type: ignore[arg-type]
    by_text = {text: accepted for text, _, _, accepted in unsure}
    assert by_text["hello"]
    assert not by_text["😡"]
