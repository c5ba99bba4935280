"""Where examples come from, and that nothing the model is measured on is trained on."""

from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet
import pytest

from src.training import data
from src.training.data import Example

ROW = "a lighthouse romance that glows long after the lamp goes out"


def write_parquet(path: Path, column: str, texts: list[str]) -> None:
    """Write texts with alternating labels, 0 first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pa.parquet.write_table(pa.table({column: texts, "label": [index % 2 for index in range(len(texts))]}), path)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder in which the hub's names are local folders in the hub's layout; `datasets` looks there first."""
    monkeypatch.delenv("DATA_DIR")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    datasets.disable_progress_bars()
    return tmp_path


def test_the_folder_that_data_dir_names_is_read() -> None:
    examples = data.load("sst2")
    assert len(examples) == 80
    assert Example(ROW, 1) in examples
    assert {example.label for example in examples} == {0, 1}


def test_texts_are_cleaned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_parquet(tmp_path / "train/sst2.parquet", "text", ["it does n't bore<br />me"])
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    assert data.load("sst2") == [Example("it doesn't bore me", 0)]


def test_a_missing_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"imdb\.parquet is missing: point DATA_DIR at"):
        data.load("imdb")


def test_an_unknown_source_is_refused() -> None:
    with pytest.raises(KeyError):
        data.load("amazon")


def test_without_data_dir_the_hub_is_read(hub: Path) -> None:
    write_parquet(hub / "stanfordnlp/sst2/data/train-00000-of-00001.parquet", "sentence", ["bad", "good"])
    write_parquet(hub / "stanfordnlp/sst2/data/validation-00000-of-00001.parquet", "sentence", ["dull", "fine"])
    assert data.load("sst2") == [Example("bad", 0), Example("good", 1)]
    assert data.load("sst2_dev") == [Example("dull", 0), Example("fine", 1)]


def test_each_hub_set_is_read_from_its_split_and_column(hub: Path) -> None:
    for split in ("train", "test"):
        write_parquet(hub / f"stanfordnlp/imdb/plain_text/{split}-00000-of-00001.parquet", "text", [f"a {split} film"])
    (hub / "stanfordnlp/imdb/README.md").write_text(
        "---\nconfigs:\n- config_name: plain_text\n  data_files:\n"
        "  - {split: train, path: plain_text/train-*}\n  - {split: test, path: plain_text/test-*}\n---\n"
    )
    write_parquet(hub / "cornell-movie-review-data/rotten_tomatoes/train.parquet", "text", ["a snippet"])
    assert data.load("imdb") == [Example("a train film", 0)]
    assert data.load("imdb_test") == [Example("a test film", 0)]
    assert data.load("rt_critics") == [Example("a snippet", 0)]


@pytest.mark.usefixtures("hub")
def test_a_source_that_the_hub_lacks_is_skipped_and_said_so(caplog: pytest.LogCaptureFixture) -> None:
    assert data.load("cad_new") == []
    assert "cad_new is not on the hub: skipped" in caplog.text


def test_nothing_of_an_evaluation_set_is_trained_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = "one two three four five six seven eight"
    write_parquet(tmp_path / "train/sst2.parquet", "text", ["A dull film!", f"so {shared}, he said", "a new text"])
    write_parquet(tmp_path / "eval/sst2_dev.parquet", "text", ["a dull film"])
    write_parquet(tmp_path / "eval/imdb_test.parquet", "text", [f"{shared} nine"])
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    assert data.load_training(["sst2"]) == [Example("a new text", 0)]


def test_long_reviews_may_quote_the_same_phrase() -> None:
    quote = "one two three four five six seven eight"
    review = Example(f"{quote} {'word ' * data.LONG_TEXT}", 1)
    assert data.without_overlap([review], [quote]) == [review]
    assert data.without_overlap([review], [review.text.upper()]) == []


def test_no_held_out_text_overlaps_the_training_data() -> None:
    training, held_out = data.split(["sst2", "rt_critics", "imdb", "yts_imdb"], 0.2, seed=7)
    assert 30 < len(held_out) < 90
    assert data.without_overlap(training, [example.text for example in held_out]) == training


def test_what_is_held_out_does_not_depend_on_what_is_trained_on() -> None:
    """Else a later stage could be trained on what an earlier one held out."""
    _, held_out = data.split(["sst2"], 0.2, seed=7)
    training, same = data.split(["imdb_ratings", "sst5_phrases", "frames"], 0.2, seed=7)
    assert held_out == same == data.held_out(0.2, seed=7)
    assert {example.text for example in training}.isdisjoint(example.text for example in held_out)


def test_another_seed_holds_out_other_texts() -> None:
    assert data.held_out(0.2, seed=7) != data.held_out(0.2, seed=8)


def test_a_larger_share_holds_out_more_of_the_same() -> None:
    assert set(data.held_out(0.1, seed=7)) < set(data.held_out(0.3, seed=7))


def test_finer_marks_than_labels_are_used() -> None:
    assert {example.target for example in data.load("plots")} == {0.5}
    assert len(data.load("plots")) == 3, "the subjective sentence is left out"
    ratings = {round(example.target, 2) for example in data.load("imdb_ratings")}
    assert ratings == {0.04, 0.21, 0.79, 0.96}, "of 2, 4, 7 and 9 stars"


def test_frames_are_made_and_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATA_DIR")
    assert {example.target for example in data.load("frames")} == {0.03, 0.5, 0.97}


def test_of_a_lopsided_set_the_same_share_of_positive_texts_is_kept() -> None:
    kept = data.load("yts_imdb")
    assert kept == data.load("yts_imdb")
    assert sum(example.label == 0 for example in kept) == 4
    assert sum(example.label == 1 for example in kept) < 5


def test_a_neutral_text_counts_as_positive_as_a_score_of_zero_does() -> None:
    assert [Example("", target).label for target in (0.0, 0.49, 0.5, 1.0)] == [0, 0, 1, 1]
