"""How far a score moves when only a country, a name or a pronoun changes: with the shipped model."""

import pytest

from src.config import ROOT
from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer
from src.training import frames, hard_cases, invariance

REVIEW = "James waits for Mary, and James never learns why he was left. A fine, sad film."


def test_a_review_has_a_variant_for_each_name_and_one_with_other_pronouns() -> None:
    variants = invariance.variants(REVIEW)
    assert len(variants) == 42
    assert variants[0] == REVIEW
    assert variants[1] == REVIEW.replace("he was", "she was")
    assert variants[2] == REVIEW.replace("James", "Allison")


def test_there_are_ten_names_of_each_of_four_origins() -> None:
    origins = [row["origin"] for row in frames.table("names_measured.tsv")]
    assert {origins.count(origin) for origin in origins} == {10}
    assert len(set(origins)) == 4


def test_only_reviews_with_a_name_and_a_pronoun_are_taken() -> None:
    texts = ["He is good.", "James is good.", REVIEW, "james, he said", REVIEW]
    assert invariance.with_names(texts) == [REVIEW, REVIEW]


def test_the_spread_over_countries_is_between_the_two_that_are_named() -> None:
    seeing = SentimentAnalyzer.load(str(ROOT / "model"), blinded=False)
    found = invariance.of_countries(seeing)
    low, high = seeing.analyze([invariance.FRAME.format(name) for name in (found.lowest, found.highest)])
    assert found.difference == pytest.approx(high.sentiment_score - low.sentiment_score, abs=1e-5)
    assert found.difference > 0


def test_the_difference_of_a_review_is_that_of_its_most_distant_variants(analyzer: SentimentAnalyzer) -> None:
    scores = [score.sentiment_score for score in analyzer.analyze(invariance.variants(REVIEW))]
    assert invariance.of_names(analyzer, [REVIEW]) == pytest.approx([max(scores) - min(scores)], abs=1e-5)


def test_hard_cases_are_counted_by_kind(analyzer: SentimentAnalyzer) -> None:
    rows = frames.table("hard_cases.tsv")
    figures = hard_cases.measure(analyzer)
    assert sum(row["texts"] for row in figures.values()) == len(rows)
    wrong = sum(row["texts"] * (1 - row["accuracy"]) for kind, row in figures.items() if kind != hard_cases.NO_OPINION)
    assert wrong == pytest.approx(len(hard_cases.mistakes(analyzer)))
    assert set(figures["plot"]) == {"texts", "distance"}


def test_no_hard_case_is_made_by_a_frame() -> None:
    assert {row["text"] for row in frames.table("hard_cases.tsv")}.isdisjoint(text for text, _ in frames.sentences())
