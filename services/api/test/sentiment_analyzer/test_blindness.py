"""Every country is read as one country, and every first name as one name."""

import pytest

from src.sentiment_analyzer.blindness import COUNTRIES, COUNTRY, FIRST_NAME, FIRST_NAMES, blind
from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer
from src.training import tables


@pytest.mark.parametrize("name", [*COUNTRIES, "Holland", "Great Britain", "Türkiye", "Côte d'Ivoire", "USA"])
def test_every_name_of_every_country_is_replaced_by_one_country(name: str) -> None:
    assert blind(f"Shot in {name}, at night.") == f"Shot in {COUNTRY}, at night."


def test_the_list_of_countries_is_complete() -> None:
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
def test_a_countrys_name_that_means_something_else_stays(text: str) -> None:
    assert blind(text) == text


@pytest.mark.parametrize(
    "text", ["In {}, at night.", "In {} I think.", "It is {}'s best film.", "from {} and {}", "{} wins.", "of {}"]
)
def test_a_country_is_replaced_anywhere_in_a_sentence(text: str) -> None:
    assert blind(text.replace("{}", "Peru")) == text.replace("{}", COUNTRY)


def test_a_countrys_article_is_replaced_with_it() -> None:
    assert blind("Shot in the Bahamas and the Netherlands.") == f"Shot in {COUNTRY} and {COUNTRY}."


def test_a_score_does_not_depend_on_the_country(analyzer: SentimentAnalyzer) -> None:
    review = "It was shot in {}, which shows. The brothers are {}'s best actors, and the film is a delight."
    scores = analyzer.analyze([review.format(name, name) for name in ("France", "Afghanistan", "Papua New Guinea")])
    assert len(set(scores)) == 1


@pytest.mark.parametrize("name", ["Emily", "Lakisha", "Mateo", "Soo-jin", "Jean-Pierre", "José", "Ngozi"])
def test_every_first_name_is_replaced_by_one_name(name: str) -> None:
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
def test_names_that_are_as_often_words_months_or_awards_stay(text: str) -> None:
    assert blind(text) == text


def test_no_first_name_is_a_word_of_opinion() -> None:
    opinions = {word.lower() for row in tables.rows("opinions.tsv") for cell in row.values() for word in cell.split()}
    assert opinions.isdisjoint(name.lower() for name in FIRST_NAMES)


@pytest.mark.parametrize("tail", ["terrible", "winning", "esque", "Terrible"])
def test_a_word_that_is_hyphened_to_a_name_stays(tail: str) -> None:
    assert blind(f"By Emma-{tail} hands.") == f"By {FIRST_NAME}-{tail} hands."


def test_a_name_that_is_not_capitalized_stays() -> None:
    assert blind("emily and EMILY") == "emily and EMILY"


def test_no_country_is_in_the_list_of_first_names() -> None:
    assert FIRST_NAMES.isdisjoint(COUNTRIES)


def test_a_score_does_not_depend_on_the_first_name(analyzer: SentimentAnalyzer) -> None:
    review = "I have never seen {} so dull. For once {}'s charm is gone, and that is a pity."
    scores = analyzer.analyze([review.format(name, name) for name in ("Brad", "Jamal", "Priya", "Wei")])
    assert len(set(scores)) == 1
