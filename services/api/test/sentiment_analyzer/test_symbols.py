"""Emoji and stars as words."""

import signal

import pytest
from emoji import EMOJI_DATA, is_emoji

from src.sentiment_analyzer.symbols import MAX_EMOJI, spell_out


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("👍", "thumbs up"),
        ("Nice👍🏽film", "Nice thumbs up film"),  # a skin tone
        ("I ❤️ it, I ❤ it", "I red heart it, I red heart it"),  # with and without a variation selector
        ("😡😡", "enraged face enraged face"),
        ("🤷🏻‍♂️", "man shrugging"),  # one emoji of several characters
        ("👍\u200d😡", "thumbs up \u200d enraged face"),  # joined to nothing that has a name
        ("5️⃣ 55👍", "keycap 5 55 thumbs up"),
        ("🇫🇷 🇫", "France 🇫"),
        ("snake_case 🎬", "snake_case clapper board"),
        ("naïve 電影 \x02 \x03", "naïve 電影 \x02 \x03"),
    ],
)
def test_an_emoji_becomes_its_name(text: str, spelled: str) -> None:
    assert " ".join(spell_out(text).split()) == " ".join(spelled.split())


def test_every_emoji_becomes_words() -> None:
    for emoji in EMOJI_DATA:
        spelled = spell_out(f"so {emoji} it")
        assert not any(map(is_emoji, spelled)), emoji
        assert spelled.startswith("so ")
        assert spelled.endswith(" it")


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("★★☆☆☆", "2 out of 5 stars"),
        ("☆☆☆☆☆", "0 out of 5 stars"),
        ("★☆☆☆", "1 out of 4 stars"),
        ("★★★½☆", "3.5 out of 5 stars"),
        ("★★★½", "3.5 stars"),
        ("⭐⭐⭐ fine", "3 stars fine"),
        ("🌟🌟🌟🌟🌟", "5 stars"),
        ("★ dull", "1 star dull"),
        ("5★ 4.5⭐ 3½ ★ 1⭐", "5 stars 4.5 stars 3½ stars 1 star"),
        ("5/5⭐", "5/ 5 stars"),
        ("⭐ A fine film ⭐", "star A fine film star"),  # an ornament
        ("2½ hours ☆", "2½ hours ☆"),
        ("2 out of 5 stars", "2 out of 5 stars"),
    ],
)
def test_stars_become_a_number(text: str, spelled: str) -> None:
    assert " ".join(spell_out(text).split()) == spelled


@pytest.mark.parametrize(
    "part",
    [
        "😀",
        "😀\u200d",
        "👨\u200d👩\u200d",
        "\u200d",
        "🇫",
        "★",
        "½",
        "½★",
        "1★",
        "5 ★ ",
        "9",
        "\x02",
        "🏴\U000e0067",
        "#\ufe0f",
    ],
)
def test_hostile_text_is_spelled_out_in_linear_time(part: str) -> None:
    """Quadratic work on 100,000 characters would take minutes; the alarm would end the tests."""
    text = (part * 100_000)[:100_000] + "é"
    signal.alarm(10)
    try:
        assert spell_out(text)
    finally:
        signal.alarm(0)


@pytest.mark.parametrize("glue", ["", " "])
def test_a_text_of_emoji_alone_does_not_become_many_times_as_long(glue: str) -> None:
    spelled = spell_out(f"🤣{glue}" * 10_000)
    assert spelled.count("rolling on the floor laughing") == MAX_EMOJI
    assert spelled.count("🤣") == 10_000 - MAX_EMOJI
