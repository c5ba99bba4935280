"""The data sets: from the folder that DATA_DIR names, or else from the Hugging Face hub.

The folder holds Parquet files with a column `text` and a label or a finer mark. The hub has four of the sources.
"""

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from src.sentiment_analyzer.text import clean

logger = logging.getLogger(__name__)
Row: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """The place of a data set: a file under DATA_DIR, and a hub data set with its split and text column."""

    file: str
    hub: str | None = None
    split: str = "train"
    column: str = "text"


SOURCES = {
    "sst5_phrases": Source("extra/sst5_phrases.parquet"),
    "sst2": Source("train/sst2.parquet", "stanfordnlp/sst2", column="sentence"),
    "rt_critics": Source("train/rt_critics.parquet", "cornell-movie-review-data/rotten_tomatoes"),
    "imdb": Source("train/imdb.parquet", "stanfordnlp/imdb"),
    "yts_imdb": Source("train/yts_imdb.parquet"),
    "yts_unlabelled": Source("extra/yts_unlabelled.parquet"),
    "pl_scale": Source("train/pl_scale.parquet"),
    "pl_scale_middle": Source("extra/pl_scale_middle.parquet"),
    "cad_new": Source("train/cad_new.parquet"),
    "subj_unlabelled": Source("extra/subj_unlabelled.parquet"),
    "imdb_unsup": Source("extra/imdb_unsup.parquet", "stanfordnlp/imdb", "unsupervised"),
}
EVALUATION = {
    "sst2_dev": Source("eval/sst2_dev.parquet", "stanfordnlp/sst2", "validation", "sentence"),
    "imdb_test": Source("eval/imdb_test.parquet", "stanfordnlp/imdb", "test"),
}


@dataclass(frozen=True, slots=True)
class Example:
    """A cleaned text of an evaluation set, and its label: 0 negative, 1 positive."""

    text: str
    label: int


def load(name: str) -> list[Example]:
    """Return an evaluation set, in the order of the file.

    :raises FileNotFoundError: DATA_DIR is set but lacks the file.
    """
    return [Example(clean(row["text"]), int(row["label"])) for row in _read(EVALUATION[name])]


def rows(name: str) -> list[Row]:
    """Return the rows of a training source, each with a `row_id`; none, with a warning, if the source is not there."""
    source = SOURCES[name]
    folder = os.environ.get("DATA_DIR")
    if not (Path(folder) / source.file).exists() if folder else not source.hub:
        logger.warning("%s is skipped: %s has no %s", name, folder or "the hub", source.file if folder else name)
        return []
    return [{"row_id": index, **row} for index, row in enumerate(_read(source))]


def labels_of(examples: Sequence[Example]) -> NDArray[np.int64]:
    """Return the labels, int64 [examples]."""
    return np.array([example.label for example in examples], np.int64)


def _read(source: Source) -> list[Row]:
    folder = os.environ.get("DATA_DIR")
    if folder:
        return _read_parquet(Path(folder) / source.file)
    from datasets import load_dataset

    return [{**row, "text": row[source.column]} for row in load_dataset(source.hub, split=source.split)]


def _read_parquet(path: Path) -> list[Row]:
    import pyarrow.parquet

    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: point DATA_DIR at a folder with {path.parent.name}/{path.name}")
    return list(pyarrow.parquet.read_table(path).to_pylist())
