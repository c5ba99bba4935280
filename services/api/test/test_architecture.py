"""Who may know whom."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from src.config import ROOT

SOURCES = sorted((ROOT / "src").rglob("*.py"))
FORBIDDEN = [
    ("sentiment_analyzer", ("flask", "sqlalchemy", "src.models", "src.extensions", "src.blueprints", "src.reviews")),
    ("training", ("flask", "sqlalchemy", "src.models", "src.extensions", "src.blueprints", "src.reviews")),
    ("reviews", ("flask", "src.blueprints", "torch")),
    ("blueprints", ("torch", "src.sentiment_analyzer")),
    ("models.py", ("src.reviews", "src.blueprints", "src.schemas.reviews")),
]


def imports(path: Path) -> set[str]:
    """Every module that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relative to itself"
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize(("part", "others"), FORBIDDEN)
def test_a_part_does_not_know_those_above_it(part: str, others: tuple[str, ...]) -> None:
    files = [path for path in SOURCES if path.is_relative_to(ROOT / "src" / part)]
    assert files
    for path in files:
        for module in imports(path):
            assert not any(module == other or module.startswith(f"{other}.") for other in others), (path, module)


def test_nothing_knows_training() -> None:
    for path in SOURCES:
        if not path.is_relative_to(ROOT / "src/training"):
            assert not any(module.startswith("src.training") for module in imports(path)), path


def test_only_reviews_commits() -> None:
    committing = {path.parent.name for path in SOURCES if ".commit()" in path.read_text()}
    assert committing == {"reviews"}


def test_only_config_reads_the_environment() -> None:
    """But for what is no setting of the service.

    The supervisor hands its own environment on, prometheus_client is told its folder there, training has DATA_DIR.
    """
    readers = {
        path.relative_to(ROOT / "src").as_posix()
        for path in SOURCES
        if imports(path) & {"os", "environs"} and re.search(r"os\.environ|environs", path.read_text())
    }
    assert readers <= {"config.py", "server/metrics.py", "server/supervisor.py", "training/data.py"}


def test_a_command_that_scores_nothing_starts_without_pytorch() -> None:
    code = "import sys; from src import create_app; create_app(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_every_room_fits_in_the_head() -> None:
    assert {path.name: lines for path in SOURCES if (lines := len(path.read_text().splitlines())) > 200} == {}
