"""Figures as Markdown tables."""

from typing import Any

from src.training import report


def metrics(**changes: Any) -> dict[str, Any]:
    """Return figures that reach everything, and no more."""
    int8 = {"accuracy": 0.93, "interval": (0.892, 0.9294), "calibration_error": 0.02}
    figures = {
        "sets": {"sst2_dev": {"texts": 25000, "int8": int8, "compared": 5000, "lost": 0.002, "flips": 0.004}},
        "hard_cases": {"negation": {"texts": 24, "accuracy": 0.75}, "plot": {"texts": 14, "distance": 0.123}},
        "countries": {"difference": 0.3, "lowest": "Chad", "highest": "Peru"},
        "countries_without_blindness": {"difference": 0.9, "lowest": "Chad", "highest": "Peru"},
        "names": {"reviews": 200, "median": 0.01, "percentile_99": 0.2},
        "names_without_blindness": {"reviews": 200, "median": 0.02, "percentile_99": 0.4},
        "megabytes": 45.4,
    }
    return figures | changes


def test_the_table_has_a_row_per_set() -> None:
    assert report.table(metrics()).splitlines()[2:] == [
        "| sst2_dev | 25,000 | 0.9300 | 0.8920 to 0.9294 | 2.00% | 5,000 | +0.0020 | 0.40% |"
    ]


def test_hard_cases_have_a_row_per_kind() -> None:
    assert report.hard_cases(metrics()).splitlines()[2:] == [
        "| negation | 24 | 75% right |",
        "| plot | 14 | 0.12 from 0 on average |",
    ]


def test_what_is_reached_says_yes() -> None:
    rows = report.reach(metrics()).splitlines()[2:]
    assert rows[0] == "| sst2_dev, accuracy on 25,000 texts | 92.0% | 93.00% | yes |"
    assert rows[4] == "| countries, the most between two (0.90 without blindness) | at most 0.3 | 0.30 | yes |"
    assert len(rows) == 7
    assert all(row.endswith("| yes |") for row in rows)


def test_what_is_not_says_no() -> None:
    missed = metrics(megabytes=51.0, names={"reviews": 200, "median": 0.0, "percentile_99": 0.21})
    assert [row for row in report.reach(missed).splitlines() if "**no**" in row] == [
        "| names and pronouns, 99th percentile of 200 reviews (0.40 without blindness) | at most 0.2 | 0.21 | **no** |",
        "| checkpoint | at most 50 MB | 51.0 MB | **no** |",
    ]
