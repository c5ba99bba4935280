"""Other countries, names and pronouns."""

from src.sentiment_analyzer.blindness import COUNTRIES
from src.training.swaps import Swapper, any_of, swap_pronouns

REVIEW = "James and Mary meet in Iran. James likes her; he says so to Mary, and the Iranian crew laughs."


def test_everything_is_swapped_where_the_share_is_one() -> None:
    found = Swapper(seed=1, share=1.0)(REVIEW)
    words = found.replace(";", "").replace(",", "").split()
    assert not {"James", "Mary", "Iran.", "Iranian", "her", "he"} & set(words)
    assert words.count(words[0]) == 2, "a person keeps one name throughout"
    assert "says so to" in found


def test_nothing_is_swapped_where_it_is_zero() -> None:
    assert Swapper(seed=1, share=0.0)(REVIEW) == REVIEW


def test_a_review_is_rewritten_in_the_same_way_each_time_and_by_another_seed_in_another() -> None:
    assert Swapper(seed=1)(REVIEW) == Swapper(seed=1)(REVIEW)
    assert len({Swapper(seed=seed, share=1.0)(REVIEW) for seed in range(5)}) > 1


def test_about_half_of_the_reviews_keep_their_names() -> None:
    kept = sum("James" in Swapper(seed=seed)(REVIEW) for seed in range(100))
    assert 30 < kept < 70


def test_names_that_are_words_are_found_only_as_names() -> None:
    assert (
        Swapper(seed=1, share=1.0)("It is frank, and so is the gray rose.") == "It is frank, and so is the gray rose."
    )


def test_pronouns_are_swapped_as_they_are_written() -> None:
    assert swap_pronouns("He told HIM; she hurt herself. The hero.") == "She told HER; he hurt himself. The hero."


def test_the_longest_name_is_found() -> None:
    pattern = any_of(COUNTRIES)
    assert pattern.findall("Guinea-Bissau, Papua New Guinea and Nigeria") == [
        "Guinea-Bissau", "Papua New Guinea", "Nigeria"
    ]  # fmt: skip
