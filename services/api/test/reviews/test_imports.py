"""Imports: each record is stored once, whatever interrupts the import."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
from flask import Flask
from flask.testing import FlaskClient, FlaskCliRunner
from sqlalchemy import create_engine, insert, text
from sqlalchemy.engine import URL
from tqdm import tqdm

from src import create_app
from src.config import ROOT, Settings
from src.extensions import db
from src.files.readers import digest_of, records
from src.models import Import
from src.reviews import BusyImport, Progress, import_file, imports
from src.schemas.reviews import entry_of
from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer
from test.service import wait_until

SENTENCES = ["A slow film.", "=1+1 is a sum.", "'tis fine", 'He said "no",\nand left.', "naïve 電影 🎬"]


def write(file: Path, sentences: list[object]) -> Path:
    """Write a file of the kind in its name."""
    if file.suffix == ".parquet":
        pa.parquet.write_table(pa.table({"stars": [1] * len(sentences), "sentence": sentences}), file)
    else:
        file.write_text("".join(json.dumps({"sentence": one}) + "\n" for one in sentences))
    return file


def imported(analyzer: SentimentAnalyzer, file: Path) -> Iterator[Progress]:
    """Import a file."""
    return import_file(db.session(), analyzer, file, [entry_of(record, "") for record in records(file, 1000)])


def stored(client: FlaskClient) -> list[str]:
    return [record["sentence"] for record in client.get("/sentiments/?limit=500").get_json()][::-1]


@pytest.mark.parametrize("name", ["reviews.ndjson", "reviews.parquet"])
def test_a_file_is_scored_and_stored_in_order_and_once(
    client: FlaskClient, runner: FlaskCliRunner, analyzer: SentimentAnalyzer, tmp_path: Path, name: str
) -> None:
    file = write(tmp_path / name, [*SENTENCES])
    result = runner.invoke(args=["reviews", "import", str(file)])
    assert result.exit_code == 0, result.output
    assert "5 reviews stored, 0 refused, of 5 records." in result.output
    assert stored(client) == SENTENCES
    for record in client.get("/sentiments/").get_json():
        [score] = analyzer.analyze([record["sentence"]])
        assert record["sentiment_score"] == pytest.approx(score.sentiment_score, abs=1e-5)
        assert record["model_version"] == analyzer.version
    again = runner.invoke(args=["reviews", "import", str(file)])
    assert "0 reviews stored" in again.output
    assert "The file was imported before" in again.output
    assert stored(client) == SENTENCES
    runner.invoke(args=["reviews", "import", str(file), "--again"])
    assert stored(client) == SENTENCES * 2


@pytest.mark.parametrize("name", ["out.csv", "out.ndjson", "out.parquet"])
def test_what_was_exported_imports_to_the_same_texts(
    client: FlaskClient, runner: FlaskCliRunner, tmp_path: Path, name: str
) -> None:
    runner.invoke(
        args=[
            "reviews",
            "import",
            str(write(tmp_path / "in.ndjson", [*SENTENCES, "''", "-", "@x", "\tx", "a;=b\n'c'"])),
        ]
    )
    before = stored(client)
    assert runner.invoke(args=["reviews", "export", str(tmp_path / name)]).exit_code == 0
    assert runner.invoke(args=["reviews", "import", str(tmp_path / name)]).exit_code == 0
    assert stored(client) == before + before[::-1]


def test_an_invalid_record_does_not_fail_the_others(
    client: FlaskClient, runner: FlaskCliRunner, tmp_path: Path
) -> None:
    file = write(tmp_path / "reviews.ndjson", ["Fine.", " ", 7, None, "a\0b", "Good."])
    file.write_text(file.read_text() + 'not json\n[1]\n{"text": "x"}\n"Fine."\n{"sentence": "Last."}')
    output = runner.invoke(args=["reviews", "import", str(file)]).output
    assert "3 reviews stored, 8 refused, of 11 records." in output
    assert "record 2: Is empty or blank." in output
    assert "record 3: Not a valid string." in output
    assert stored(client) == ["Fine.", "Good.", "Last."]


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("reviews.xlsx", b"", "must end with one of .csv"),
        ("reviews.csv", b"text\nFine.\n", "no column 'sentence'"),
        ("reviews.csv", b"", "no column 'sentence'"),
        ("reviews.parquet", b"PAR1", "reviews.parquet: "),
        ("missing.csv", None, "No such file"),
    ],
)
def test_an_unreadable_file_stores_nothing(
    client: FlaskClient, runner: FlaskCliRunner, tmp_path: Path, name: str, content: bytes | None, why: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    result = runner.invoke(args=["reviews", "import", str(tmp_path / name)])
    assert result.exit_code == 1
    assert why in result.output
    assert stored(client) == []


@pytest.mark.parametrize("name", ["reviews.csv", "reviews.ndjson", "reviews.parquet"])
def test_columns_of_any_names_are_read_as_text_film_date_reference_and_metadata(
    client: FlaskClient, runner: FlaskCliRunner, tmp_path: Path, name: str
) -> None:
    file = tmp_path / name
    row = {"review": "A fine film.", "title": "Alien", "year": 1979, "date": date(2001, 4, 26), "id": 17, "stars": 4}
    if name.endswith("parquet"):
        pa.parquet.write_table(pa.Table.from_pylist([row, {**row, "title": None, "id": 18, "date": None}]), file)
    elif name.endswith("csv"):
        file.write_text(
            "review,title,year,date,id,stars\nA fine film.,Alien,1979,2001-04-26,17,4\nA fine film.,,,,18,4\n"
        )
    else:
        texts = {**row, "year": "1979", "date": "2001-04-26", "id": "17"}
        file.write_text(f"{json.dumps(texts)}\n{json.dumps({'review': 'A fine film.', 'id': '18', 'stars': 4})}\n")
    named = "--text review --movie title --movie-key year --written date --reference id --metadata stars"
    result = runner.invoke(args=["reviews", "import", str(file), *named.split()])
    assert "2 reviews stored, 0 refused, of 2 records." in result.output
    plain, whole = client.get("/sentiments/").get_json()
    assert (whole["movie"]["title"], whole["movie"]["key"], whole["reference"]) == ("Alien", "1979", "17")
    assert whole["written_on"] == "2001-04-26T00:00:00+00:00"
    assert whole["metadata"] == {"stars": "4" if name.endswith("csv") else 4}
    assert (plain["movie"], plain["reference"], plain["written_on"]) == (None, "18", None)


@pytest.mark.parametrize("name", ["out.csv", "out.ndjson", "out.parquet"])
def test_what_was_exported_is_stored_once_by_its_references(
    client: FlaskClient, runner: FlaskCliRunner, tmp_path: Path, name: str
) -> None:
    details = {
        "movie": {"title": "'Tis", "key": "=1"},
        "written_on": "2001-04-26",
        "metadata": {"\u00e9": 4.5, "b": None},
    }
    for reference in ("a", "b"):
        client.post("/sentiments/", json={"sentence": "A fine film.", "reference": reference, **details})
    before = client.get("/sentiments/").get_json()
    runner.invoke(args=["reviews", "export", str(tmp_path / name)])
    result = runner.invoke(args=["reviews", "import", str(tmp_path / name)])
    assert "0 reviews stored, 0 refused, 2 stored before under their references, of 2 records." in result.output
    assert client.get("/sentiments/").get_json() == before
    result = runner.invoke(args=["reviews", "import", str(tmp_path / name), "--again", "--owner", "alice"])
    assert "2 reviews stored, 0 refused, of 2 records." in result.output
    names = ("sentence", "movie", "reference", "written_on", "metadata")
    again = client.get("/sentiments/?limit=2").get_json()[::-1]
    assert [[one[name] for name in names] for one in again] == [[one[name] for name in names] for one in before]


def test_references_within_a_file_and_before_it_are_treated_line_by_line(
    client: FlaskClient, runner: FlaskCliRunner, tmp_path: Path
) -> None:
    client.post("/sentiments/", json={"sentence": "Known.", "reference": "known"})
    rows = [("Known.", "known"), ("Another.", "known"), ("Twice.", "twice"), ("Twice.", "twice"), ("Not.", "twice"),
            ("Fine.", ""), ("Fine.", 7)]  # fmt: skip
    lines = [json.dumps({"sentence": sentence, "reference": reference}) for sentence, reference in rows]
    (tmp_path / "reviews.ndjson").write_text("\n".join(lines))
    output = runner.invoke(args=["reviews", "import", str(tmp_path / "reviews.ndjson")]).output
    assert "1 reviews stored, 4 refused, 2 stored before under their references, of 7 records." in output
    for number, why in [
        (2, "Review "),
        (5, "Review "),
        (6, "reference: Is empty"),
        (7, "reference: Not a valid string."),
    ]:
        assert f"record {number}: {why}" in output
    assert stored(client) == ["Known.", "Twice."]


@pytest.mark.parametrize("option", ["--text", "--movie", "--written", "--metadata"])
@pytest.mark.parametrize("name", ["reviews.csv", "reviews.parquet"])
def test_a_column_that_is_named_and_not_there_is_an_error(
    runner: FlaskCliRunner, tmp_path: Path, option: str, name: str
) -> None:
    file = tmp_path / name
    if name.endswith("csv"):
        file.write_text("sentence\nFine.\n")
    else:
        write(file, ["Fine."])
    result = runner.invoke(args=["reviews", "import", str(file), option, "misspelled"])
    assert result.exit_code == 1
    assert "no column 'misspelled'" in result.output


def test_two_imports_at_once_store_a_file_once(
    app: Flask, analyzer: SentimentAnalyzer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, client: FlaskClient
) -> None:
    monkeypatch.setattr(imports, "BATCH", 2)
    file = write(tmp_path / "reviews.ndjson", [*SENTENCES])
    with app.app_context():
        one, other = (imported(analyzer, file) for _ in range(2))
        next(one), next(other), next(one)
        with pytest.raises(BusyImport):
            next(other)
        assert [progress.records for progress in one] == [4, 5]
    assert stored(client) == SENTENCES


def test_long_records_are_stored_fewer_at_a_time(
    app: Flask, analyzer: SentimentAnalyzer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, client: FlaskClient
) -> None:
    monkeypatch.setattr(imports, "BATCH_CHARACTERS", 40)
    file = write(tmp_path / "reviews.ndjson", [*SENTENCES])
    with app.app_context():
        run = imported(analyzer, file)
        assert [progress.records for progress in run] == [0, 3, 5]
    assert stored(client) == SENTENCES


def test_the_bar_does_not_count_what_an_earlier_run_did_as_done_now(
    app: Flask, analyzer: SentimentAnalyzer, runner: FlaskCliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "BATCH", 2)
    bars: list[tqdm[Any]] = []

    class Bar(tqdm):  # type: ignore[type-arg]
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            bars.append(self)

    monkeypatch.setattr(import_module("src.commands.reviews"), "tqdm", Bar)
    file = write(tmp_path / "reviews.ndjson", [*SENTENCES])
    with app.app_context():
        run = imported(analyzer, file)
        assert [next(run).records for _ in range(3)] == [0, 2, 4]
    assert "1 reviews stored" in runner.invoke(args=["reviews", "import", str(file)]).output
    assert [(bar.initial, bar.n) for bar in bars] == [(4, 5)]


def test_of_two_imports_that_begin_together_one_is_refused(
    own_database: URL, analyzer: SentimentAnalyzer, tmp_path: Path
) -> None:
    file = write(tmp_path / "reviews.ndjson", [*SENTENCES])
    app = create_app(Settings(database_url=own_database), analyzer)
    engine = create_engine(own_database)
    watching = engine.execution_options(isolation_level="AUTOCOMMIT")  # one snapshot for ever otherwise

    def begin() -> None:
        with app.app_context():
            next(imported(analyzer, file))

    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ~ 'INTO imports'")
    with ThreadPoolExecutor(1) as pool, engine.connect() as other, watching.connect() as watch:
        other.execute(insert(Import).values(file=digest_of(file), run=1, records=0, finished=False))
        begun = pool.submit(begin)
        wait_until(lambda: bool(watch.scalar(waiting)) or begun.done(), 10)
        other.commit()
        assert isinstance(begun.exception(10), BusyImport)
    engine.dispose()
    with app.app_context():
        db.engine.dispose()


@pytest.mark.server
def test_killed_again_and_again_it_stores_each_record_once(own_database: URL, tmp_path: Path) -> None:
    sentences = [f"Film number {number} is {'fine' if number % 2 else 'dull'}." for number in range(6000)]
    file = write(tmp_path / "reviews.ndjson", [*sentences])
    environment = {**os.environ, "DATABASE_URL": own_database.render_as_string(hide_password=False), "FLASK_APP": "src",
                   "FLASK_SKIP_DOTENV": "1"}  # fmt: skip
    command = [sys.executable, "-m", "flask"]
    engine, kills = create_engine(own_database), 0
    count = text("SELECT count(*) FROM sentiments")
    while True:
        importing = subprocess.Popen(
            [*command, "reviews", "import", str(file)], cwd=ROOT, env=environment, stderr=subprocess.DEVNULL
        )
        with engine.connect() as connection:
            before = connection.scalar(count)
        while importing.poll() is None and kills < 3:
            with engine.connect() as connection:
                if connection.scalar(count) > before:
                    time.sleep(0.1 * kills)  # at another moment of a batch each time
                    os.kill(importing.pid, signal.SIGKILL)
                    kills += 1
                    break
        if importing.wait() == 0:
            break
    with engine.connect() as connection:
        found = Counter(connection.scalars(text("SELECT sentence FROM sentiments")))
    engine.dispose()
    assert kills == 3
    assert found == Counter(sentences)
