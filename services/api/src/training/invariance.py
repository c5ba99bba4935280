"""How far a score moves when only a country, a name or a pronoun changes, which should not move it at all.

The sentence about countries is the one in the model card of distilbert-base-uncased-finetuned-sst-2-english, which
scores Afghanistan far below France. Names and pronouns are exchanged as in Garg et al., Counterfactual Fairness in
Text Classification (2019), https://arxiv.org/abs/1809.10610.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tqdm.auto import tqdm

from src.sentiment_analyzer.blindness import COUNTRIES
from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer
from src.training import frames
from src.training.swaps import any_of, swap_pronouns

FRAME = "This film was filmed in {}."


@dataclass(frozen=True, slots=True)
class Spread:
    """How far apart the scores of one sentence's variants lie."""

    difference: float
    """The largest between any two, of sentiment_scores."""
    lowest: str
    highest: str


def of_countries(analyzer: SentimentAnalyzer) -> Spread:
    """Return the spread over all countries of a sentence that says where a film was filmed."""
    countries = COUNTRIES
    scores = [score.sentiment_score for score in analyzer.analyze([FRAME.format(country) for country in countries])]
    low, high = int(np.argmin(scores)), int(np.argmax(scores))
    return Spread(scores[high] - scores[low], countries[low], countries[high])


def of_names(analyzer: SentimentAnalyzer, texts: Sequence[str]) -> NDArray[np.float64]:
    """Return the largest difference between any two variants of each text, float64 [texts].

    A text's variants: itself, itself with he and she exchanged, and one for each measured name, which takes the
    place of the first name that it mentions most.
    """
    differences = []
    for text in tqdm(texts, desc="names and pronouns", unit="review"):
        scores = [score.sentiment_score for score in analyzer.analyze(variants(text))]
        differences.append(max(scores) - min(scores))
    return np.array(differences)


def variants(text: str) -> list[str]:
    """Return the text, the text with other pronouns, and the text with each of the measured names."""
    names = [row["name"] for row in frames.table("names_measured.tsv")]
    [(mentioned, _)] = Counter(_common_names().findall(text)).most_common(1)
    this = any_of([mentioned])
    return [text, swap_pronouns(text), *(this.sub(name, text) for name in names)]


def with_names(texts: Sequence[str]) -> list[str]:
    """Return the texts that mention a common first name and use "he" or "she"."""
    names = _common_names()
    return [text for text in texts if names.search(text) and swap_pronouns(text) != text]


def _common_names() -> re.Pattern[str]:
    return any_of(row["name"] for row in frames.table("names_trained.tsv") if row["common"] == "yes")
