"""The analyzer: cleaning, blindness to countries, tokens, windows, logits, calibrated score."""

import logging
from collections.abc import Sequence

import numpy as np

from src.sentiment_analyzer import calibration
from src.sentiment_analyzer.blindness import blind
from src.sentiment_analyzer.checkpoint import Checkpoint, open_checkpoint
from src.sentiment_analyzer.engine import Engine
from src.sentiment_analyzer.score import Reading, Score
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
        """Build the engine. `load` is the usual way in."""
        self.version = checkpoint.version
        self.calibrated = checkpoint.temperature is not None
        self._temperature = checkpoint.temperature or 1.0
        self._positive = checkpoint.positive
        self._tokenizer = checkpoint.tokenizer
        self._engine = Engine(checkpoint, quantized=quantized)
        self._windowing = windowing
        self._blind = blind if blinded else str

    @classmethod
    def load(
        cls, path: str, *, quantized: bool = True, windowing: Windowing = WINDOWING, blinded: bool = True
    ) -> "SentimentAnalyzer":
        """Load the model in a folder, or of a hub id with an optional `@revision`, and quantize it to int8.

        Two canary sentences that come out the wrong way round are logged as a warning.

        :param quantized: False keeps float32, which is what int8 is compared with.
        :param windowing: how long reviews are read; another than the chosen one is for measuring it.
        :param blinded: False reads each country as itself, which is for measuring what that does.
        :raises ModelError: it is missing, damaged, of another kind, or its labels are ambiguous.
        """
        analyzer = cls(open_checkpoint(path), quantized=quantized, windowing=windowing, blinded=blinded)
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
        """Return what the model makes of each text before calibration."""
        encodings = self._tokenizer.encode_batch([self._blind(clean(text)) for text in texts], add_special_tokens=False)
        size = min(self._windowing.size, self._engine.window_size)
        windows = [split(encoding.ids, size, self._windowing.overlap) for encoding in encodings]
        logits = self._engine.logits([window for per_text in windows for window in per_text]).double()
        margins = (logits[:, self._positive] - logits[:, 1 - self._positive]).numpy()  # float64 [all windows]
        per_text = np.split(margins, np.cumsum([len(of_text) for of_text in windows]))[:-1]
        return [Reading(of_text, len(encoding.ids)) for of_text, encoding in zip(per_text, encodings, strict=True)]

    def _score(self, reading: Reading) -> Score:
        score = calibration.score(reading.margin, self._temperature)
        return Score(score, (1 + abs(score)) / 2, reading.tokens, reading.windows)
