"""Cleaning of texts."""

import signal

import pytest

from src.sentiment_analyzer.text import clean


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("One.<br /><br />Two.", "One.  Two."),
        ("One.<BR>Two.</p>Three.", "One. Two. Three."),
        ("Tom &amp; Jerry &#39;90", "Tom & Jerry '90"),
        ("it does n't and ca N'T", "it doesn't and caN'T"),
        ("-LRB- an aside -rrb-", "( an aside )"),
        ("a < b and b > a", "a < b and b > a"),
        ("", ""),
    ],
)
def test_markup_and_treebank_spelling_are_undone(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@pytest.mark.parametrize(
    "hostile", ["<" + " " * 99_998 + "x", "< " * 50_000, "&#" + "9" * 99_000 + ";", "&#" * 50_000, " n't" * 25_000]
)
def test_hostile_text_is_cleaned_in_linear_time(hostile: str) -> None:
    """Quadratic work on 100,000 characters would take minutes; the alarm would end the tests."""
    signal.alarm(5)
    try:
        assert len(clean(hostile)) <= len(hostile)
    finally:
        signal.alarm(0)


def test_plain_text_stays() -> None:
    text = "Isn't it  good? <3 naïve 電影 🎬"
    assert clean(text) == text
