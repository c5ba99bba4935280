"""The analyzer: clean a text, blind it to countries and names, tokenize it, cut windows, compute logits, calibrate."""

import logging
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from src.sentiment_analyzer import calibration
from src.sentiment_analyzer.blindness import blind
from src.sentiment_analyzer.checkpoint import Checkpoint, open_checkpoint
from src.sentiment_analyzer.engines.engine import open_engine
from src.sentiment_analyzer.score import Reading, Score, Tokenized
from src.sentiment_analyzer.text import clean
from src.sentiment_analyzer.windows import WINDOWING, Windowing, split

logger = logging.getLogger(__name__)

CANARIES = ("A wonderful film, one of the best I have ever seen.", "A terrible film, the worst I have ever seen.")


class SentimentAnalyzer:
    """A loaded model. Safe to share between threads.

    >>> analyzer = SentimentAnalyzer.load("model")
    >>> [score] = analyzer.analyze(["A wonderful film."])
    >>> score.sentiment_score > 0.9
    True
    """

    def __init__(
        self, checkpoint: Checkpoint, *, quantized: bool = True, windowing: Windowing = WINDOWING, blinded: bool = True
    ) -> None:
        """Build the engine for an open checkpoint. Use `load` for a path."""
        self.version = checkpoint.version
        self.calibrated = checkpoint.temperature is not None
        self._temperature = checkpoint.temperature or calibration.Temperature(1.0, 1.0)
        self._positive = checkpoint.positive
        self._tokenizer = checkpoint.tokenizer
        self._engine = open_engine(checkpoint, quantized=quantized)
        self._windowing = windowing
        self._blind = blind if blinded else str

    @classmethod
    def load(
        cls, path: str, *, quantized: bool = True, windowing: Windowing = WINDOWING, blinded: bool = True
    ) -> "SentimentAnalyzer":
        """Load the model from a folder, or by a hub id with an optional `@revision`, and quantize it to int8.

        A warning is logged if two canary sentences, praise and blame, get scores of the opposite sign.

        :param quantized: False computes in float32, as the reference for int8.
        :param windowing: the windows of long reviews; other values serve to measure the default.
        :param blinded: False keeps countries and names as they are, to measure the effect of blinding.
        :raises ModelError: the model is missing, damaged, or not a DistilBERT, or its labels are ambiguous.
        """
        analyzer = cls(open_checkpoint(path), quantized=quantized, windowing=windowing, blinded=blinded)
        positive, negative = analyzer.analyze(CANARIES)
        if positive.sentiment_score <= 0 or negative.sentiment_score >= 0:
            logger.warning(
                "%s scores praise as negative or blame as positive. Check id2label in its config.json: is it swapped?",
                path,
            )
        return analyzer

    @property
    def ready(self) -> bool:
        """Always True: a model in this process can score once it is loaded."""
        return True

    @property
    def engine(self) -> str:
        """The name of the engine that computes: the kernel or PyTorch."""
        return self._engine.name

    @property
    def nbytes(self) -> int:
        """The bytes of weights in memory."""
        return self._engine.nbytes

    def analyze(self, texts: Sequence[str], *, background: bool = False) -> list[Score]:  # noqa: ARG002  # no queue here
        """Return the score of each text, which does not depend on the other texts (within 1e-5)."""
        return [self.score(reading) for reading in self.read(texts)]

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """Return the uncalibrated reading of each text."""
        tokenized = self.tokenize(texts)
        margins = self.margins([window for text in tokenized for window in text.windows])
        per_text = np.split(margins, np.cumsum([len(text.windows) for text in tokenized]))[:-1]
        return [Reading(of_text, text.tokens) for of_text, text in zip(per_text, tokenized, strict=True)]

    def tokenize(self, texts: Sequence[str]) -> list[Tokenized]:
        """Clean, blind and tokenize each text, and cut its tokens into windows."""
        size = min(self._windowing.size, self._engine.window_size)
        encodings = self._tokenizer.encode_batch([self._blind(clean(text)) for text in texts], add_special_tokens=False)
        return [
            Tokenized(split(encoding.ids, size, self._windowing.overlap), len(encoding.ids)) for encoding in encodings
        ]

    def margins(self, windows: Sequence[Sequence[int]]) -> NDArray[np.float64]:
        """Return the margin of each window, logit(positive) - logit(negative), float64 [windows]."""
        logits = self._engine.logits(windows).astype(np.float64)
        return logits[:, self._positive] - logits[:, 1 - self._positive]

    def score(self, reading: Reading) -> Score:
        """Return the calibrated score of a reading."""
        score = calibration.score(reading.margin, self._temperature.at(reading.tokens))
        return Score(score, (1 + abs(score)) / 2, reading.tokens, reading.windows)
