"""The teacher's answers to the items of a corpus: Parquet files of logits, without the texts.

An item is named by its source, the row in it, its first token and its number of tokens. `answers/` has the answers that
the shipped student learned from, and the fingerprint of each source that they were given on.
"""

import hashlib
import json
import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from src.training.networks import LABELS
from src.training.stream import Corpus

logger = logging.getLogger(__name__)
COMMITTED = Path(__file__).parent / "answers"
_FINGERPRINTS = "fingerprints.json"
_PARTS = 2
"""Files, so that none is larger than some 5 MB."""
_LEAST = 0.5
"""The least share of the items that answers must cover."""

Floats = NDArray[np.float32]


def write(folder: Path, corpus: Corpus, logits: Floats) -> None:
    """Write the logits of a corpus, float32 [items, labels], in float16; NaN where there is no answer."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    order = np.lexsort((corpus.length, corpus.start))  # neighbours compress better
    order = order[np.isfinite(logits[order]).all(axis=1)]
    table = pa.table({
        "file": pa.array(corpus.source[order].tolist()).dictionary_encode(),
        "row_id": pa.array(corpus.row[order].astype(np.int32)),
        "first": pa.array(corpus.first[order].astype(np.uint16)),
        "tokens": pa.array(corpus.length[order].astype(np.uint16)),
        **{label: pa.array(logits[order, place].astype(np.float16)) for place, label in enumerate(LABELS)},
    })  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    size = -(-len(table) // _PARTS)
    for number in range(_PARTS):
        path = folder / f"answers-{number}.parquet"
        part = table.slice(number * size, size)
        pq.write_table(part, path, compression="zstd", compression_level=9, use_dictionary=["file"])
    (folder / _FINGERPRINTS).write_text(json.dumps(fingerprints(corpus), indent=2) + "\n")


def read(folder: Path, corpus: Corpus) -> Floats:
    """Return the logits of each item of a corpus, float32 [items, labels]; NaN where there is no answer.

    Sources that are not as they were when the teacher answered are left without answers, with a warning.
    """
    import pyarrow.parquet as pq

    table = pq.read_table(sorted(folder.glob("*.parquet")))
    names = ("file", "row_id", "first", "tokens")
    known = _keys(*(np.array(table[name].to_pylist()) for name in names))
    order = np.argsort(known, kind="stable")
    wanted = _keys(corpus.source, corpus.row, corpus.first, corpus.length)
    place = order[np.searchsorted(known, wanted, sorter=order).clip(max=len(known) - 1)]
    columns = [table[label].to_numpy() for label in LABELS]
    logits: Floats = np.stack(columns, axis=1).astype(np.float32)[place]
    logits[known[place] != wanted] = np.nan
    then = json.loads((folder / _FINGERPRINTS).read_text())
    for source, now in fingerprints(corpus).items():
        if then.get(source) != now:
            logger.warning("%s is not as it was when the teacher answered: its answers are not used", source)
            logits[corpus.source == source] = np.nan
    return logits


def check(logits: Floats) -> None:
    """Refuse answers that miss most of the items: what is left would train another model.

    :param logits: float32 [items, labels], NaN where there is no answer.
    :raises ValueError: they do.
    """
    known = int(np.isfinite(logits).all(axis=1).sum())
    if known < _LEAST * len(logits):
        raise ValueError(
            f"The teacher answered {known:,} of the {len(logits):,} items only: the data are not those that it "
            "read. Train a teacher on them: make train ARGS=--teacher"
        )


def fingerprints(corpus: Corpus) -> dict[str, str]:
    """Return for each source a hash of its texts as tokens."""
    _, first_item = np.unique(corpus.text, return_index=True)
    bounds = np.append(corpus.offsets, len(corpus.tokens))
    tokens = corpus.tokens.cpu().numpy().astype(np.uint16)
    digests = {}
    for source in np.unique(corpus.source).tolist():
        digest = hashlib.sha256()
        for text in np.unique(corpus.text[first_item][corpus.source[first_item] == source]).tolist():
            digest.update(tokens[bounds[text] : bounds[text + 1]].tobytes())
        digests[source] = digest.hexdigest()[:16]
    return digests


def _keys(source: NDArray[np.str_], *numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return one number for each item: made of source, row, first token, tokens."""
    names, place = np.unique(source, return_inverse=True)
    codes = np.array(
        [int.from_bytes(hashlib.sha256(name.encode()).digest()[:2], "big") >> 3 for name in names.tolist()]
    )
    key = codes[place].astype(np.int64)
    for number, bits in zip(numbers, (24, 16, 10), strict=True):
        key = (key << bits) | number.astype(np.int64)
    return key
