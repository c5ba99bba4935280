"""The baseline: the same app, with each request scored alone by `transformers.pipeline` in float32."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from transformers import pipeline

from src import create_app
from src.config import Settings
from src.sentiment_analyzer import Score
from src.server import logs
from src.training.networks import LABELS


class PipelineAnalyzer:
    """An analyzer that scores one review after the other on all cores.

    One thread calls the pipeline and keeps its pool of PyTorch threads, the fastest way (docs/performance.md).
    """

    version, calibrated, ready = "pipeline", False, True

    def __init__(self, model: str) -> None:
        self._pipeline = pipeline("text-classification", model=model, truncation=True, top_k=None)
        self._thread = ThreadPoolExecutor(1)

    def analyze(self, texts: Sequence[str], *, background: bool = False) -> list[Score]:  # noqa: ARG002  # its interface
        """Return the score of each text."""
        return [self._analyze(text) for text in texts]

    def _analyze(self, text: str) -> Score:
        [answers] = self._thread.submit(self._pipeline, [text]).result()
        negative, neutral, positive = (next(a["score"] for a in answers if a["label"] == name) for name in LABELS)
        confidence = max(negative, neutral, positive)
        return Score(sentiment_score=positive - negative, confidence=confidence, p_neutral=neutral, tokens=1, windows=1)


settings = Settings.from_env()
logs.configure(settings.log_level)
app = create_app(settings, PipelineAnalyzer(settings.model_path))
