"""The WSGI application that gunicorn serves. Importing it starts a scorer, so each worker has its own."""

from src import create_app
from src.config import Settings
from src.sentiment_analyzer.scorer.scorer import Scorer

settings = Settings.from_env()
scorer = Scorer(settings.model_path, queue=settings.queue, seconds=settings.scoring_seconds)
app = create_app(settings, scorer)
