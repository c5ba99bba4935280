"""The container's entrypoint, with stubs for the programs that it starts."""

import subprocess
from pathlib import Path

import pytest

from src.config import ROOT


def started(folder: Path, *command: str, **exits: int) -> list[str]:
    """The programs that the entrypoint starts for a command, where those in `exits` exist and exit so."""
    for program, status in exits.items():
        (folder / program).write_text(f'#!/bin/sh\necho "> {program} $*"\nexit {status}\n')
        (folder / program).chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", ROOT / "entrypoint.sh", *command],
        env={"PATH": str(folder)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return [line[2:] for line in done.stdout.splitlines() if line.startswith("> ")]


COMPILE = "python -m src.sentiment_analyzer.engines.compiler"


def test_the_production_image_serves_at_once(tmp_path: Path) -> None:
    assert started(tmp_path, "flask", "serve", flask=0, python=0) == ["flask serve"]


@pytest.mark.parametrize(("status", "serves"), [(0, ["flask serve --reload"]), (1, [])])
def test_the_development_image_serves_if_its_tests_pass(tmp_path: Path, status: int, serves: list[str]) -> None:
    programs = started(tmp_path, "flask", "serve", "--reload", flask=0, python=0, pytest=status)
    assert programs == [COMPILE, "pytest ", *serves]


def test_another_command_runs_at_once(tmp_path: Path) -> None:
    assert started(tmp_path, "flask", "db", "upgrade", flask=0, python=0, pytest=0) == ["flask db upgrade"]
