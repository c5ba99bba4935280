"""`flask score`: texts, lines and files, without a database."""

import contextlib
import json
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml
from click.testing import CliRunner, Result
from pyarrow import parquet

from src.archive import cluster
from src.archive.archive import Archive
from src.archive.scoring import COLUMNS
from src.archive.storage import Source
from src.commands.score import score
from src.config import ROOT
from src.files import tables
from src.files.writers import write_csv
from src.sentiment_analyzer.sentiment_analysis import CANARIES, SentimentAnalyzer
from test.service import wait_until

TEXTS = ["A fine film.", "=1+1 is a sum.", "'tis dull", 'He said "no",\nand left.', "naïve 電影 🎬", "A waste of time."]
RAYJOB = ROOT.parent / "ray/rayjob.yaml"
KILLED = (
    "import sys; from src.files import tables; tables.BLOCK_RECORDS = 100; "
    "from src.commands.score import score; score(sys.argv[1:])"
)


def run(*arguments: object, **options: Any) -> Result:
    return CliRunner().invoke(score, [*map(str, arguments)], **options)


def write(file: Path, texts: list[str]) -> Path:
    """Write a file with a number before each text and its stars after it."""
    rows = [(number, text, number % 5) for number, text in enumerate(texts)]
    if file.suffix == ".csv":
        file.write_bytes(b"".join(write_csv(rows, ["number", "sentence", "stars"])))
    elif file.suffix == ".ndjson":
        lines = [json.dumps(dict(zip(("number", "sentence", "stars"), row, strict=True))) for row in rows]
        file.write_text("\n".join(lines))
    else:
        columns = zip(*rows, strict=True)
        parquet.write_table(pa.table(dict(zip(("number", "sentence", "stars"), map(list, columns), strict=True))), file)
    return file


def read(file: Path) -> list[dict[str, Any]]:
    if file.suffix == ".parquet":
        return list(parquet.read_table(file).to_pylist())
    with file.open("rb") as stream:
        return list(tables.rows(stream, file.suffix[1:], 10**6))  # type: ignore[arg-type]  # all of them can be read


def test_a_text_is_scored_as_the_analyzer_scores_it(analyzer: SentimentAnalyzer) -> None:
    [expected] = analyzer.analyze(["A fine film."])
    assert run("A fine film.").output.startswith(f"{expected.sentiment_score:+.3f}  positive")
    answer = json.loads(run("A fine film.", "--json").output)
    assert set(answer) == {"sentence", *COLUMNS}
    assert answer["sentiment_score"] == pytest.approx(expected.sentiment_score, abs=1e-5)
    assert answer["model_version"] == analyzer.version


def test_each_line_of_standard_input_has_a_line_of_output() -> None:
    output = run("-", "--json", input=b"A fine film.\r\n\n\xff\nAwful.").output
    lines = [json.loads(line) for line in output.splitlines()]
    assert [line["sentence"] for line in lines] == ["A fine film.", "", "\udcff", "Awful."]
    assert [line.get("detail", "")[:11] for line in lines] == ["", "Is empty or", "Contains a ", ""]


def test_a_typed_line_is_answered_at_once() -> None:
    command = [sys.executable, "-m", "flask", "--app", "src", "score", "-"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(b"A fine film.\n")
        process.stdin.flush()
        assert b"positive" in process.stdout.readline()  # standard input is still open


@pytest.mark.parametrize("out", ["out.csv", "out.ndjson", "out.parquet"])
@pytest.mark.parametrize("name", ["in.csv", "in.ndjson", "in.parquet"])
def test_a_file_keeps_its_order_and_its_columns(
    tmp_path: Path, analyzer: SentimentAnalyzer, name: str, out: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "BLOCK_RECORDS", 4)
    result = run(write(tmp_path / name, TEXTS), "--out", tmp_path / out)
    assert "6 reviews scored" in result.output
    found = read(tmp_path / out)
    assert list(found[0]) == ["number", "sentence", "stars", *COLUMNS]
    assert [row["sentence"] for row in found] == TEXTS
    assert [str(row["number"]) for row in found] == ["0", "1", "2", "3", "4", "5"]
    scores = [one.sentiment_score for one in analyzer.analyze(TEXTS)]
    assert [float(row["sentiment_score"]) for row in found] == pytest.approx(scores, abs=1e-5)
    if ".csv" not in (name[2:], out[3:]):
        assert [row["stars"] for row in found] == [0, 1, 2, 3, 4, 0]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, out, f"{out}.manifest.json"])


def test_parquet_keeps_its_types_and_a_column_with_the_name_of_a_score(tmp_path: Path) -> None:
    given = {
        "sentence": pa.array(["Fine.", "Dull."]),
        "written": pa.array([datetime(2026, 1, 1, tzinfo=UTC)] * 2),
        "tags": pa.array([["a"], None]),
        "confidence": pa.array([0.5, 1.5]),
    }
    parquet.write_table(pa.table(given), tmp_path / "in.parquet")
    run(tmp_path / "in.parquet", "--out", tmp_path / "out.parquet")
    found = parquet.read_table(tmp_path / "out.parquet")
    assert found.schema.field("written").type == given["written"].type
    assert found.column("tags").to_pylist() == [["a"], None]
    assert found.column("input_confidence").to_pylist() == [0.5, 1.5]
    run(tmp_path / "in.parquet", "--out", tmp_path / "out.ndjson")
    assert read(tmp_path / "out.ndjson")[0]["written"] == "2026-01-01T00:00:00+00:00"


def test_objects_of_ndjson_come_out_as_they_went_in(tmp_path: Path) -> None:
    rows = [{"sentence": "Fine.", "film": {"title": "Ü"}, "n": 1}, {"n": 2.5, "sentence": "Dull.", "film": "x"}]
    (tmp_path / "in.ndjson").write_text("".join(json.dumps(row) + "\n" for row in rows))
    run(tmp_path / "in.ndjson", "--out", tmp_path / "out.ndjson")
    assert [{name: row[name] for name in rows[0]} for row in read(tmp_path / "out.ndjson")] == rows
    run(tmp_path / "in.ndjson", "--out", tmp_path / "out.parquet")
    assert [json.loads(row["film"]) for row in read(tmp_path / "out.parquet")] == [{"title": "Ü"}, "x"]


def test_what_cannot_be_scored_is_in_a_file_with_the_reason(tmp_path: Path) -> None:
    lines = ['{"sentence": "Fine."}', '{"sentence": " ", "id": 7}', "not json", '{"sentence": 3}', "{}", "[1]",
             '{"sentence": "\\ud800"}', '{"sentence": "a\\u0000"}', '{"sentence": "Last."}']  # fmt: skip
    (tmp_path / "in.ndjson").write_text("\n".join(lines))
    result = run(tmp_path / "in.ndjson", "--out", tmp_path / "out.csv")
    assert "2 reviews scored, 4 tokens; 7 refused." in result.output
    assert [row["sentence"] for row in read(tmp_path / "out.csv")] == ["Fine.", "Last."]
    refused = [json.loads(line) for line in (tmp_path / "out.csv.refused.ndjson").read_text().splitlines()]
    assert [one["record"] for one in refused] == [2, 3, 4, 5, 6, 7, 8]
    assert (refused[0]["detail"], refused[0]["row"]) == ("Is empty or blank.", {"sentence": " ", "id": 7})
    manifest = json.loads((tmp_path / "out.csv.manifest.json").read_text())
    assert (manifest["records"], manifest["scored"], manifest["refused"], manifest["tokens"]) == (9, 2, 7, 4)
    assert manifest["inputs"][0]["name"] == "in.ndjson"


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("in.csv", b"text\nFine.\n", "no column 'sentence'"),
        ("in.csv", b"", "no header"),
        ("in.csv", b"sentence,a,a\n", "two columns"),
        ("in.parquet", b"PAR1", "in.parquet: "),
        ("in.ndjson", None, "there is no file"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str, content: bytes | None, why: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    result = run(tmp_path / name, "--out", tmp_path / "out.csv")
    assert result.exit_code == 1
    assert why in result.output
    assert not (tmp_path / "out.csv").exists()


def test_another_input_or_file_is_never_replaced(tmp_path: Path) -> None:
    source, out = write(tmp_path / "in.csv", TEXTS), tmp_path / "out.csv"
    run(source, "--out", out)
    before = out.read_bytes()
    assert "is complete" in run(source, "--out", out).output
    write(source, TEXTS[:2])
    assert "exists, and is not in.csv scored by" in run(source, "--out", out).output
    assert out.read_bytes() == before


def test_an_interrupted_run_goes_on_only_with_the_file_that_it_began(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "BLOCK_RECORDS", 2)
    source, out, scored = write(tmp_path / "in.ndjson", TEXTS), tmp_path / "out.ndjson", []
    analyze = SentimentAnalyzer.analyze

    def interrupted(self: SentimentAnalyzer, texts: list[str], **options: bool) -> Any:
        scored.extend(texts)
        if TEXTS[4] in texts and scored.count(TEXTS[4]) == 1:
            raise KeyboardInterrupt
        return analyze(self, texts, **options)

    monkeypatch.setattr(SentimentAnalyzer, "analyze", interrupted)
    assert run(source, "--out", out).exit_code == 1
    content, modified = source.read_bytes(), source.stat().st_mtime_ns
    source.write_bytes(content.replace(b"fine", b"good"))
    assert "was begun with another in.ndjson" in run(source, "--out", out).output
    source.write_bytes(content)
    os.utime(source, ns=(modified, modified))
    assert "6 reviews scored" in run(source, "--out", out).output
    assert scored == [*CANARIES, *TEXTS[:6], *CANARIES, *CANARIES, *TEXTS[4:]]
    assert [row["sentence"] for row in read(out)] == TEXTS


def test_readers_and_scorers_of_a_cluster_make_each_block_that_is_missing_once(
    tmp_path: Path, analyzer: SentimentAnalyzer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without Ray; test_cluster.py has the same with it."""
    monkeypatch.setattr(tables, "BLOCK_RECORDS", 4)
    monkeypatch.setattr(cluster, "_connected", lambda _address: contextlib.nullcontext())

    def pipeline(job: cluster.Job, archive: Archive, files: list[Source], done: frozenset[str]) -> Iterator[Any]:
        reader, scorer = cluster._Reader(job, done), cluster._Scorer(job, archive)
        for file in files:
            yield from map(scorer, reader({"source": pickle.dumps(file)}))

    monkeypatch.setattr(cluster, "_pipeline", pipeline)
    monkeypatch.setattr(import_module("src.commands.score"), "find_spec", lambda _name: True)
    (tmp_path / "in/deep").mkdir(parents=True)
    write(tmp_path / "in/a.csv", TEXTS)
    write(tmp_path / "in/deep/b.parquet", TEXTS)
    (tmp_path / "in/bad.parquet").write_bytes(b"PAR1")
    arguments = (tmp_path / "in", "--ray", "--out", tmp_path / "out")
    result = run(*arguments)
    assert result.exit_code == 1
    assert "12 reviews scored" in result.output
    assert "1 files could not be read" in result.output
    names = ["a.csv-000000.parquet", "a.csv-000001.parquet", "deep/b.parquet-000000.parquet",
             "deep/b.parquet-000001.parquet"]  # fmt: skip
    assert sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.parquet")) == names
    (tmp_path / "out" / names[2]).write_bytes(b"cut off")
    (tmp_path / "in/bad.parquet").unlink()
    assert "was begun with another" not in run(*arguments).output
    found = [text for name in names for text in parquet.read_table(tmp_path / "out" / name)["sentence"].to_pylist()]
    assert found == TEXTS * 2
    assert json.loads((tmp_path / "out/_manifest.json").read_text())["finished_on"]


def test_without_ray_the_command_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module("src.commands.score"), "find_spec", lambda _name: None)
    result = run(write(tmp_path / "in.csv", TEXTS), "--ray", "--out", tmp_path / "out")
    assert "pip install -r requirements-ray.txt" in result.output


@pytest.mark.skipif(not RAYJOB.exists(), reason="This is a container, where the manifest is not mounted.")
def test_the_job_for_kuberay_runs_a_command_that_exists_with_the_version_that_is_installed() -> None:
    job = yaml.safe_load(RAYJOB.read_text())
    flask, app, module, name, *arguments = job["spec"]["entrypoint"].split()
    assert (flask, app, module, name) == ("flask", "--app", "src", "score")
    options = score.make_context("score", arguments).params
    assert options["with_ray"]
    assert options["address"] == "auto"
    pinned = f"ray[data]=={job['spec']['rayClusterSpec']['rayVersion']}"
    assert pinned in (ROOT / "requirements-ray.txt").read_text().splitlines()


@pytest.mark.server
def test_killed_again_and_again_it_scores_each_record_once(tmp_path: Path) -> None:
    texts = [f"Film number {number} is {'fine' if number % 2 else 'dull'}." for number in range(4000)]
    source, out, kills = write(tmp_path / "in.csv", texts), tmp_path / "out.ndjson", 0
    parts = tmp_path / "out.ndjson.parts"
    while True:
        before = len(list(parts.glob("*.parquet")))
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(source), "--out", str(out)], cwd=ROOT, stderr=subprocess.DEVNULL
        )
        if kills < 3:
            wait_until(lambda before=before: len(list(parts.glob("*.parquet"))) > before + 2, 60)
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        elif process.wait() == 0:
            break
        process.wait()
    assert kills == 3
    assert [row["sentence"] for row in read(out)] == texts
    assert not parts.exists()
