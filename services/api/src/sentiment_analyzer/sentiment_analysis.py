"""The analyzer: cleaning, tokens, windows, logits, calibrated score."""

import logging
from collections.abc import Sequence

from src.sentiment_analyzer import calibration
from src.sentiment_analyzer.checkpoint import Checkpoint, open_checkpoint
from src.sentiment_analyzer.engine import Engine
from src.sentiment_analyzer.score import Reading, Score
from src.sentiment_analyzer.text import clean
from src.sentiment_analyzer.windows import split

logger = logging.getLogger(__name__)

OVERLAP = 32
"""Tokens that neighbouring windows of a long review share."""
CANARIES = ("A wonderful film, one of the best I have ever seen.", "A terrible film, the worst I have ever seen.")


class SentimentAnalyzer:
    """A loaded model. Safe to share between threads.

    >>> analyzer = SentimentAnalyzer.load("model")
    >>> [score] = analyzer.analyze(["A wonderful film."])
    >>> score.sentiment_score > 0.9
    True
    """

    def __init__(self, checkpoint: Checkpoint, *, quantized: bool = True) -> None:
        """Build the engine. `load` is the usual way in."""
        self.version = checkpoint.version
        self.calibrated = checkpoint.temperature is not None
        self._temperature = checkpoint.temperature or 1.0
        self._positive = checkpoint.positive
        self._tokenizer = checkpoint.tokenizer
        self._engine = Engine(checkpoint, quantized=quantized)

    @classmethod
    def load(cls, path: str, *, quantized: bool = True) -> "SentimentAnalyzer":
        """Load the model in a folder, or of a hub id with an optional `@revision`, and quantize it to int8.

        Two canary sentences that come out the wrong way round are logged as a warning.

        :param quantized: False keeps float32, which is what int8 is compared with.
        :raises ModelError: it is missing, damaged, of another kind, or its labels are ambiguous.
        """
        analyzer = cls(open_checkpoint(path), quantized=quantized)
        positive, negative = analyzer.analyze(CANARIES)
        if positive.sentiment_score <= 0 or negative.sentiment_score >= 0:
            logger.warning("%s takes praise for blame: are its labels in config.json the right way round?", path)
        return analyzer

    @property
    def nbytes(self) -> int:
        """Bytes of weights in memory."""
        return self._engine.nbytes

    def analyze(self, texts: Sequence[str]) -> list[Score]:
        """Return the score of each text. A text's score does not depend on the other texts (1e-5)."""
        return [self._score(reading) for reading in self.read(texts)]

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """Return what the model makes of each text before calibration: the mean margin of its windows."""
        encodings = self._tokenizer.encode_batch([clean(text) for text in texts], add_special_tokens=False)
        windows = [split(encoding.ids, self._engine.window_size, OVERLAP) for encoding in encodings]
        logits = self._engine.logits([window for per_text in windows for window in per_text]).double()
        margins = logits[:, self._positive] - logits[:, 1 - self._positive]  # float64 [all windows]
        per_text = margins.split([len(of_text) for of_text in windows])
        return [
            Reading(float(margin.mean()), len(encoding.ids), len(margin))
            for margin, encoding in zip(per_text, encodings, strict=True)
        ]

    def _score(self, reading: Reading) -> Score:
        score = calibration.score(reading.margin, self._temperature)
        return Score(score, (1 + abs(score)) / 2, reading.tokens, reading.windows)
