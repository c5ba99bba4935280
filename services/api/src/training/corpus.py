"""The texts of the distillation as token ids, for teacher and student alike.

Both encoders have BERT's uncased vocabulary, the teacher's shifted by a constant. She and he are one word from here on
(`PRONOUNS`), and the exported student has one embedding for both.
"""

import hashlib
import itertools
import json
import logging
import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from src.sentiment_analyzer.symbols import spell_out
from src.sentiment_analyzer.text import clean
from src.sentiment_analyzer.windows import split as split_windows
from src.training import counterfactuals, data, sentences, tables
from src.training.stream import KINDS

logger = logging.getLogger(__name__)
Row: TypeAlias = dict[str, Any]
Target: TypeAlias = sentences.Target

PRONOUNS = (("he", "she"), ("his", "him", "her", "hers"), ("himself", "herself"))
"""Words of one group are read as its first."""
SHINGLE, LONG_TEXT = 8, 100
"""Two texts under LONG_TEXT words that share SHINGLE consecutive ones are taken for versions of one text."""
SENTENCES_HELD_OUT, PAIRS_HELD_OUT, OTHERS_HELD_OUT = 0.05, 0.2, 0.02
WINDOW, OVERLAP, MOST_WINDOWS = 510, 32, 2
SEGMENTS = {"sentence": 520_000, "clause": 200_000, "two": 80_000}
"""Parts of reviews that the teacher answers: single sentences, parts of them, and two sentences in a row."""

FIVE_WAY: tuple[Target, ...] = (
    (0.96, 0.03, 0.01),
    (0.82, 0.16, 0.02),
    (0.06, 0.88, 0.06),
    (0.02, 0.16, 0.82),
    (0.01, 0.03, 0.96),
)
STARS: dict[float, Target] = {
    0: (0.97, 0.02, 0.01), 1: (0.97, 0.02, 0.01), 2: (0.96, 0.03, 0.01), 3: (0.94, 0.05, 0.01), 4: (0.86, 0.12, 0.02),
    5: (0.32, 0.58, 0.10), 6: (0.10, 0.58, 0.32), 7: (0.03, 0.13, 0.84), 8: (0.01, 0.05, 0.94), 9: (0.01, 0.03, 0.96),
    10: (0.01, 0.02, 0.97),
}  # fmt: skip
BY_LABEL: tuple[Target, Target] = ((0.93, 0.05, 0.02), (0.02, 0.05, 0.93))


@dataclass(slots=True)
class Text:
    """A cleaned text of a source, and its target where it has one."""

    source: str
    row: int
    text: str
    target: Target | None = None
    held_out: bool = False
    kind: str = "review"
    group: int = -1
    note: str = ""
    words: str = field(default="")
    """The text's words in lower case, joined by spaces."""


def by_stars(stars: float) -> Target:
    """Return the target of a review by its stars out of ten, between those of whole stars where there are halves."""
    low = int(stars)
    part = stars - low
    before, after = STARS[low], STARS[min(low + 1, 10)]
    negative, neutral, positive = (a + part * (b - a) for a, b in zip(before, after, strict=True))
    return negative, neutral, positive


def target_of(source: str, row: Row) -> Target | None:
    """Return a row's target, None where it has no label."""
    if source == "sst5_phrases":
        return FIVE_WAY[row["label5"]]
    if source in ("pl_scale", "pl_scale_middle"):
        return by_stars(10 * row["rating01"])
    if row.get("rating") is not None:
        return by_stars(row["rating"])
    if source == "subj_unlabelled":
        return (0.04, 0.92, 0.04) if row["kind"] == "objective" else None
    if source == "sst2":
        return (FIVE_WAY[1], FIVE_WAY[3])[row["label"]]
    label = row.get("label")
    return BY_LABEL[int(label)] if label in (0, 1) else None  # the hub's IMDb has -1 where there is no label


def read() -> list[Text]:
    """Return the texts of all sources, those of SST once where both of its sources have them."""
    texts: list[Text] = []
    seen: set[str] = set()
    for source in data.SOURCES:
        for row in data.rows(source):
            text = spell_out(clean(row["text"]))
            kind = {"rt_critics": "snippet", "subj_unlabelled": "snippet"}.get(source, "review")
            if source in ("sst5_phrases", "sst2"):
                kind = "phrase"
                key = " ".join(text.lower().split())
                if key in seen:
                    continue
                seen.add(key)
            texts.append(Text(source, row["row_id"], text, target_of(source, row), kind=kind))
    return texts


def words_of(text: str) -> str:
    """Return the words of a text in lower case, joined by spaces."""
    return " ".join(re.findall(r"\w+", text.lower()))


def spans_of(words: str) -> Iterator[str]:
    """Yield every run of consecutive words."""
    parts = words.split()
    for start in range(len(parts)):
        for end in range(start + 1, len(parts) + 1):
            yield " ".join(parts[start:end])


def mark_sentences(texts: Sequence[Text]) -> int:
    """Mark SST's whole sentences (a phrase that is part of no longer one) and hold out a share with all their parts.

    Returns how many sentences are held out.
    """
    phrases = sorted((text for text in texts if text.kind == "phrase"), key=lambda text: -len(text.words.split()))
    known: set[str] = set()
    held: set[str] = set()
    count = 0
    for text in phrases:
        if not text.words or text.words in known:
            continue
        spans = set(spans_of(text.words))
        known |= spans
        text.kind = "sentence"
        if _draw(f"sst:{text.words}") < SENTENCES_HELD_OUT:
            held |= spans
            count += 1
    for text in phrases:
        if text.words in held:
            text.held_out = True
    return count


def mark_pairs(texts: Sequence[Text]) -> int:
    """Pair each minimally edited review with its original, and hold out a share of the pairs. Returns how many.

    cad_new has the edited ones, `imdb` the originals: they share a beginning or an end of eight words.
    """
    ends: dict[str, list[Text]] = defaultdict(list)
    for text in texts:
        if text.source == "imdb":
            words = text.words.split()
            ends["b " + " ".join(words[:8])].append(text)
            ends["e " + " ".join(words[-8:])].append(text)
    pairs = 0
    for text in texts:
        if text.source != "cad_new":
            continue
        words = text.words.split()
        own = set(words)
        best, original = 0.0, None
        for other in ends["b " + " ".join(words[:8])] + ends["e " + " ".join(words[-8:])]:
            theirs = set(other.words.split())
            likeness = len(own & theirs) / len(own | theirs)
            if likeness > best:
                best, original = likeness, other
        held = _draw(f"cad:{text.words}") < PAIRS_HELD_OUT
        text.held_out = held
        if original is not None and best > 0.5:
            opposite = (text.target or (0,))[0] > 0.5, (original.target or (0,))[0] > 0.5
            if opposite[0] != opposite[1]:
                original.held_out |= held
                if held:
                    text.note = original.note = f"pair{text.row}"
                pairs += held
    return pairs


def overlapping(texts: Sequence[Text], others: Iterable[str]) -> list[bool]:
    """Return, by text, whether it equals one of `others` (words) or, if short, shares a shingle with a short one."""
    equal: set[str] = set()
    shared: set[str] = set()
    for words in others:
        equal.add(words)
        shared.update(_shingles(words))
    return [text.words in equal or not shared.isdisjoint(_shingles(text.words)) for text in texts]


def _shingles(words: str) -> list[str]:
    parts = words.split()
    if len(parts) >= LONG_TEXT:
        return []
    return [" ".join(parts[start : start + SHINGLE]) for start in range(len(parts) - SHINGLE + 1)]


def _draw(text: str) -> float:
    """Return a number in [0, 1) that follows from the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64


def found() -> list[Text]:
    """Return the texts of the sources, held-out ones marked, without any that overlaps an evaluation set."""
    started = time.monotonic()
    texts = read()
    for text in texts:
        text.words = words_of(text.text)
    _report("read", texts, started)
    bad = overlapping(texts, _evaluation())
    texts = [text for text, overlaps in zip(texts, bad, strict=True) if not overlaps]
    _report("without overlaps of the evaluation sets", texts, started)
    logger.info("%d SST sentences held out", mark_sentences(texts))
    logger.info("%d pairs of edited reviews held out", mark_pairs(texts))
    for text in texts:
        if text.kind not in ("phrase", "sentence") and text.source not in ("cad_new", "imdb_unsup"):
            text.held_out |= text.target is not None and _draw(f"7:{text.text}") < OTHERS_HELD_OUT
    held = [text.words for text in texts if text.held_out and text.kind != "phrase"]
    bad = overlapping(texts, held)
    texts = [text for text, overlaps in zip(texts, bad, strict=True) if text.held_out or not overlaps]
    _report("without overlaps of held-out texts", texts, started)
    return texts


def held_out() -> list[Text]:
    """Return the texts of the sources that are never trained on."""
    return [text for text in found() if text.held_out]


def gather() -> list[Text]:
    """Return all texts of the distillation: those of the sources, and those that this project writes."""
    started = time.monotonic()
    texts = found()
    written = list(_written()) + list(_groups(texts))
    for row, (sentence, spread) in enumerate(counterfactuals.spreads()):
        written.append(Text("written", 1_000_000 + row, sentence, None, held_out=True, kind="written", note=spread))
    for text in written:
        text.words = words_of(text.text)
    never = _evaluation() + [words_of(row["text"]) for row in tables.rows("hard_cases.tsv")]
    bad = overlapping(written, never)
    dropped = {text.group for text, overlaps in zip(written, bad, strict=True) if overlaps and text.group >= 0}
    written = [text for text, overlaps in zip(written, bad, strict=True) if not overlaps and text.group not in dropped]
    _report("written", written, started)
    return texts + written


def _evaluation() -> list[str]:
    return [words_of(example.text) for name in data.EVALUATION for example in data.load(name)]


def _written() -> Iterator[Text]:
    for row, made in enumerate(sentences.written()):
        text = spell_out(made.text)
        yield Text("written", row, text, made.target, held_out=made.held_out, kind="written", note=made.kind)


def _groups(texts: Sequence[Text]) -> Iterator[Text]:
    groups = itertools.chain(counterfactuals.of_frames(), _found_groups(texts))
    for number, group in enumerate(groups):
        for place, variant in enumerate(group.texts):
            row = counterfactuals.SIZE * number + place
            yield Text("counterfactual", row, spell_out(variant), group.target, held_out=group.held_out,
                       kind="counterfactual", group=number, note=group.kind)  # fmt: skip


def _found_groups(texts: Sequence[Text]) -> Iterator[counterfactuals.Group]:
    draw = random.Random(5)  # noqa: S311  # a sample, not a secret
    shuffled = draw.sample(list(texts), len(texts))
    known = [text for text in shuffled if not text.held_out]
    short = (
        text.text for text in known if text.kind in ("snippet", "phrase", "sentence") and len(text.words.split()) > 3
    )
    yield from counterfactuals.of_found(short, 4000, 1)
    parts = (part for text in known if text.source in ("imdb", "yts_imdb", "imdb_unsup")
             for part in re.split(r"(?<=[.!?])\s+", text.text)[:12] if 4 <= len(part.split()) <= 60)  # fmt: skip
    yield from counterfactuals.of_found(parts, 5000, 2)
    whole = (" ".join(text.text.split()[:220]) for text in known if text.source in ("imdb", "yts_imdb"))
    yield from counterfactuals.of_found(itertools.islice(whole, 6000), 2000, 3)


def _report(what: str, texts: Sequence[Text], started: float) -> None:
    counts = Counter(text.source for text in texts)
    held = Counter(text.source for text in texts if text.held_out)
    figures = ", ".join(f"{source} {count:,} ({held[source]:,} held out)" for source, count in counts.items())
    logger.info("%s, %.0f s: %s", what, time.monotonic() - started, figures)


def cut_reviews(tokens: Sequence[NDArray[np.uint16]], stops: tuple[int, ...], closing: tuple[int, ...],
                digits: frozenset[int], seed: int) -> NDArray[np.int32]:  # fmt: skip
    """Return parts of reviews, int32 [parts, 3]: review, first token, tokens.

    :param stops: ids of full stop, exclamation mark, question mark; `closing`: of quotes and brackets after one.
    :param digits: ids of numbers, after which a full stop ends nothing.
    """
    draw = np.random.default_rng(seed)
    whole: list[tuple[int, int, int]] = []
    two: list[tuple[int, int, int]] = []
    clauses: list[tuple[int, int, int]] = []
    is_stop, is_closing, is_digit, is_comma = (np.zeros(65536, bool) for _ in range(4))
    is_stop[list(stops)] = is_closing[[*stops, *closing]] = is_digit[list(digits)] = True
    is_comma[[1010, 1025, 1024, 2021, 2021, 2096, 2348]] = True  # , ; : but while although
    for review, ids in enumerate(tokens):
        after = np.append(ids[1:], 0)
        ends = np.flatnonzero(is_stop[ids] & ~is_closing[after] & ~is_digit[after])
        # a closing mark after a stop ends the sentence instead of the stop
        late = np.flatnonzero(is_closing[ids] & ~is_stop[ids] & is_stop[np.append(0, ids[:-1])])
        bounds = np.unique(np.concatenate([[0], ends + 1, late + 1, [len(ids)]]))
        for start, end in itertools.pairwise(bounds.tolist()):
            length = end - start
            if 4 <= length <= 64:
                whole.append((review, start, length))
                commas = np.flatnonzero(is_comma[ids[start:end]]) + start
                if len(commas):
                    cuts = [start, *commas.tolist(), end]
                    for first, last in itertools.pairwise(cuts):
                        if last - first >= 4:
                            clauses.append((review, first + (first > start), last - first - (first > start)))
        for (start, middle), (_, end) in itertools.pairwise(itertools.pairwise(bounds.tolist())):
            if end - start <= 96 and middle - start >= 4:
                two.append((review, start, end - start))
    parts = []
    for found, most in zip((whole, clauses, two), SEGMENTS.values(), strict=True):
        array = np.array(found, np.int32).reshape(-1, 3)
        parts.append(array[np.sort(draw.permutation(len(array))[:most])])
    return np.concatenate(parts)


def build(tokenizer: Tokenizer, out: Path) -> None:
    """Write a corpus: `tokens.npy`, `texts.parquet` (the origin of each) and `items.npz` (the parts to be read)."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    texts = gather()
    ids = tokenize(texts, tokenizer)
    keep = [index for index, row in enumerate(ids) if len(row)]
    texts, ids = [texts[index] for index in keep], [ids[index] for index in keep]
    table = items_of(texts, ids, tokenizer.get_vocab())
    rows = table[:, 0]
    targets = np.array([text.target or (0.0, 0.0, 0.0) for text in texts])[rows]
    targets[table[:, 3] == KINDS.index("segment")] = 0  # the part of a review may say something else than the whole
    out.mkdir(parents=True, exist_ok=True)
    np.save(out / "tokens.npy", np.concatenate(ids))
    pq.write_table(
        pa.table({
            "file": pa.array([text.source for text in texts]).dictionary_encode(),
            "row_id": pa.array([text.row for text in texts], pa.int32()),
            "length": pa.array([len(row) for row in ids], pa.int32()),
            "held_out": pa.array([text.held_out for text in texts]),
            "group": pa.array([text.group for text in texts], pa.int32()),
            "note": pa.array([text.note for text in texts]).dictionary_encode(),
        }),
        out / "texts.parquet", compression="zstd",
    )  # fmt: skip
    np.savez(
        out / "items.npz",
        text=rows, first=table[:, 1], length=table[:, 2].astype(np.uint16), kind=table[:, 3].astype(np.uint8),
        target=np.round(targets * 255).astype(np.uint8),
    )  # fmt: skip
    (out / "summary.json").write_text(json.dumps(summary(texts, ids, table), indent=2) + "\n")


def tokenize(texts: Sequence[Text], tokenizer: Tokenizer) -> list[NDArray[np.uint16]]:
    """Return the token ids of each text, with one word in the place of each group of pronouns."""
    vocabulary = tokenizer.get_vocab()
    one_word = np.arange(65536, dtype=np.uint16)
    for group in PRONOUNS:
        for word in group:
            one_word[vocabulary[word]] = vocabulary[group[0]]
    ids: list[NDArray[np.uint16]] = []
    for start in range(0, len(texts), 4096):
        chunk = [text.text for text in texts[start : start + 4096]]
        encodings = tokenizer.encode_batch(chunk, add_special_tokens=False)
        ids += [one_word[np.array(encoding.ids, np.uint16)] for encoding in encodings]
    return ids


def items_of(
    texts: Sequence[Text], ids: Sequence[NDArray[np.uint16]], vocabulary: Mapping[str, int]
) -> NDArray[np.int32]:
    """Return the items that are read, int32 [items, 4]: text, first token, tokens, kind."""
    items: list[tuple[int, int, int, int]] = []
    for index, (text, row) in enumerate(zip(texts, ids, strict=True)):
        if text.kind == "review":
            windows = split_windows(range(len(row)), WINDOW, OVERLAP)
            if len(windows) > MOST_WINDOWS and not text.held_out:
                windows = [windows[0], windows[-1]]
            items += [(index, window[0], len(window), KINDS.index("review")) for window in windows]
        else:
            items.append((index, 0, min(WINDOW, len(row)), KINDS.index(text.kind)))
    cut = [index for index, text in enumerate(texts) if text.kind == "review" and not text.held_out
           and text.source in ("imdb", "yts_imdb", "yts_unlabelled", "imdb_unsup")]  # fmt: skip
    stops = tuple(vocabulary[mark] for mark in ".!?")
    closing = tuple(vocabulary[mark] for mark in ('"', "'", ")"))
    digits = frozenset(number for word, number in vocabulary.items() if word.isdigit())
    parts = cut_reviews([ids[index] for index in cut], stops, closing, digits, 3)
    items += [(cut[review], first, length, KINDS.index("segment")) for review, first, length in parts.tolist()]
    return np.array(items, np.int32)


def summary(texts: Sequence[Text], ids: Sequence[NDArray[np.uint16]], items: NDArray[np.int32]) -> dict[str, Any]:
    """Return how many texts, held-out texts and tokens of each source, and items of each kind, there are."""
    sources = {source: {"texts": 0, "held_out": 0, "tokens": 0} for source in dict.fromkeys(t.source for t in texts)}
    for text, row in zip(texts, ids, strict=True):
        entry = sources[text.source]
        entry["texts"] += 1
        entry["held_out"] += text.held_out
        entry["tokens"] += len(row)
    return {"sources": sources, "items": dict(Counter(KINDS[kind] for kind in items[:, 3]))}


def tie_pronouns(words: Tensor, tokenizer: Tokenizer) -> None:
    """Give the words of each group of pronouns the embedding of the first, which alone is trained."""
    vocabulary = tokenizer.get_vocab()
    with torch.no_grad():
        for first, *others in PRONOUNS:
            for other in others:
                words[vocabulary[other]] = words[vocabulary[first]]
