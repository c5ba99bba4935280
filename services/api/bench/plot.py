"""Bar charts for the documents."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot

from bench.engines.comparison import machine

FOLDER = Path(__file__).parent


def save(name: str, panels: Mapping[str, Mapping[str, float]]) -> None:
    """Write `name`.png beside this file, with a panel for each title and a bar for each name; more is better."""
    figure, axes = pyplot.subplots(
        1, len(panels), figsize=(4.2 * len(panels), 2.6), squeeze=False, layout="constrained"
    )
    for axis, (title, values) in zip(axes[0], panels.items(), strict=True):
        names = list(values)[::-1]
        bars = axis.barh(names, [values[one] for one in names], color=["#9aa7b4"] * (len(names) - 1) + ["#1f6feb"])
        axis.bar_label(bars, fmt="{:,.0f}", padding=3)
        axis.set_title(title, fontsize=10)
        axis.margins(x=0.18)
        axis.spines[["top", "right"]].set_visible(False)
    figure.suptitle(machine(), fontsize=8, color="#57606a")
    figure.savefig(FOLDER / f"{name}.png", dpi=110)
    pyplot.close(figure)
