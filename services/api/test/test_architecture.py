"""Rules about the sources as a whole. `make lint` holds who may import whom (import-linter, in pyproject.toml)."""

import re
import subprocess
import sys

from src.config import ROOT

SOURCES = sorted((ROOT / "src").rglob("*.py"))


def loaded(code: str, *names: str) -> set[str]:
    """Return which of these modules a fresh interpreter has loaded after running `code`."""
    code = f"import sys; {code}; print(*{{*{names}}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return set(done.stdout.split())


def test_only_reviews_commits() -> None:
    committing = {path.parent.name for path in SOURCES if ".commit()" in path.read_text()}
    assert committing == {"reviews"}


def test_only_config_reads_the_environment() -> None:
    """Four other modules use it, not for settings of the service.

    gunicorn gets the supervisor's environment and sockets, prometheus_client its folder, Ray its switches; training has
    DATA_DIR.
    """
    readers = {
        path.relative_to(ROOT / "src").as_posix()
        for path in SOURCES
        if re.search(r"\bos\.environ|\bgetenv|^\s*(from|import) environs|^\s*from os import", path.read_text(), re.M)
    }
    assert readers == {
        "archive/cluster.py",
        "config.py",
        "server/metrics.py",
        "server/web_server.py",
        "training/data.py",
    }


def test_a_command_that_scores_nothing_starts_without_pytorch() -> None:
    assert loaded("from src import create_app; create_app()", "torch", "flask") == {"flask"}


def test_the_analyzer_is_imported_without_flask_sqlalchemy_and_pytorch() -> None:
    assert loaded("import src.sentiment_analyzer", "flask", "sqlalchemy", "torch", "src") == {"src"}
