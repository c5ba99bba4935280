"""Countries are read as one, and first names."""

import pytest

from src.sentiment_analyzer.blindness import COUNTRIES, FIRST_NAME, FIRST_NAMES, STAND_IN, blind
from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer


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


@pytest.mark.parametrize("text", ["In {}, at night.", "It is {}'s best film.", "from {} and {}", "{} wins.", "of {}"])
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


def test_names_that_are_words_places_or_awards_too_are_left_alone() -> None:
    text = "Will Oscar voters see the Joy of Paris in April, or the Grace of Christian Germany? Hope so. Mark my words."
    assert blind(text) == text


def test_a_name_without_its_capital_is_left_alone() -> None:
    assert blind("emily and EMILY") == "emily and EMILY"


def test_no_country_is_taken_for_a_name() -> None:
    assert FIRST_NAMES.isdisjoint(COUNTRIES)


def test_a_score_does_not_depend_on_the_first_name(analyzer: SentimentAnalyzer) -> None:
    review = "I have never seen {} so dull. For once {}'s charm is gone, and that is a pity."
    scores = analyzer.analyze([review.format(name, name) for name in ("Brad", "Jamal", "Priya", "Wei")])
    assert len(set(scores)) == 1
