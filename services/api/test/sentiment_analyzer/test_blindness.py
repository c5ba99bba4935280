"""Countries are read as one."""

import pytest

from src.sentiment_analyzer.blindness import COUNTRIES, STAND_IN, blind
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
        "Neil Jordan directs Chad Lowe and Jill Ireland.",
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
