"""Countries are read as one, and first names."""

import pytest

from src.sentiment_analyzer.blindness import COUNTRIES, FIRST_NAME, FIRST_NAMES, STAND_IN, blind
from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer
from src.training import frames


@pytest.mark.parametrize("name", [*COUNTRIES, "Holland", "Great Britain", "Türkiye", "Côte d'Ivoire", "USA"])
def test_each_country_is_read_as_the_same_one_by_whatever_name(name: str) -> None:
    assert blind(f"Shot in {name}, at night.") == f"Shot in {STAND_IN}, at night."


def test_there_are_all_countries() -> None:
    """193 members of the United Nations, its 2 observers, Taiwan and Kosovo."""
    assert len(set(COUNTRIES)) == 193 + 2 + 2


@pytest.mark.parametrize(
    "text",
    [
        "It is a turkey, on fine china.",
        "What a Turkey.",
        "An Indian and a Nigerian meet Chadwick and his guinea pig.",
        "Mr. Jordan directs Mr. Stone and Mrs. Ireland.",
        "Captain America leaves New Mexico for South America.",
        "",
    ],
)
def test_what_stands_for_no_country_is_left_alone(text: str) -> None:
    assert blind(text) == text


@pytest.mark.parametrize(
    "text", ["In {}, at night.", "In {} I think.", "It is {}'s best film.", "from {} and {}", "{} wins.", "of {}"]
)
def test_wherever_a_country_stands_it_is_read_as_that_one(text: str) -> None:
    assert blind(text.replace("{}", "Peru")) == text.replace("{}", STAND_IN)


def test_its_article_goes_with_it() -> None:
    assert blind("Shot in the Bahamas and the Netherlands.") == f"Shot in {STAND_IN} and {STAND_IN}."


def test_a_score_does_not_depend_on_the_country(analyzer: SentimentAnalyzer) -> None:
    review = "It was shot in {}, which shows. The brothers are {}'s best actors, and the film is a delight."
    scores = analyzer.analyze([review.format(name, name) for name in ("France", "Afghanistan", "Papua New Guinea")])
    assert len(set(scores)) == 1


@pytest.mark.parametrize("name", ["Emily", "Lakisha", "Mateo", "Soo-jin", "Jean-Pierre", "José", "Ngozi"])
def test_each_first_name_is_read_as_the_same_one(name: str) -> None:
    assert blind(f"{name}'s best role. I like {name} Reed, and so does {name}.") == (
        f"{FIRST_NAME}'s best role. I like {FIRST_NAME} Reed, and so does {FIRST_NAME}."
    )


@pytest.mark.parametrize(
    "text",
    [
        "Will Oscar voters see the Joy of Paris in April, or the Grace of Christian Germany? Hope so. Mark my words.",
        "Precious little of it works.",
        "Frank, hardy and randy. Hardy fans will like it. Randy, Sandy, Deja vu.",
        "A Tony for her, in Jan 2005.",
    ],
)
def test_names_that_are_as_likely_words_months_or_awards_are_left_alone(text: str) -> None:
    assert blind(text) == text


def test_no_name_is_an_opinion() -> None:
    opinions = {word.lower() for row in frames.table("opinions.tsv") for cell in row.values() for word in cell.split()}
    assert opinions.isdisjoint(name.lower() for name in FIRST_NAMES)


@pytest.mark.parametrize("tail", ["terrible", "winning", "esque", "Terrible"])
def test_what_hangs_on_a_name_is_still_read(tail: str) -> None:
    assert blind(f"By Emma-{tail} hands.") == f"By {FIRST_NAME}-{tail} hands."


def test_a_name_without_its_capital_is_left_alone() -> None:
    assert blind("emily and EMILY") == "emily and EMILY"


def test_no_country_is_taken_for_a_name() -> None:
    assert FIRST_NAMES.isdisjoint(COUNTRIES)


def test_a_score_does_not_depend_on_the_first_name(analyzer: SentimentAnalyzer) -> None:
    review = "I have never seen {} so dull. For once {}'s charm is gone, and that is a pity."
    scores = analyzer.analyze([review.format(name, name) for name in ("Brad", "Jamal", "Priya", "Wei")])
    assert len(set(scores)) == 1
