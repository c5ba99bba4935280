"""What a row of a data set says about its text."""

import pytest

from src.training import targets


def test_a_label_is_certain() -> None:
    assert [targets.by_label({"label": label}) for label in (0, 1)] == [0.0, 1.0]


def test_more_stars_are_more_positive_and_five_and_a_half_are_neither() -> None:
    marks = [targets.by_rating({"rating": stars}) for stars in range(1, 11)]
    assert marks == sorted(marks)
    assert marks[0] == pytest.approx(1 - marks[-1])
    assert (marks[3], marks[6]) == pytest.approx((0.21, 0.79), abs=0.005)


def test_without_stars_the_label_counts() -> None:
    assert targets.by_rating({"label": 1}) == targets.by_clear_rating({"label": 1}) == 1.0


def test_seven_stars_are_left_out_where_only_clear_reviews_are_wanted() -> None:
    assert targets.by_clear_rating({"rating": 7}) is None
    assert targets.by_clear_rating({"rating": 8}) == targets.by_rating({"rating": 8})


def test_a_scale_from_0_to_1_is_read_as_stars() -> None:
    assert targets.by_rating01({"rating01": 0.4}) == targets.by_rating({"rating": 4})


def test_five_way_labels_rise_and_short_neutral_phrases_are_left_out() -> None:
    marks = [targets.by_five_way({"label5": label, "text": "the story of a clockmaker"}) for label in range(5)]
    assert marks == list(targets.FIVE_WAY)
    assert targets.by_five_way({"label5": 2, "text": "than it is"}) is None
    assert targets.by_five_way({"label5": 4, "text": "dazzling"}) == 0.98


def test_a_plot_is_neither_positive_nor_negative() -> None:
    assert targets.neutral_if_objective({"kind": "objective"}) == 0.5
    assert targets.neutral_if_objective({"kind": "subjective"}) is None
