"""Reviews and what they should be scored: from the folder that DATA_DIR names, or else from the Hugging Face hub.

A folder holds Parquet files with the columns `text` and `label` (0 negative, 1 positive), e.g.
`train/sst2.parquet`, or with finer marks (`targets`). The hub has three of the sources; the rest is skipped there,
and said so.
"""

import hashlib
import logging
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from src.sentiment_analyzer.text import clean
from src.training import frames, targets
from src.training.targets import Row, Target

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
    target: Target = targets.by_label
    thin_positives: float = 1.0
    """Share of the positive texts that is kept, where a set has far more of them than of negative ones."""


SOURCES = {
    "sst2": Source("train/sst2.parquet", "stanfordnlp/sst2", column="sentence"),
    "rt_critics": Source("train/rt_critics.parquet", "cornell-movie-review-data/rotten_tomatoes"),
    "imdb": Source("train/imdb.parquet", "stanfordnlp/imdb"),
    "cad_new": Source("train/cad_new.parquet"),
    "imdb_ratings": Source("train/imdb.parquet", "stanfordnlp/imdb", target=targets.by_rating),
    "yts_imdb": Source("train/yts_imdb.parquet", target=targets.by_clear_rating, thin_positives=0.5),
    "pl_scale": Source("train/pl_scale.parquet", target=targets.by_rating01),
    "sst5_phrases": Source("extra/sst5_phrases.parquet", target=targets.by_five_way),
    "plots": Source("extra/subj_unlabelled.parquet", target=targets.neutral_if_objective),
    "sst2_dev": Source("eval/sst2_dev.parquet", "stanfordnlp/sst2", "validation", "sentence"),
    "imdb_test": Source("eval/imdb_test.parquet", "stanfordnlp/imdb", "test"),
}
EVALUATION = ("sst2_dev", "imdb_test")
HELD_OUT = ("sst2", "rt_critics", "imdb", "cad_new", "yts_imdb", "pl_scale")
"""Sources of which a share is held out: those with a label for each text."""
MADE = {"frames": frames.sentences, "contrasts": frames.contrasts}
"""The sources that are not read but made."""


@dataclass(frozen=True, slots=True)
class Example:
    """A cleaned text and its target: the probability of positive, in [0, 1]."""

    text: str
    target: float

    @property
    def label(self) -> int:
        """0 negative, 1 positive."""
        return int(self.target >= 0.5)


def load(name: str) -> list[Example]:
    """Return the examples of one source, in the order of the file; empty if the hub does not have it.

    :raises KeyError: no source has that name.
    :raises FileNotFoundError: DATA_DIR is set but lacks the file.
    """
    if name in MADE:
        return [Example(text, target) for text, target in MADE[name]()]
    source = SOURCES[name]
    folder = os.environ.get("DATA_DIR")
    if folder:
        rows = _read_parquet(Path(folder) / source.file)
    elif source.hub:
        rows = _read_hub(source)
    else:
        logger.warning("%s is not on the hub: skipped (set DATA_DIR to use a copy of your own)", name)
        rows = []
    return list(_examples(source, rows))


def load_training(names: Iterable[str]) -> list[Example]:
    """Return the examples of the training sources, without any that overlaps an evaluation set."""
    evaluation = [example.text for name in EVALUATION for example in load(name)]
    return without_overlap([example for name in names for example in load(name)], evaluation)


def held_out(fraction: float, seed: int, names: Iterable[str] = HELD_OUT) -> list[Example]:
    """Return a share of the labelled examples, drawn by a hash of the text, so that more data moves no text across."""
    return [example for example in load_training(names) if _draw(f"{seed}:{example.text}") < fraction]


def split(names: Iterable[str], fraction: float, seed: int) -> tuple[list[Example], list[Example]]:
    """Return (training, held out): the examples of the sources without any that overlaps a held-out one.

    SST-2 has phrases of one sentence, and other sources have the same texts again.
    """
    held = held_out(fraction, seed)
    return without_overlap(load_training(names), [example.text for example in held]), held


def _examples(source: Source, rows: Iterable[Row]) -> Iterator[Example]:
    for row in rows:
        target = source.target(row)
        if target is None or (target >= 0.5 and _draw(row["text"]) >= source.thin_positives):
            continue
        yield Example(clean(str(row["text"])), target)


def _draw(text: str) -> float:
    """Return a number in [0, 1) that follows from the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64


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


def _read_parquet(path: Path) -> list[Row]:
    import pyarrow.parquet

    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: point DATA_DIR at a folder with {path.parent.name}/{path.name}")
    return list(pyarrow.parquet.read_table(path).to_pylist())


def _read_hub(source: Source) -> list[Row]:
    from datasets import load_dataset

    rows = load_dataset(source.hub, split=source.split)
    return [{"text": row[source.column], "label": row["label"]} for row in rows]
