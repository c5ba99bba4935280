"""The documents: their links, the commands and settings that they name, and the responses that they show."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import click
import flask.cli
import pytest
from sqlalchemy import create_engine, text

from src import create_app
from src.config import ROOT, Settings
from src.database.embedded import EmbeddedPostgres
from test.service import Service

TOP = ROOT.parent.parent
README = TOP / "README.md"
DOCUMENTS = [
    README,
    *(TOP / name for name in ("CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
NAMES = [path.relative_to(TOP).as_posix() for path in DOCUMENTS]
OTHER_VERSION = "model@another00000"
VOLATILE = {"created_on", "updated_on", "corrected_on", "scored_on", "day", "model_version", "request_id"}
"""Fields whose text differs from run to run."""

whole_checkout = pytest.mark.skipif(
    not (TOP / "docker-compose.yml").exists(), reason="This is a container, where the other documents are not mounted."
)
each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=NAMES)


def anchors(document: Path) -> set[str]:
    """The anchors that GitHub gives to a document's headings."""
    prose = re.sub(r"^```.*?^```", "", document.read_text(), flags=re.DOTALL | re.MULTILINE)
    titles = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def code(document: Path) -> str:
    """Return the text of a document that is in code blocks or between backticks."""
    found = re.findall(r"^```\w*\n(.*?)^```|`([^`\n]+)`", document.read_text(), re.DOTALL | re.MULTILINE)
    return "\n".join(block or inline for block, inline in found)


@whole_checkout
@each_document
def test_relative_links_lead_to_files_and_headings_that_exist(document: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
        if re.match("[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        linked = (document.parent / name).resolve() if name else document
        assert linked.exists(), target
        if anchor:
            assert anchor in anchors(linked), target


def test_every_document_is_linked_from_the_readme() -> None:
    for document in (ROOT / "docs").glob("*.md"):
        assert f"(services/api/docs/{document.name}" in README.read_text(), document.name


def test_the_readme_has_fewer_than_200_lines() -> None:
    assert len(README.read_text().splitlines()) < 200


@whole_checkout
@each_document
def test_every_make_target_that_is_named_exists(document: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = re.findall(r"\bmake(?: -C services/api| [A-Z]+=\S+)* ([a-z][a-z-]*)", code(document))
    assert set(named) <= targets


@whole_checkout
@each_document
def test_every_flask_command_that_is_named_exists(document: Path) -> None:
    cli = create_app(Settings()).cli
    for command in (flask.cli.run_command, flask.cli.routes_command, flask.cli.shell_command):
        cli.add_command(command)
    for words in re.findall(r"(?:^|[ /])flask((?: [a-z][a-z-]*)+)", code(document), re.MULTILINE):
        reached: click.Command = cli
        for word in words.split():
            if not isinstance(reached, click.Group):
                break  # the rest are arguments
            found = reached.get_command(click.Context(reached), word)
            assert found is not None, f"flask{words}"
            reached = found


# --- Examples ---


class Example:
    """A command with curl, and what the document shows as its output."""

    def __init__(self, command: str, kind: str, shown: str) -> None:
        self.command, self.kind, self.shown = command, kind, shown

    @property
    def status(self) -> int:
        """The status that the document shows, or that follows from what it shows."""
        if self.kind == "http":
            return int(self.shown.split()[1])
        if self.kind == "json" and '"status": 4' in self.shown:
            return int(json.loads(self.shown)["status"])
        stores = "/sentiments/ " in self.command and " -d " in self.command
        return 201 if stores else 200


def examples(document: Path) -> list[Example]:
    """The commands with curl in a document, each with the output below it if it is the last of its block."""
    found = []
    block = r"^```sh\n(.*?)^```\n(?:^```(json|http|ndjson|csv)\n(.*?)^```)?"
    for commands, kind, shown in re.findall(block, document.read_text(), re.DOTALL | re.MULTILINE):
        lines = [line for line in commands.replace("\\\n", " ").splitlines() if "curl" in line]
        found += [Example(line, "", "") for line in lines[:-1]]
        found += [Example(line, kind, shown) for line in lines[-1:]]
    return found


def execute(service: Service, *statements: str) -> None:
    """Execute SQL in the service's database."""
    engine = create_engine(EmbeddedPostgres(service.instance).url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def compare(shown: Any, found: Any, field: str = "") -> None:
    """Assert that `found` has the shape that is shown, and the same texts and integers, and about the same scores."""
    if isinstance(shown, dict):
        assert list(shown) == list(found), field
        for name, value in shown.items():
            compare(value, found[name], name)
    elif isinstance(shown, list):
        assert len(found) >= len(shown), field
        assert shown or not found, field
        for one, other in zip(shown, found, strict=False):
            compare(one, other, field)
    elif isinstance(shown, float):
        assert found == pytest.approx(shown, abs=0.1), field  # processors differ in the second digit at most
    elif field in VOLATILE:
        assert isinstance(found, str), field
    else:
        assert found == shown, field


def parse(body: str) -> Any:
    """Read JSON in which `, ...` stands for more elements of a list."""
    return json.loads(body.replace(", ...", ""))


@pytest.mark.server
@pytest.mark.skipif(shutil.which("curl") is None, reason="There is no curl.")
@pytest.mark.parametrize("document", [README, ROOT / "docs/api.md"], ids=["README.md", "api.md"])
def test_examples_are_answered_as_the_document_shows(document: Path, service: Service, tmp_path: Path) -> None:
    execute(service, "TRUNCATE sentiments, movies, idempotency_keys RESTART IDENTITY CASCADE")
    (tmp_path / ".curlrc").write_text('silent\nshow-error\nwrite-out = "%{stderr}%{http_code}"\n')
    found = examples(document)
    assert found
    for example in found:
        command = example.command.replace("http://127.0.0.1:5051", service.address)
        if "old=OLD" in command:
            version = service.request("GET", "/sentiments/versions")[1][0]["model_version"]
            execute(
                service,
                "UPDATE sentiments SET sentiment_score = 0.5, p_neutral = 0, confidence = 0.75,"
                f" model_version = '{OTHER_VERSION}' WHERE id = 3",
            )
            command = command.replace("OLD", version).replace("NEW", OTHER_VERSION)
        run = subprocess.run(
            ["bash", "-c", command], cwd=tmp_path, env={"CURL_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert run.returncode == 0, run.stderr
        assert int(run.stderr) == example.status, example.command
        check_output(example, run.stdout)


def check_output(example: Example, output: str) -> None:
    """Assert that a command's output is what the document shows below it."""
    output = output.replace("\r\n", "\n")
    if example.kind == "http":
        headers, _, body = output.partition("\n\n")
        shown_headers, _, shown_body = example.shown.partition("\n\n")
        for line in shown_headers.splitlines():
            assert line in headers.splitlines(), example.command
        if shown_body:
            compare(parse(shown_body), json.loads(body))
        else:
            assert not body
    elif example.kind == "json":
        compare(parse(example.shown), json.loads(output))
    elif example.kind == "ndjson":
        for shown, found in zip(example.shown.splitlines(), output.splitlines(), strict=True):
            compare(json.loads(shown), json.loads(found))
    elif example.kind == "csv":
        assert output.splitlines()[0] == example.shown.splitlines()[0]
        assert len(output.splitlines()) == len(example.shown.splitlines())
