"""The WSGI application that gunicorn serves. `flask serve` starts gunicorn, and the scorer to which this connects."""

import os

from src import create_app
from src.config import Settings
from src.sentiment_analyzer.scorer.scorer import Scorer

settings = Settings.from_env()
scorer = Scorer(os.environ["SCORER_SOCKET"], queue=settings.queue, seconds=settings.scoring_seconds)
app = create_app(settings, scorer)
