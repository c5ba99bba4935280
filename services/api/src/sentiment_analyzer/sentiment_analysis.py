"""The analyzer: clean a text, blind it, spell out its symbols, tokenize it, compute logits, calibrate."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from src.sentiment_analyzer.blindness import blind
from src.sentiment_analyzer.calibration import Calibration
from src.sentiment_analyzer.checkpoint import Checkpoint, open_checkpoint
from src.sentiment_analyzer.engines.engine import open_engine
from src.sentiment_analyzer.errors import ModelError
from src.sentiment_analyzer.readability import warnings_of
from src.sentiment_analyzer.score import Reading, Score, Tokenized, confidence_of
from src.sentiment_analyzer.symbols import spell_out
from src.sentiment_analyzer.text import clean
from src.sentiment_analyzer.windows import WINDOWING, Windowing, split

CANARIES = ("A wonderful film, one of the best I have ever seen.", "A terrible film, the worst I have ever seen.")
"""Praise and blame. They are long enough for their language to be detected."""


class SentimentAnalyzer:
    """A loaded model. Safe to share between threads.

    >>> analyzer = SentimentAnalyzer.load("model")
    >>> [score] = analyzer.analyze(["A wonderful film."])
    >>> score.sentiment_score > 0.9
    True
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        *,
        quantized: bool = True,
        windowing: Windowing = WINDOWING,
        blinded: bool = True,
        cores: int | None = None,
    ) -> None:
        """Build the engine for an open checkpoint. Use `load` for a path."""
        self.version = checkpoint.version
        self.calibrated = checkpoint.calibration is not None
        self._calibration = checkpoint.calibration or Calibration()
        self._order = [checkpoint.labels.index(label) for label in sorted(checkpoint.labels)]
        unknown = checkpoint.tokenizer.token_to_id("[UNK]")
        self._unknown = -1 if unknown is None else unknown  # a vocabulary of bytes knows every text
        self._tokenizer = checkpoint.tokenizer
        self._engine = open_engine(checkpoint, quantized=quantized, cores=cores)
        self._windowing = windowing
        self._blind = blind if blinded else str

    @classmethod
    def load(
        cls,
        path: str,
        *,
        quantized: bool = True,
        windowing: Windowing = WINDOWING,
        blinded: bool = True,
        cores: int | None = None,
    ) -> "SentimentAnalyzer":
        """Load the model from a folder, or by a hub id with an optional `@revision`, and quantize it to int8.

        :param quantized: False computes in float32, as the reference for int8.
        :param windowing: the windows of long reviews; other values serve to measure the default.
        :param blinded: False keeps countries and names as they are, to measure the effect of blinding.
        :param cores: the cores to compute on, where several processes score; all of them if None.
        :raises ModelError: the model is missing, damaged, or not a DistilBERT, or its labels are ambiguous.
        """
        return cls(open_checkpoint(path), quantized=quantized, windowing=windowing, blinded=blinded, cores=cores)

    def check_canaries(self) -> None:
        """Score two sentences whose sentiment is known. It loads the language detector, before the first request.

        :raises ModelError: praise is not positive, or blame is not negative.
        """
        praise, blame = (score.sentiment_score for score in self.analyze(CANARIES))
        if praise > 0 > blame:
            return
        if praise < 0 < blame:
            remedy = "id2label in its config.json seems to be swapped: write the labels in the order of the training."
        else:
            remedy = "Its files may not belong together: restore them, or set MODEL_PATH to another model."
        raise ModelError(f"{self.version} scores praise {praise:+.3f} and blame {blame:+.3f}. {remedy}")

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
        logits = self.logits([window for text in tokenized for window in text.windows])
        per_text = np.split(logits, np.cumsum([len(text.windows) for text in tokenized]))[:-1]
        return [Reading(of_text, text.tokens, text.warnings) for of_text, text in zip(per_text, tokenized, strict=True)]

    def tokenize(self, texts: Sequence[str]) -> list[Tokenized]:
        """Clean, blind and tokenize each text, and cut its tokens into windows."""
        size = min(self._windowing.size, self._engine.window_size)
        written = [clean(text) for text in texts]
        cleaned = [spell_out(self._blind(text)) for text in written]
        encodings = self._tokenizer.encode_batch(cleaned, add_special_tokens=False)
        return [
            Tokenized(
                split(encoding.ids, size, self._windowing.overlap),
                len(encoding.ids),
                warnings_of(before, text, tokens=len(encoding.ids), unknown=encoding.ids.count(self._unknown)),
            )
            for before, text, encoding in zip(written, cleaned, encodings, strict=True)
        ]

    def logits(self, windows: Sequence[Sequence[int]]) -> NDArray[np.float64]:
        """Return the logits of each window, float64 [windows, labels]: negative, neutral if there is one, positive."""
        return self._engine.logits(windows).astype(np.float64)[:, self._order]

    def score(self, reading: Reading) -> Score:
        """Return the calibrated score of a reading."""
        score, p_neutral = self._calibration.score(reading.logits, reading.tokens)
        return Score(
            sentiment_score=score,
            confidence=confidence_of(score, p_neutral),
            p_neutral=p_neutral,
            warnings=reading.warnings,
            tokens=reading.tokens,
            windows=reading.windows,
        )
