"""Sentences that are easily misread, written for this project and never trained on: `words/hard_cases.tsv`."""

import numpy as np

from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer
from src.training import frames

NO_OPINION = "plot"
"""The kind whose sentences are neither positive nor negative."""


def measure(analyzer: SentimentAnalyzer) -> dict[str, dict[str, float]]:
    """Return, by kind: how many texts, and the share that is read rightly; of plots, the mean distance from 0."""
    rows = frames.table("hard_cases.tsv")
    scores = np.array([score.sentiment_score for score in analyzer.analyze([row["text"] for row in rows])])
    right = (scores >= 0) == np.array([row["label"] == "1" for row in rows])
    kinds = np.array([row["kind"] for row in rows])
    figures = {}
    for kind in dict.fromkeys(kinds.tolist()):
        name, values = ("distance", abs(scores)) if kind == NO_OPINION else ("accuracy", right)
        figures[kind] = {"texts": int((kinds == kind).sum()), name: float(values[kinds == kind].mean())}
    return figures


def mistakes(analyzer: SentimentAnalyzer) -> list[tuple[str, str, float]]:
    """Return (kind, text, score) of each sentence that is read wrongly."""
    rows = [row for row in frames.table("hard_cases.tsv") if row["kind"] != NO_OPINION]
    scores = [score.sentiment_score for score in analyzer.analyze([row["text"] for row in rows])]
    return [
        (row["kind"], row["text"], score)
        for row, score in zip(rows, scores, strict=True)
        if (score >= 0) != (row["label"] == "1")
    ]
