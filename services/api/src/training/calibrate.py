"""The temperature of a trained model."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from src.sentiment_analyzer.calibration import FILE as CALIBRATION
from src.sentiment_analyzer.calibration import fit_temperature
from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer
from src.training import data
from src.training.accuracy import CHUNK, labels_of


def calibrate(folder: Path, held_out: Sequence[data.Example]) -> float:
    """Fit the temperature of the model in `folder` on held-out training data, as served, and write it there."""
    (folder / CALIBRATION).unlink(missing_ok=True)
    analyzer = SentimentAnalyzer.load(str(folder))
    texts = [example.text for example in held_out]
    margins: list[float] = []
    for start in tqdm(range(0, len(texts), CHUNK), desc="calibrating", unit="chunk"):
        margins += [reading.margin for reading in analyzer.read(texts[start : start + CHUNK])]
    temperature = fit_temperature(np.array(margins), labels_of(held_out))
    content = {"temperature": temperature, "fitted_on": f"{len(held_out)} held-out training texts, int8 as served"}
    (folder / CALIBRATION).write_text(json.dumps(content, indent=2) + "\n")
    return temperature
