"""Loading of an archive: each review is stored once, with the score that it has."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient, FlaskCliRunner
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.orm import Session

from src.archive.archive import Archive
from src.archive.progress import missing, survey_of
from src.archive.scoring import score_block
from src.archive.storage import Folder, sources
from src.config import ROOT
from src.files.tables import BlockSize, Reading
from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer
from test.service import wait_until

TEXTS = ["A slow film.", "=1+1 \\N is a sum.", "a\tb\\", 'He said "no",\r\nand left.', "naïve 電影 🎬", "\\.", "Il est très lent, ce film."]  # fmt: skip  # noqa: E501
COUNT = text("SELECT count(*) FROM sentiments")


def archive(folder: Path, analyzer: SentimentAnalyzer, texts: list[str], size: int = 3) -> Path:
    """Score texts into an archive, as each of Ray's workers does."""
    (folder / "in.ndjson").write_text("".join(json.dumps({"review": one, "id": 1}) + "\n" for one in texts))
    made = Archive(Folder(str(folder / "out")), analyzer.version, Reading("review", 10**6, BlockSize(records=size)))
    [source] = sources(str(folder / "in.ndjson"))
    made.begin([source])
    for name, block in missing(source, survey_of(source, made.reading), made.reading, ()):
        made.store(name, score_block(analyzer, block, "review", lambda _: None))
    made.finish({})
    return folder / "out"


def test_reviews_are_stored_as_they_were_scored_and_once(
    client: FlaskClient, runner: FlaskCliRunner, analyzer: SentimentAnalyzer, tmp_path: Path
) -> None:
    folder = archive(tmp_path, analyzer, TEXTS)
    assert "7 reviews stored, 0 stored before." in runner.invoke(args=["reviews", "load", str(folder)]).output
    records = client.get("/sentiments/").get_json()[::-1]
    assert [record["sentence"] for record in records] == TEXTS
    for record, one in zip(records, analyzer.analyze(TEXTS), strict=True):
        assert record["sentiment_score"] == one.sentiment_score
        assert record["probabilities"]["neutral"] == one.p_neutral
        assert (record["tokens"], record["warnings"]) == (one.tokens, list(one.warnings))
    assert "0 reviews stored, 7 stored before." in runner.invoke(args=["reviews", "load", str(folder)]).output
    assert client.get("/sentiments/summary").get_json()["reviews"] == 7
    assert len(client.get("/sentiments/").get_json()) == 7


def test_blocks_of_the_same_texts_are_all_stored(
    client: FlaskClient, runner: FlaskCliRunner, analyzer: SentimentAnalyzer, tmp_path: Path
) -> None:
    folder = archive(tmp_path, analyzer, ["Fine."] * 4, size=2)
    assert "4 reviews stored" in runner.invoke(args=["reviews", "load", str(folder)]).output
    assert client.get("/sentiments/summary").get_json()["reviews"] == 4


def test_a_folder_without_a_manifest_is_refused(app: Flask, runner: FlaskCliRunner, tmp_path: Path) -> None:
    result = runner.invoke(args=["reviews", "load", str(tmp_path)])
    assert result.exit_code == 1
    assert "has no _manifest.json" in result.output


def test_the_index_of_words_is_built_again(
    session: Session, client: FlaskClient, runner: FlaskCliRunner, analyzer: SentimentAnalyzer, tmp_path: Path
) -> None:
    folder = archive(tmp_path, analyzer, TEXTS)
    definition = text("SELECT indexdef FROM pg_indexes WHERE indexname = 'ix_sentiments_words'")
    before = session.scalar(definition)
    arguments = ["reviews", "load", str(folder), "--index-afterwards"]
    assert "7 reviews stored" in runner.invoke(args=arguments).output
    assert session.scalar(definition) == before
    assert [one["sentence"] for one in client.get("/sentiments/?q=slow").get_json()] == [TEXTS[0]]
    assert "index of words is kept" in runner.invoke(args=arguments).output


@pytest.mark.server
def test_killed_again_and_again_it_stores_each_review_once(
    own_database: URL, analyzer: SentimentAnalyzer, tmp_path: Path
) -> None:
    texts = [f"Film {number} is {'fine' if number % 2 else 'dull'}." for number in range(3000)]
    folder = archive(tmp_path, analyzer, texts, size=20)
    environment = {**os.environ, "DATABASE_URL": own_database.render_as_string(hide_password=False), "FLASK_APP": "src",
                   "FLASK_SKIP_DOTENV": "1"}  # fmt: skip
    engine, kills = create_engine(own_database), 0

    def stored() -> int:
        with engine.connect() as connection:
            return int(connection.scalar(COUNT) or 0)

    while True:
        before = stored()
        loading = subprocess.Popen(
            [sys.executable, "-m", "flask", "reviews", "load", str(folder)], cwd=ROOT, env=environment,
            stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        if kills < 3:
            wait_until(lambda before=before: stored() > before, 30)
            os.kill(loading.pid, signal.SIGKILL)
            kills += 1
        elif loading.wait() == 0:
            break
        loading.wait()
    with engine.connect() as connection:
        found = list(connection.scalars(text("SELECT sentence FROM sentiments ORDER BY id")))
        tallied = connection.scalar(text("SELECT sum(reviews) FROM tallies"))
    engine.dispose()
    assert sorted(found) == sorted(texts)
    assert tallied == len(texts)
