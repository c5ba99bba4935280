"""Labelled reviews: from the folder that DATA_DIR names, or from the Hugging Face hub where it is unset.

A folder holds Parquet files with the columns `text` and `label` (0 negative, 1 positive), e.g.
`train/sst2.parquet`. The hub has three of the sources; the rest is skipped there, and said so.
"""

import hashlib
import logging
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from src.sentiment_analyzer.text import clean

logger = logging.getLogger(__name__)

SHINGLE = 8
"""Two texts that share this many consecutive words are taken for versions of one text."""
LONG_TEXT = 100
"""Words from which on a shared shingle proves nothing: long reviews quote the same phrases."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a data set lies: a file under DATA_DIR, and a hub data set with its split and text column."""

    file: str
    hub: str | None = None
    split: str = "train"
    column: str = "text"


SOURCES = {
    "sst2": Source("train/sst2.parquet", "stanfordnlp/sst2", column="sentence"),
    "rt_critics": Source("train/rt_critics.parquet", "cornell-movie-review-data/rotten_tomatoes"),
    "imdb": Source("train/imdb.parquet", "stanfordnlp/imdb"),
    "cad_new": Source("train/cad_new.parquet"),
    "sst2_dev": Source("eval/sst2_dev.parquet", "stanfordnlp/sst2", "validation", "sentence"),
    "imdb_test": Source("eval/imdb_test.parquet", "stanfordnlp/imdb", "test"),
}
EVALUATION = ("sst2_dev", "imdb_test")


@dataclass(frozen=True, slots=True)
class Example:
    """A cleaned text and its label: 0 negative, 1 positive."""

    text: str
    label: int


def load(name: str) -> list[Example]:
    """Return the examples of one source, in the order of the file; empty if the hub does not have it.

    :raises KeyError: no source has that name.
    :raises FileNotFoundError: DATA_DIR is set but lacks the file.
    """
    source = SOURCES[name]
    folder = os.environ.get("DATA_DIR")
    if folder:
        rows = _read_parquet(Path(folder) / source.file)
    elif source.hub:
        rows = _read_hub(source)
    else:
        logger.warning("%s is not on the hub: skipped (set DATA_DIR to use a copy of your own)", name)
        rows = []
    return [Example(clean(str(text)), int(label)) for text, label in rows]


def load_training(names: Iterable[str]) -> list[Example]:
    """Return the examples of the training sources, without any that overlaps an evaluation set."""
    evaluation = [example.text for name in EVALUATION for example in load(name)]
    return without_overlap([example for name in names for example in load(name)], evaluation)


def hold_out(examples: Sequence[Example], fraction: float, seed: int) -> tuple[list[Example], list[Example]]:
    """Split into (training, held out) by a hash of the text, so that more data moves no text across.

    Training examples that overlap a held-out one (SST-2 has phrases of one sentence) are dropped.
    """
    kept: list[Example] = []
    held: list[Example] = []
    for example in examples:
        digest = hashlib.sha256(f"{seed}:{example.text}".encode()).digest()
        (held if int.from_bytes(digest[:8], "big") < fraction * 2**64 else kept).append(example)
    return without_overlap(kept, [example.text for example in held]), held


def without_overlap(examples: Sequence[Example], others: Iterable[str]) -> list[Example]:
    """Return the examples that neither equal one of `others` nor, if short, share a shingle with a short one."""
    equal: set[str] = set()
    shared: set[str] = set()
    for text in others:
        words = _words(text)
        equal.add(" ".join(words))
        shared.update(_shingles(words))

    def is_new(text: str) -> bool:
        words = _words(text)
        return " ".join(words) not in equal and shared.isdisjoint(_shingles(words))

    return [example for example in examples if is_new(example.text)]


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _shingles(words: list[str]) -> set[str]:
    if len(words) >= LONG_TEXT:
        return set()
    return {" ".join(words[start : start + SHINGLE]) for start in range(len(words) - SHINGLE + 1)}


def _read_parquet(path: Path) -> list[tuple[str, int]]:
    import pyarrow.parquet

    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: point DATA_DIR at a folder with {path.parent.name}/{path.name}")
    table = pyarrow.parquet.read_table(path, columns=["text", "label"])
    return list(zip(table["text"].to_pylist(), table["label"].to_pylist(), strict=True))


def _read_hub(source: Source) -> list[tuple[str, int]]:
    from datasets import load_dataset

    rows = load_dataset(source.hub, split=source.split)
    return list(zip(rows[source.column], rows["label"], strict=True))
