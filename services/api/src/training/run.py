"""A training run's folder: what is needed to go on after a kill, and the curve so far."""

import csv
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from src.training.recipe import Recipe


class Run:
    """`recipe.json`, `state.pt` (written whole or not at all) and `log.csv` in one folder."""

    FIELDS = ("step", "loss", "learning_rate", "tokens", "seconds")

    def __init__(self, folder: Path, recipe: Recipe, fingerprint: str) -> None:
        """Open the folder, or start it.

        :param fingerprint: of the data and the encoder.
        :raises ValueError: the run there was started with another recipe, data or encoder.
        """
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        described = json.dumps({**asdict(recipe), "fingerprint": fingerprint}, indent=2) + "\n"
        path = folder / "recipe.json"
        if not path.exists():
            path.write_text(described)
        elif path.read_text() != described:
            raise ValueError(f"{path} is of another recipe, data or encoder: name another --run, or remove that one")

    def load(self) -> dict[str, Any] | None:
        """Return the state that was saved last, None if nothing was."""
        path = self.folder / "state.pt"
        return torch.load(path, map_location="cpu", weights_only=True) if path.exists() else None

    def save(self, state: dict[str, Any]) -> None:
        """Put `state` on the disk; a kill at any moment leaves the earlier one or this one."""
        temporary = self.folder / "state.pt.new"
        with temporary.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.folder / "state.pt")

    def log(self, row: dict[str, float]) -> None:
        """Append a row to the curve."""
        path = self.folder / "log.csv"
        new = not path.exists()
        with path.open("a", newline="") as file:
            writer = csv.DictWriter(file, self.FIELDS)
            if new:
                writer.writeheader()
            writer.writerow(row)

    def curve(self) -> list[dict[str, float]]:
        """Return the rows logged so far."""
        return curve_of(self.folder)

    def truncate_curve(self, step: int) -> None:
        """Drop what was logged after the last saved step: it is about to be computed again."""
        rows = [row for row in self.curve() if row["step"] <= step]
        if rows == self.curve():
            return
        temporary = self.folder / "log.csv.new"
        with temporary.open("w", newline="") as file:
            writer = csv.DictWriter(file, self.FIELDS)
            writer.writeheader()
            writer.writerows(rows)
        temporary.replace(self.folder / "log.csv")


def curve_of(folder: Path) -> list[dict[str, float]]:
    """Return the rows that a run in `folder` has logged; none if it never ran there."""
    path = folder / "log.csv"
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def check_recipe(folder: Path, recipe: Recipe) -> None:
    """Do nothing unless the run in `folder` is of another recipe.

    :raises ValueError: it is.
    """
    path = folder / "recipe.json"
    if path.exists():
        described = json.loads(path.read_text())
        described.pop("fingerprint")
        if described != json.loads(json.dumps(asdict(recipe))):
            raise ValueError(f"{path} is of another recipe: name another --run, or remove that one")
