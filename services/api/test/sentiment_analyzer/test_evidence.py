"""Evidence: the effect of each part of a text on its score."""

import csv
import itertools
import random
from pathlib import Path

import pytest

from src.sentiment_analyzer import evidence
from src.sentiment_analyzer.evidence import MAX_SENTENCES, SENTENCE_CHARS, explain, sentences, words
from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer

LONG = "The first hour is slow. Then the cast wakes up, and how! Was it worth the wait? I think so…\nYes. "
WORDS = (
    "a film with good bad awful lovely dull not never quite plot actor scene the of it was nothing wonderful".split()
)


def test_the_word_that_carries_a_sentence_is_among_the_top_two(analyzer: SentimentAnalyzer) -> None:
    """This holds for four of five sentences, which were written before anything was measured."""
    with (Path(__file__).parent / "carrying_words.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert len(rows) == 50
    found = [row["word"] in top_two(analyzer, row["sentence"]) for row in rows]
    assert sum(found) >= 40, [row["word"] for row, right in zip(rows, found, strict=True) if not right]


def top_two(analyzer: SentimentAnalyzer, sentence: str) -> list[str]:
    parts = explain(analyzer, sentence).evidence
    return [part.text.lower() for part in sorted(parts, key=lambda part: -abs(part.effect))[:2]]


@pytest.mark.parametrize(
    "text",
    [
        "A slow start, but what a lovely, lovely end!",
        "<br />Tom &amp; Jerry don't bore: 2.5 stars <i>well</i> earned 🎬 naïve cafe\u0301.",
        LONG * 9,
        "word",
    ],
)
def test_an_effect_is_the_difference_to_the_score_of_the_text_without_the_part(
    analyzer: SentimentAnalyzer, text: str
) -> None:
    found = explain(analyzer, text)
    assert found.complete
    assert found.sentiment_score == pytest.approx(analyzer.analyze([text])[0].sentiment_score, abs=1e-5)
    for part in found.evidence:
        assert part.text == text[part.start : part.end]
        [rest] = analyzer.analyze([text[: part.start] + text[part.end :]])
        assert part.effect == pytest.approx(found.sentiment_score - rest.sentiment_score, abs=1e-5)


def test_markup_has_no_words() -> None:
    text = "<br />Tom &amp; Jerry don't, won\u2019t; half-hearted 🎬 2 < 3 <b>x"
    found = [text[start:end] for start, end in words(text)]
    assert found == ["Tom", "Jerry", "don't", "won\u2019t", "half-hearted", "2", "3", "x"]


def test_a_sentence_ends_with_its_punctuation_but_not_within_a_number() -> None:
    assert [LONG[start:end] for start, end in sentences(LONG)] == [
        "The first hour is slow.", "Then the cast wakes up, and how!", "Was it worth the wait?", "I think so…", "Yes.",
    ]  # fmt: skip
    assert sentences("2.5 of 5... \n !? \n") == [(0, 11)]


def test_a_text_without_full_stops_is_cut_into_parts() -> None:
    spans = sentences("word " * 1000)
    assert len(spans) == 5
    assert all(end - start <= SENTENCE_CHARS for start, end in spans)


def test_ten_thousand_sentences_are_joined_with_their_neighbours() -> None:
    spans = sentences("Yes. " * 10_000)
    assert len(spans) <= MAX_SENTENCES
    assert spans[0][0] == 0
    assert spans[-1][1] == 49_999


@pytest.mark.parametrize("text", ["", " ", "!!! ...", "<br />", "🎬"])
def test_a_text_without_a_word_has_no_evidence(analyzer: SentimentAnalyzer, text: str) -> None:
    found = explain(analyzer, text)
    assert (found.units, found.evidence, found.complete) == (0, [], True)


@pytest.fixture
def tenth(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of the limits, for texts of a tenth of the length: the full ones take seconds each."""
    monkeypatch.setattr(evidence, "TOKEN_LIMIT", evidence.TOKEN_LIMIT // 10)
    monkeypatch.setattr(evidence, "WORD_TOKENS", evidence.WORD_TOKENS // 10)


@pytest.mark.usefixtures("tenth")
@pytest.mark.parametrize("text", ["wonderful ", "!", "< ", "a-", "' ", "電", "a. "])
def test_the_tokens_are_limited_for_any_text(analyzer: SentimentAnalyzer, text: str) -> None:
    found = explain(analyzer, (text * 10_000)[:10_000])
    assert found.tokens <= evidence.TOKEN_LIMIT
    assert found.complete == (len(found.evidence) == found.units)
    assert all(one.end <= other.start for one, other in itertools.pairwise(found.evidence))


def test_a_review_of_100_000_characters_is_explained_within_the_limit(analyzer: SentimentAnalyzer) -> None:
    text = " ".join(random.Random(7).choices([*WORDS, "end."], k=22_000))[:100_000]
    found = explain(analyzer, text)
    assert 0 < len(found.evidence) < found.units
    assert not found.complete
    assert found.tokens <= found.token_limit == evidence.TOKEN_LIMIT


@pytest.mark.usefixtures("tenth")
def test_of_a_long_review_the_strongest_sentences_are_tried(analyzer: SentimentAnalyzer) -> None:
    plain = "He takes the train to the town. She works there. " * 70
    text = plain + "A wonderful, moving, beautiful masterpiece, and the best film of the year by far. " + plain
    found = explain(analyzer, text)
    assert (found.unit, found.complete) == ("sentence", False)
    assert 0 < len(found.evidence) < found.units
    best = max(found.evidence, key=lambda part: part.effect)
    assert "masterpiece" in best.text
