"""A model's figures as Markdown tables: `python -m src.training.report` writes them into the model card and the README.

A document has a table between `<!-- NAME -->` and `<!-- /NAME -->`, where NAME is that of a function below.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from src.training.measures import MEASURED

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Goal:
    """A row of the table of goals: a figure, the least that is required of it, and the aim beyond."""

    what: str
    figure: Callable[[Figures], float | None]
    reach: float
    aim: float
    form: str = ".1%"
    more_is_better: bool = True

    def is_met(self, found: float) -> bool:
        """Tell whether a figure is at least, or at most, what is required."""
        found, reach = round(found, 9), self.reach
        return found >= reach if self.more_is_better else found <= reach


GOALS = (
    Goal("SST-2 dev, sign of the score", lambda m: m["sets"]["sst2_dev"]["accuracy"], 0.925, 0.935),
    Goal("IMDb test, sign of the score", lambda m: m["sets"]["imdb_test"]["accuracy"], 0.945, 0.95),
    Goal("SST-2 dev, answered neutral", lambda m: _neutral(m, "sst2_dev"), 0.06, 0.04, more_is_better=False),
    Goal("IMDb test, answered neutral", lambda m: _neutral(m, "imdb_test"), 0.02, 0.01, more_is_better=False),
    Goal("SST five-way as three, macro F1", lambda m: m["held_out"]["sentences"]["macro_f1"], 0.66, 0.70, ".3f"),
    Goal("hard sentences of new frames", lambda m: m["turns"]["all"]["right"], 0.80, 0.90),
    Goal("no opinion: neutral, or unsure", lambda m: m["off_domain"]["all"]["right"], 0.95, 0.98),
    Goal(
        "countries, largest difference",
        lambda m: m["spreads"]["country"]["difference"],
        0.1,
        0.05,
        ".3f",
        more_is_better=False,
    ),
    Goal(
        "names, 99th percentile", lambda m: m["names"]["all"]["percentile_99"], 0.1, 0.05, ".3f", more_is_better=False
    ),
    Goal(
        "calibration error, SST-2 dev", lambda m: _calibration(m, "sst2_dev"), 0.02, 0.01, ".2%", more_is_better=False
    ),
    Goal(
        "calibration error, IMDb test",
        lambda m: _calibration(m, "imdb_test"),
        0.007,
        0.005,
        ".2%",
        more_is_better=False,
    ),
    Goal("edited pairs, both right", lambda m: m["held_out"]["pairs"]["both_right"], 0.85, 0.90),
    Goal(
        "flips by int8, SST-2 dev", lambda m: m["sets"]["sst2_dev"]["flips"], 0.007, 0.003, ".2%", more_is_better=False
    ),
    Goal(
        "flips by int8, IMDb test", lambda m: m["sets"]["imdb_test"]["flips"], 0.003, 0.001, ".2%", more_is_better=False
    ),
    Goal("checkpoint, MB", lambda m: m["megabytes"], 50, 50, ".1f", more_is_better=False),
)


def before() -> Figures:
    """Return the figures of the last model with two labels, measured once by the same measures."""
    figures: Figures = json.loads((MEASURED / "two_labels.json").read_text())
    return figures


def reach(metrics: Figures) -> str:
    """Return each goal beside what the last model with two labels had and what was found."""
    lines = ["| what | two labels | reach | aim | found | |", "|---|---|---|---|---|---|"]
    earlier = before()
    for goal in GOALS:
        found, had = _figure(goal, metrics), _figure(goal, earlier)
        word = "" if goal.more_is_better else "at most "
        met = "" if found is None else "yes" if goal.is_met(found) else "**no**"
        lines.append(
            f"| {goal.what} | {_shown(had, goal.form)} | {word}{_short(goal.reach, goal.form)} "
            f"| {_short(goal.aim, goal.form)} | {_shown(found, goal.form)} | {met} |"
        )
    return "\n".join(lines)


def sets(metrics: Figures) -> str:
    """Return the figures of each evaluation set."""
    lines = [
        "| set | texts | sign right | 95% interval | neutral | calibration error | compared | fp32 less int8 | flips |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, row in metrics["sets"].items():
        low, high = row["interval"]
        error = row["calibration"]
        lines.append(
            f"| {name} | {row['texts']:,} | {row['accuracy']:.4f} | {low:.4f} to {high:.4f} | {row['neutral']:.1%} "
            f"| {error['error']:.2%} ({error['low']:.2%} to {error['high']:.2%}) "
            f"| {row['compared']:,} | {row['lost']:+.4f} | {row['flips']:.2%} |"
        )
    return "\n".join(lines)


def kinds(metrics: Figures) -> str:
    """Return the share of each kind of hard sentence, and of each kind of text without an opinion, that is right."""
    lines = ["| | kind | texts | right |", "|---|---|---|---|"]
    for title, name in (("hard sentence", "turns"), ("no opinion", "off_domain")):
        lines += [
            f"| {title} | {kind.replace('_', ' ')} | {row['texts']} | {row['right']:.0%} |"
            for kind, row in metrics[name].items()
        ]
    typed, foreign = metrics["typed"], metrics["foreign"]
    lines.append(f"| typed first | all | {typed['texts']} | {typed['accepted']:.0%} |")
    if new := typed.get("never_trained"):
        lines.append(f"| typed first | never trained on | {new['texts']} | {new['accepted']:.0%} |")
    lines.append(f"| other language, warned about | all | {foreign['texts']} | {foreign['right']:.0%} |")
    return "\n".join(lines)


def fairness(metrics: Figures) -> str:
    """Return the largest differences of the score that who or what is named makes."""
    lines = ["| exchanged | largest difference | between | in |", "|---|---|---|---|"]
    lines += [
        f"| {kind} | {row['difference']:.3f} | {row['lowest']}, {row['highest']} | {row['template']} |"
        for kind, row in metrics["spreads"].items()
    ]
    names = metrics["names"]
    for title, part in (("name", "all"), ("name, never trained on", "never_trained")):
        if names[part]:
            median, most = names[part]["median"], names[part]["percentile_99"]
            lines.append(
                f"| {title} | {most:.3f} (99th percentile; median {median:.3f}) | | {names['reviews']} reviews |"
            )
    return "\n".join(lines)


TABLES = {"sets": sets, "reach": reach, "kinds": kinds, "fairness": fairness}


def filled(document: str, metrics: Figures) -> str:
    """Return a document with the present tables in the places that it has for them."""
    for name, table in TABLES.items():
        start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        if start in document:
            before, rest = document.split(start)
            document = f"{before}{start}{table(metrics)}\n{end}{rest.split(end)[1]}"
    return document


def main() -> None:
    """Write the tables of model/metrics.json into the model card and the README."""
    metrics = json.loads(Path("model/metrics.json").read_text())
    for path in (Path("model/README.md"), Path("../../README.md")):
        path.write_text(filled(path.read_text(), metrics))


def _neutral(metrics: Figures, name: str) -> float | None:
    """Return the share that is answered neutral; None for a model with two labels, which never does."""
    share: float = metrics["sets"][name]["neutral"]
    return None if metrics.get("labels") == 2 else share


def _calibration(metrics: Figures, name: str) -> float:
    error: float = metrics["sets"][name]["calibration"]["error"]
    return error


def _figure(goal: Goal, metrics: Figures) -> float | None:
    try:
        return goal.figure(metrics)
    except (KeyError, TypeError):  # not measured
        return None


def _shown(figure: float | None, form: str) -> str:
    return "-" if figure is None else format(figure, form)


def _short(limit: float, form: str) -> str:
    return f"{100 * limit:g}%" if form.endswith("%") else f"{limit:g}"


if __name__ == "__main__":
    main()
