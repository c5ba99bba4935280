"""A model's figures as Markdown tables."""

from collections.abc import Iterator
from typing import Any

ACCURACY = {"sst2_dev": 0.92, "imdb_test": 0.935}
LOST = 0.002
FLIPS = 0.007
CALIBRATION_ERROR = 0.02
COUNTRIES = 0.3
NAMES = 0.2
MEGABYTES = 50


def table(metrics: dict[str, Any]) -> str:
    """Return the figures of each set."""
    lines = [
        "| set | texts | int8 | 95% interval | calibration error | compared | fp32 less int8 | flips |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, row in metrics["sets"].items():
        low, high = row["int8"]["interval"]
        lines.append(
            f"| {name} | {row['texts']:,} | {row['int8']['accuracy']:.4f} | {low:.4f} to {high:.4f} "
            f"| {row['int8']['calibration_error']:.2%} "
            f"| {row['compared']:,} | {row['lost']:+.4f} | {row['flips']:.2%} |"
        )
    return "\n".join(lines)


def hard_cases(metrics: dict[str, Any]) -> str:
    """Return the figures of each kind of hard case."""
    lines = ["| kind | texts | |", "|---|---|---|"]
    for kind, row in metrics["hard_cases"].items():
        found = f"{row['accuracy']:.0%} right" if "accuracy" in row else f"{row['distance']:.2f} from 0 on average"
        lines.append(f"| {kind} | {row['texts']} | {found} |")
    return "\n".join(lines)


def reach(metrics: dict[str, Any]) -> str:
    """Return what was to be reached, what was found, and whether that is enough."""
    lines = ["| what | reach | found | |", "|---|---|---|---|"]
    for what, limit, found, is_met in _reached(metrics):
        lines.append(f"| {what} | {limit} | {found} | {'yes' if is_met else '**no**'} |")
    return "\n".join(lines)


def _reached(metrics: dict[str, Any]) -> Iterator[tuple[str, str, str, bool]]:
    for name, row in metrics["sets"].items():
        accuracy, error = row["int8"]["accuracy"], row["int8"]["calibration_error"]
        yield (
            f"{name}, accuracy on {row['texts']:,} texts",
            f"{ACCURACY[name]:.1%}",
            f"{accuracy:.2%}",
            accuracy >= ACCURACY[name],
        )
        yield (
            f"{name}, lost to int8 on {row['compared']:,}",
            f"at most {LOST:.1%}",
            f"{row['lost']:.2%}",
            round(row["lost"], 9) <= LOST,
        )
        yield (
            f"{name}, flips on {row['compared']:,}",
            f"at most {FLIPS:.1%}",
            f"{row['flips']:.2%}",
            row["flips"] <= FLIPS,
        )
        yield (
            f"{name}, calibration error",
            f"at most {CALIBRATION_ERROR:.0%}",
            f"{error:.2%}",
            error <= CALIBRATION_ERROR,
        )
    countries, names = metrics["countries"]["difference"], metrics["names"]
    seen = metrics["countries_without_blindness"]["difference"]
    yield (
        f"countries, the most between two ({seen:.2f} without blindness)",
        f"at most {COUNTRIES}",
        f"{countries:.2f}",
        countries <= COUNTRIES,
    )
    if names["reviews"]:
        seen = metrics["names_without_blindness"]["percentile_99"]
        yield (
            f"names and pronouns, 99th percentile of {names['reviews']} reviews ({seen:.2f} without blindness)",
            f"at most {NAMES}",
            f"{names['percentile_99']:.2f}",
            names["percentile_99"] <= NAMES,
        )
    size = metrics["megabytes"]
    yield "checkpoint", f"at most {MEGABYTES} MB", f"{size:.1f} MB", size <= MEGABYTES
