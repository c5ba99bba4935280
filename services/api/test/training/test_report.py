"""Figures as Markdown tables."""

from typing import Any

import pytest

from src.training import report


def metrics(**changes: Any) -> dict[str, Any]:
    """Return figures that reach everything, and no more."""
    error = {"error": 0.02, "low": 0.01, "high": 0.03}
    row = {"texts": 25000, "accuracy": 0.945, "interval": [0.942, 0.948], "neutral": 0.02, "calibration": error,
           "compared": 3000, "lost": 0.001, "flips": 0.003, "sign_flips": 0.001}  # fmt: skip
    spread = {"difference": 0.1, "template": "Seen in {country}.", "lowest": "Chad", "highest": "Peru"}
    figures = {
        "labels": 3,
        "sets": {
            "sst2_dev": {**row, "texts": 872, "neutral": 0.06, "flips": 0.007},
            "imdb_test": {**row, "calibration": {**error, "error": 0.007}},
        },
        "held_out": {"sentences": {"texts": 418, "macro_f1": 0.66}, "pairs": {"pairs": 250, "both_right": 0.85}},
        "turns": {"all": {"texts": 500, "right": 0.8}, "double_negation": {"texts": 60, "right": 0.75}},
        "off_domain": {"all": {"texts": 300, "right": 0.95}},
        "typed": {"texts": 145, "accepted": 0.9, "refused": []},
        "foreign": {"texts": 80, "right": 1.0},
        "spreads": {"country": spread},
        "names": {"reviews": 200, "all": {"median": 0.01, "percentile_99": 0.1}, "never_trained": None},
        "megabytes": 46.0,
    }
    return figures | changes


def test_the_table_has_a_row_per_set() -> None:
    assert report.sets(metrics()).splitlines()[3] == (
        "| imdb_test | 25,000 | 0.9450 | 0.9420 to 0.9480 | 2.0% | 0.70% (1.00% to 3.00%) | 3,000 | +0.0010 | 0.30% |"
    )


def test_kinds_have_a_row_each() -> None:
    rows = report.kinds(metrics()).splitlines()[2:]
    assert rows[1] == "| hard sentence | double negation | 60 | 75% |"
    assert rows[-2] == "| typed first | all | 145 | 90% |"


def test_fairness_names_the_template_and_leaves_out_what_was_not_measured() -> None:
    rows = report.fairness(metrics()).splitlines()[2:]
    assert rows == [
        "| country | 0.100 | Chad, Peru | Seen in {country}. |",
        "| name | 0.100 (99th percentile; median 0.010) | | 200 reviews |",
    ]


def test_what_is_reached_says_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "before", dict)
    low = metrics()
    low["sets"]["sst2_dev"]["accuracy"] = 0.92
    rows = report.reach(low).splitlines()[2:]
    assert rows[0] == "| SST-2 dev, sign of the score | - | 92.5% | 93.5% | 92.0% | **no** |"
    assert rows[2] == "| SST-2 dev, answered neutral | - | at most 6% | 4% | 6.0% | yes |"
    assert len(rows) == len(report.GOALS) == 15
    assert all(row.endswith("| yes |") for row in rows[1:])


def test_what_was_not_measured_has_a_dash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "before", lambda: {**metrics(labels=2), "megabytes": 45.4})
    rows = report.reach({"sets": {}}).splitlines()[2:]
    assert rows[2] == "| SST-2 dev, answered neutral | - | at most 6% | 4% | - |  |", "two labels never say neutral"
    assert rows[-1] == "| checkpoint, MB | 45.4 | at most 50 | 50 | - |  |"


def test_tables_are_written_between_their_marks_and_again() -> None:
    document = "before\n<!-- sets -->\nold\n<!-- /sets -->\nbetween\n<!-- kinds -->\n<!-- /kinds -->\nafter\n"
    once = report.filled(document, metrics())
    assert once.startswith(f"before\n<!-- sets -->\n{report.sets(metrics())}\n<!-- /sets -->\nbetween\n")
    assert once.endswith(f"{report.kinds(metrics())}\n<!-- /kinds -->\nafter\n")
    assert report.filled(once, metrics()) == once
