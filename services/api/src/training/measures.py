"""Measures of a model: accuracy, calibration, hard sentences, texts without an opinion, and fairness.

They take models with two labels and with three. `measured/` has texts that no training reads (see its README).
"""

import csv
import itertools
import random
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm.auto import tqdm

from src.sentiment_analyzer.readability import NOT_ENGLISH
from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer
from src.training import counterfactuals, names, sentences
from src.training.corpus import words_of

MEASURED = Path(__file__).parent / "measured"
CHUNK = 256
"""Texts that are scored between two moves of the progress bar."""
BINS = 15
RESAMPLES = 1000
UNSURE = 0.7
"""An answer with a confidence below this claims little."""
NAMES_EACH = 5
"""Names of each origin that take each other's place in whole reviews."""
NEVER_TRAINED = "name, never trained on"
ALL, NEW = "all", "never trained on"
SENTIMENTS = ("negative", "neutral", "positive")
PRONOUNS = {"subject": ("he", "she"), "object": ("him", "her"), "possessive": ("his", "her")}

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """The answers to some texts, in their order."""

    score: Floats
    """P(positive) - P(negative), float64 [texts]."""
    neutral: Floats
    """P(neutral), float64 [texts]; zero of a model with two labels."""
    confidence: Floats
    """Probability of the likeliest sentiment, float64 [texts]."""
    sentiment: NDArray[np.str_]
    """The likeliest sentiment, str [texts]."""

    def of(self, some: Flags) -> "Answers":
        """Return the answers to some of the texts."""
        return Answers(self.score[some], self.neutral[some], self.confidence[some], self.sentiment[some])

    @property
    def positive(self) -> Floats:
        """P(positive) / (P(positive) + P(negative)), float64 [texts]."""
        rest = np.maximum(1 - self.neutral, 1e-12)
        return np.clip((1 + self.score / rest) / 2, 0, 1)


def answers(analyzer: SentimentAnalyzer, texts: Sequence[str], description: str | None = None) -> Answers:
    """Return the answers to `texts`; shows progress where there is a description."""
    order = np.argsort([len(text) for text in texts], kind="stable")
    score, neutral, confidence = (np.zeros(len(texts)) for _ in range(3))
    sentiment = np.empty(len(texts), dtype="U8")
    with tqdm(total=len(texts), desc=description, unit="text", disable=description is None) as progress:
        for start in range(0, len(order), CHUNK):
            chunk = order[start : start + CHUNK]
            given = analyzer.analyze([texts[index] for index in chunk])
            score[chunk] = [one.sentiment_score for one in given]
            neutral[chunk] = [one.p_neutral or 0.0 for one in given]
            confidence[chunk] = [one.confidence for one in given]
            sentiment[chunk] = [one.sentiment for one in given]
            progress.update(len(chunk))
    return Answers(score, neutral, confidence, sentiment)


def sign_is_right(given: Answers, labels: NDArray[np.integer]) -> Flags:
    """Return for each text whether the sign of its score is that of its label (0 negative, 1 positive)."""
    return np.asarray((given.score >= 0) == (labels == 1))


@dataclass(frozen=True, slots=True)
class Calibration:
    """The distance of probabilities from frequencies: the root of the debiased squared error, and its 95% interval."""

    error: float
    low: float
    high: float


def calibration(probability: Floats, outcome: Flags, *, seed: int = 0) -> Calibration:
    """Return the calibration error of probabilities of an outcome, over equal-mass bins.

    The squared distance of a bin's mean probability from its frequency is too large by the frequency's variance, which
    is taken off: Kumar, Liang and Ma, Verified Uncertainty Calibration (2019), https://arxiv.org/abs/1909.10155.
    The interval is that of a bootstrap over texts.
    """
    draw = np.random.default_rng(seed)
    samples = (draw.integers(0, len(probability), len(probability)) for _ in range(RESAMPLES))
    errors = [_debiased(probability[sample], outcome[sample]) for sample in samples]
    low, high = np.percentile(errors, [2.5, 97.5])
    return Calibration(_debiased(probability, outcome), float(low), float(high))


def _debiased(probability: Floats, outcome: Flags) -> float:
    order = np.argsort(probability, kind="stable")
    squared = 0.0
    for inside in np.array_split(order, BINS):
        if len(inside) < 2:
            continue
        frequency = outcome[inside].mean()
        variance = frequency * (1 - frequency) / (len(inside) - 1)
        squared += len(inside) / len(order) * float((probability[inside].mean() - frequency) ** 2 - variance)
    return float(np.sqrt(max(0.0, squared)))


def macro_f1(given: Answers, truth: Sequence[str]) -> float:
    """Return the mean over the three sentiments of F1, the harmonic mean of precision and recall."""
    true = np.asarray(truth)
    scores = []
    for sentiment in SENTIMENTS:
        hit = ((given.sentiment == sentiment) & (true == sentiment)).sum()
        scores.append(2 * hit / max(1, (given.sentiment == sentiment).sum() + (true == sentiment).sum()))
    return float(np.mean(scores))


@dataclass(frozen=True, slots=True)
class Share:
    """The number of texts of a kind, and the share that is answered acceptably."""

    texts: int
    right: float


def turns(analyzer: SentimentAnalyzer) -> dict[str, Share]:
    """Return the share of the hard sentences that is answered rightly: of all, and of each kind.

    Those that are not among the sentences that training writes, by chance, are also given apart.
    """
    rows = table("turns.tsv")
    given = answers(analyzer, [row["text"] for row in rows])
    return _shares(rows, given.sentiment == np.array([row["label"] for row in rows]))


def off_domain(analyzer: SentimentAnalyzer) -> dict[str, Share]:
    """Return the share of the texts without an opinion that is answered as such: of all, and of each kind.

    Neutral is right, and so is any answer with a confidence below `UNSURE`. Texts that are not among the sentences that
    training writes, by chance, are also given apart.
    """
    rows = table("off_domain.tsv")
    given = answers(analyzer, [row["text"] for row in rows])
    return _shares(rows, (given.sentiment == "neutral") | (given.confidence < UNSURE))


def foreign(analyzer: SentimentAnalyzer) -> Share:
    """Return the share of the reviews in other languages that is warned about."""
    rows = table("foreign.tsv")
    tokenized = analyzer.tokenize([row["text"] for row in rows])
    return Share(len(rows), float(np.mean([NOT_ENGLISH in text.warnings for text in tokenized])))


def typed(analyzer: SentimentAnalyzer) -> list[tuple[str, str, float, bool]]:
    """Return (text, sentiment, score, whether a person would accept that) for each text that strangers type first."""
    rows = table("typed.tsv")
    given = answers(analyzer, [row["typed"] for row in rows])
    accepted = [row["accepted"].split(",") for row in rows]
    return [
        (row["typed"], str(said), float(score), said in good or ("unsure" in good and sure < UNSURE))
        for row, good, said, score, sure in zip(
            rows, accepted, given.sentiment, given.score, given.confidence, strict=True
        )
    ]


@dataclass(frozen=True, slots=True)
class Spread:
    """The largest difference of sentiment_score between two fillings of one template."""

    difference: float
    template: str
    lowest: str
    highest: str


def spreads(analyzer: SentimentAnalyzer) -> dict[str, Spread]:
    """Return the template that tells fillings apart most, for countries, names, nationalities, religions, pronouns.

    Names that the training never read are also given apart.
    """
    worst: dict[str, Spread] = {}
    for row in table("identities.tsv"):
        texts = {name: fill(row["template"]) for name, fill in _fillings(row["kind"]).items()}
        scores = dict(zip(texts, answers(analyzer, list(texts.values())).score.tolist(), strict=True))
        kinds = {row["kind"]: scores}
        if row["kind"] == "name":
            kinds[NEVER_TRAINED] = {name: scores[name] for name in never_trained()}
        for kind, of_kind in kinds.items():
            spread = _spread(row["template"], of_kind)
            if kind not in worst or spread.difference > worst[kind].difference:
                worst[kind] = spread
    return worst


def never_trained() -> list[str]:
    """Return the measured names that are in no list that training fills in."""
    trained = {name.lower() for name in names.first_names()}
    return [row["name"] for row in table("measured_names.tsv") if row["name"].lower() not in trained]


def _spread(template: str, scores: Mapping[str, float]) -> Spread:
    lowest, highest = min(scores, key=scores.__getitem__), max(scores, key=scores.__getitem__)
    return Spread(scores[highest] - scores[lowest], template, lowest, highest)


def _fillings(kind: str) -> dict[str, Callable[[str], str]]:
    if kind == "pronoun":
        return {PRONOUNS["subject"][index]: _with_pronouns(index) for index in (0, 1)}
    words = {
        "country": names.countries(),
        "name": [row["name"] for row in table("measured_names.tsv")],
        "nationality": NATIONALITIES,
        "religion": RELIGIONS,
    }[kind]
    return {word: _with_word(kind, word) for word in words}


def _with_word(kind: str, word: str) -> Callable[[str], str]:
    return lambda template: template.replace(f"{{{kind}}}", word)


def _with_pronouns(index: int) -> Callable[[str], str]:
    def fill(template: str) -> str:
        for part, words in PRONOUNS.items():
            template = template.replace(f"{{{part}}}", words[index])
            template = template.replace(f"{{{part.capitalize()}}}", words[index].capitalize())
        return template

    return fill


def names_in_reviews(analyzer: SentimentAnalyzer, reviews: Sequence[str]) -> tuple[Floats, Floats]:
    """Return the largest difference between any two variants of each review: with all names, and with new ones alone.

    A variant has another name in the place of the first name that the review mentions most: `NAMES_EACH` names of each
    of eight origins, drawn with a fixed seed. The second differences are those between the names that training never
    read.
    """
    draw = random.Random(0)  # noqa: S311  # a sample, not a secret
    by_origin: dict[str, list[str]] = {}
    for row in table("measured_names.tsv"):
        by_origin.setdefault(row["origin"], []).append(row["name"])
    drawn = [name for each in by_origin.values() for name in draw.sample(each, NAMES_EACH)]
    new = [name for name in drawn if name in never_trained()]
    differences = []
    for review in tqdm(reviews, desc="names in reviews", unit="review"):
        mentioned = mentioned_name(review)
        if mentioned is None:
            continue
        this = re.compile(rf"\b{re.escape(mentioned)}\b")
        variants = {name: this.sub(name, review) for name in (mentioned, *drawn)}
        scores = dict(zip(variants, answers(analyzer, list(variants.values())).score, strict=True))
        differences.append([np.ptp([scores[name] for name in some]) for some in (variants, new)])
    of_all, of_new = np.array(differences, dtype=float).reshape(-1, 2).T
    return of_all, of_new


def mentioned_name(review: str) -> str | None:
    """Return the common first name that a review mentions most, None if it mentions none."""
    found = Counter(_COMMON_NAME.findall(review)).most_common(1)
    return found[0][0] if found else None


def _shares(rows: Sequence[Mapping[str, str]], right: Flags) -> dict[str, Share]:
    kinds = np.array([row["kind"] for row in rows])
    new = np.array([not is_written(row["text"]) for row in rows])
    parts = {ALL: right, NEW: right[new]} | {kind: right[kinds == kind] for kind in dict.fromkeys(kinds.tolist())}
    return {kind: Share(len(part), float(part.mean())) for kind, part in parts.items()}


def is_written(text: str) -> bool:
    """Tell whether a text is among the sentences that training writes and reads, punctuation and case aside."""
    return (words_of(text) or text) in _written()


@cache
def _written() -> frozenset[str]:
    alone = (made.text for made in sentences.written() if not made.held_out)
    grouped = (text for group in counterfactuals.of_frames() if not group.held_out for text in group.texts)
    return frozenset(words_of(text) or text for text in itertools.chain(alone, grouped))


def table(name: str) -> list[dict[str, str]]:
    """Return the rows of a TSV in `measured/`."""
    with (MEASURED / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


RELIGIONS = (
    "Christian", "Catholic", "Protestant", "Orthodox", "Jewish", "Muslim", "Hindu", "Buddhist", "Sikh", "Mormon",
    "Quaker", "atheist",
)  # fmt: skip
NATIONALITIES = (
    "American", "British", "French", "German", "Italian", "Spanish", "Russian", "Polish", "Turkish", "Greek",
    "Iranian", "Iraqi", "Israeli", "Palestinian", "Egyptian", "Nigerian", "Kenyan", "South African", "Indian",
    "Pakistani", "Chinese", "Japanese", "Korean", "Vietnamese", "Indonesian", "Mexican", "Brazilian", "Colombian",
    "Canadian", "Australian", "Norwegian", "Afghan", "Syrian", "Ukrainian", "Cuban", "Jamaican",
)  # fmt: skip
_COMMON_NAME = re.compile(
    r"\b(?:James|John|Robert|Michael|William|David|Richard|Joseph|Thomas|Charles|Daniel|Matthew|Anthony|Paul|Steven|"
    r"Kevin|Brian|George|Peter|Tom|Jack|Bill|Jim|Joe|Mary|Jennifer|Linda|Elizabeth|Barbara|Susan|Jessica|Sarah|Karen|"
    r"Nancy|Lisa|Betty|Sandra|Ashley|Emily|Kimberly|Donna|Michelle|Carol|Amanda|Melissa|Laura|Anna|Kate|Julia|Jane)\b"
)
