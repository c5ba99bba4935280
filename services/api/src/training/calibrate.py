"""The temperature of a trained model."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from src.sentiment_analyzer.calibration import FILE as CALIBRATION
from src.sentiment_analyzer.calibration import Temperature, fit_by_length
from src.sentiment_analyzer.score import Reading
from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer
from src.training import data
from src.training.accuracy import CHUNK, labels_of


def calibrate(folder: Path, held_out: Sequence[data.Example]) -> Temperature:
    """Fit the temperature of the model in `folder` on held-out training data, as served, and write it there."""
    (folder / CALIBRATION).unlink(missing_ok=True)
    analyzer = SentimentAnalyzer.load(str(folder))
    texts = [example.text for example in held_out]
    readings: list[Reading] = []
    for start in tqdm(range(0, len(texts), CHUNK), desc="calibrating", unit="chunk"):
        readings += analyzer.read(texts[start : start + CHUNK])
    margins, tokens = [reading.margin for reading in readings], [reading.tokens for reading in readings]
    temperature = fit_by_length(np.array(margins), np.array(tokens), labels_of(held_out))
    content = {
        "temperature": asdict(temperature),
        "fitted_on": f"{len(held_out)} held-out training texts, int8 as served",
    }
    (folder / CALIBRATION).write_text(json.dumps(content, indent=2) + "\n")
    return temperature
