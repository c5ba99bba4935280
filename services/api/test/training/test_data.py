"""The data sets, from a folder and from the hub."""

from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet
import pytest

from src.training import data
from src.training.data import Example


def write_parquet(path: Path, column: str, texts: list[str]) -> None:
    """Write texts with alternating labels, 0 first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pa.parquet.write_table(pa.table({column: texts, "label": [index % 2 for index in range(len(texts))]}), path)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which the hub's names are local folders in the hub's layout; `datasets` looks there first."""
    monkeypatch.delenv("DATA_DIR")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    datasets.disable_progress_bars()
    return tmp_path


def test_evaluation_texts_are_cleaned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_parquet(tmp_path / "eval/sst2_dev.parquet", "text", ["it does n't bore<br />me"])
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    assert data.load("sst2_dev") == [Example("it doesn't bore me", 0)]


def test_labels_are_in_the_order_of_the_examples() -> None:
    assert data.labels_of([Example("good", 1), Example("bad", 0)]).tolist() == [1, 0]


def test_a_missing_evaluation_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"imdb_test\.parquet is missing: point DATA_DIR at"):
        data.load("imdb_test")


def test_rows_without_a_number_are_numbered() -> None:
    rows = data.rows("sst2")
    assert [row["row_id"] for row in rows] == list(range(80))
    assert {row["label"] for row in rows} == {0, 1}


def test_a_missing_source_is_skipped_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    assert data.rows("imdb_unsup") == []
    assert "imdb_unsup is skipped" in caplog.text


def test_without_data_dir_the_hub_is_read(hub: Path) -> None:
    write_parquet(hub / "stanfordnlp/sst2/data/train-00000-of-00001.parquet", "sentence", ["bad", "good"])
    write_parquet(hub / "stanfordnlp/sst2/data/validation-00000-of-00001.parquet", "sentence", ["dull", "fine"])
    assert [row["text"] for row in data.rows("sst2")] == ["bad", "good"]
    assert data.load("sst2_dev") == [Example("dull", 0), Example("fine", 1)]


@pytest.mark.usefixtures("hub")
def test_a_source_that_the_hub_lacks_is_skipped_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    assert data.rows("cad_new") == []
    assert "cad_new is skipped: the hub has no cad_new" in caplog.text
