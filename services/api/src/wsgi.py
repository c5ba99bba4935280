"""The WSGI application that gunicorn serves. Each worker imports it, and so starts a scorer of its own."""

from src import create_app
from src.config import Settings
from src.sentiment_analyzer.scorer.scorer import Scorer
from src.server import logs

settings = Settings.from_env()
logs.configure(settings.log_level)
scorer = Scorer(settings.model_path, queue=settings.queue, seconds=settings.scoring_seconds)
app = create_app(settings, scorer)
