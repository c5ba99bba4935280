"""Training of teacher and student, with networks of one layer."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer
from src.training import answers, corpus, distillation, encoder, train
from src.training.calibrate import calibrate
from src.training.distillation import Plan, Training
from src.training.networks import Student, student_weights
from src.training.stream import Corpus
from test.training.conftest import STUDENT, TEACHER

pytestmark = [pytest.mark.training, pytest.mark.usefixtures("one_thread")]

PLAN = Plan(tokens=60_000, learning_rate=3e-3, head_learning_rate=3e-3, most_rows=64, most_tokens=2048,
            group_tokens=1024, group_every=3, dropout=0.1, masked=0.08, labels=0.3, temperature=2.0)  # fmt: skip


@pytest.fixture
def labelled(small_corpus: Corpus) -> np.ndarray:
    return distillation.teacher_shares(small_corpus)


def trainer(read: Corpus, plan: Plan = PLAN) -> Training:
    torch.manual_seed(plan.seed)
    return Training(Student(STUDENT, plan.dropout), STUDENT, read, plan)


def assert_same_weights(one: Training, other: Training) -> None:
    expected = other.model.state_dict()
    assert all(torch.equal(weight, expected[name]) for name, weight in one.model.state_dict().items())


def test_the_loss_falls(small_corpus: Corpus, labelled: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distillation, "LOG_SECONDS", 0)
    plan = replace(PLAN, tokens=150_000, learning_rate=1e-3, dropout=0.0, masked=0.0)
    training = trainer(small_corpus, plan)
    training.fit(labelled)
    losses = [row["loss"] for row in training.curve]
    assert np.mean(losses[-20:]) < 0.9 * np.mean(losses[:20])
    assert training.tokens >= plan.tokens
    assert training.skipped == 0


def test_a_run_in_two_parts_ends_as_one_in_one_part(small_corpus: Corpus, labelled: np.ndarray, tmp_path: Path) -> None:
    short = replace(PLAN, tokens=20_000)
    trainer(small_corpus, short).fit(labelled, tmp_path / "state.pt", until=7)
    resumed = trainer(small_corpus, short)
    resumed.fit(labelled, tmp_path / "state.pt")
    whole = trainer(small_corpus, short)
    whole.fit(labelled)
    assert resumed.steps == whole.steps > 7
    assert_same_weights(resumed, whole)


def test_pairing_draws_the_members_of_a_group_together(small_corpus: Corpus, labelled: np.ndarray) -> None:
    def apart(plan: Plan) -> float:
        training = trainer(small_corpus, plan)
        training.fit(labelled)
        rows = training.group_rows.reshape(-1)
        logits = distillation.answer(training.model, STUDENT, small_corpus, rows)[training.group_rows]
        return float(np.abs(logits - logits.mean(axis=1, keepdims=True)).mean())

    assert apart(replace(PLAN, group_every=1)) < 0.7 * apart(replace(PLAN, pairing=0.0, score_pairing=0.0))


def test_what_is_held_out_is_not_read(small_corpus: Corpus) -> None:
    answered = np.ones(len(small_corpus), bool)
    for shares in (distillation.teacher_shares(small_corpus), distillation.student_shares(small_corpus, answered)):
        assert not shares[small_corpus.held_out].any()
    assert not small_corpus.held_out[distillation.groups_of(small_corpus)].any()


def test_a_corpus_without_labels_is_refused(small_corpus: Corpus) -> None:
    with pytest.raises(ValueError, match="no item of the corpus is to be read"):
        trainer(small_corpus).fit(np.zeros(len(small_corpus), np.float32))


def test_answers_are_read_as_they_were_written(small_corpus: Corpus, tmp_path: Path) -> None:
    by_place = [small_corpus.start % 7, small_corpus.length % 5, small_corpus.text % 3]
    logits = np.stack(by_place, axis=1).astype(np.float32) / 4
    answers.write(tmp_path, small_corpus, logits)
    assert answers.read(tmp_path, small_corpus) == pytest.approx(logits, abs=2e-3)


def test_answers_to_a_source_that_has_changed_are_not_used(
    small_corpus: Corpus, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    logits = np.zeros((len(small_corpus), 3), np.float32)
    answers.write(tmp_path, small_corpus, logits)
    place = int(small_corpus.start[np.flatnonzero(small_corpus.source == "imdb")[0]])
    small_corpus.tokens[place] += 1
    found = answers.read(tmp_path, small_corpus)
    assert np.isnan(found[small_corpus.source == "imdb"]).all()
    assert not np.isnan(found[small_corpus.source != "imdb"]).any()
    assert "imdb is not as it was" in caplog.text


def test_answers_to_other_texts_train_no_student(small_corpus: Corpus, tmp_path: Path) -> None:
    answers.write(tmp_path, small_corpus, np.zeros((len(small_corpus), 3), np.float32))
    (tmp_path / "fingerprints.json").write_text("{}")
    start = student_weights(Student(STUDENT))
    with pytest.raises(ValueError, match=r"answered 0 of the [\d,]+ items only.* make train ARGS=--teacher"):
        train.study(small_corpus, tmp_path, tmp_path / "run", PLAN, STUDENT, start)
    assert not (tmp_path / "run").exists()


def test_the_committed_answers_are_float16_and_hold_no_text() -> None:
    import pyarrow.parquet as pq

    files = sorted(answers.COMMITTED.glob("*.parquet"))
    assert sum(path.stat().st_size for path in files) < 10e6
    for path in files:
        kinds = {field.name: str(field.type) for field in pq.read_schema(path)}
        assert [kinds.pop(label) for label in ("negative", "neutral", "positive")] == ["halffloat"] * 3
        assert set(kinds) == {"file", "row_id", "first", "tokens"}


def test_teacher_answers_student_and_calibration_make_a_model(
    corpus_folder: Path, small_corpus: Corpus, tmp_path: Path
) -> None:
    plan = replace(PLAN, tokens=20_000)
    answered = train.teach(small_corpus, tmp_path, plan, TEACHER)
    start = {name: tensor.float() for name, tensor in student_weights(Student(STUDENT)).items()}
    weights = train.study(small_corpus, answered, tmp_path, plan, STUDENT, start)
    tokenizer = encoder.load_tokenizer()
    words = weights["distilbert.embeddings.word_embeddings.weight"]
    assert words[tokenizer.token_to_id("she")].equal(words[tokenizer.token_to_id("he")])
    encoder.export(weights, STUDENT, tmp_path / "model")
    calibrate(tmp_path / "model", corpus.held_out())
    analyzer = SentimentAnalyzer.load(str(tmp_path / "model"))
    one, other = analyzer.analyze(["She is good.", "He is good."])
    assert analyzer.calibrated
    assert one.sentiment_score == other.sentiment_score
    assert one.p_neutral is not None

    before = (tmp_path / "student.csv").read_text()
    again = train.study(small_corpus, answered, tmp_path, plan, STUDENT, start)
    assert (tmp_path / "student.csv").read_text() == before, "a finished stage is not trained again"
    assert all(tensor.equal(weights[name]) for name, tensor in again.items())
    with pytest.raises(ValueError, match="is of another plan: name another --run"):
        train.study(small_corpus, answered, tmp_path, replace(plan, seed=9), STUDENT, start)


def test_make_train_is_corpus_student_and_calibration(
    corpus_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "corpus").symlink_to(corpus_folder)
    start = {name: tensor.float() for name, tensor in student_weights(Student(STUDENT)).items()}
    monkeypatch.setattr(encoder, "student_start", lambda: start)
    study = train.study
    monkeypatch.setattr(train, "MINILM", STUDENT)
    monkeypatch.setattr(train, "study", lambda *given: study(*given, shape=STUDENT))
    monkeypatch.setattr(train, "STUDENT", replace(PLAN, tokens=5_000))
    read = train.prepare(tmp_path / "run")
    answers.write(tmp_path / "answers", read, np.zeros((len(read), 3), np.float32))
    monkeypatch.setattr(answers, "COMMITTED", tmp_path / "answers")
    out = tmp_path / "model"
    monkeypatch.setattr(sys, "argv", ["train", "--run", str(tmp_path / "run"), "--out", str(out)])
    train.main()
    assert json.loads((out / "calibration.json").read_text())["neutral"] == -0.15
    assert SentimentAnalyzer.load(str(out)).calibrated
