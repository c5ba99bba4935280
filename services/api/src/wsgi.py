"""What gunicorn serves: the application with a model. Imported in the worker, which so has the scorer for itself."""

from src import create_app
from src.config import Settings
from src.sentiment_analyzer.scorer.scorer import Scorer
from src.server import logs

settings = Settings.from_env()
logs.configure(settings.log_level)
scorer = Scorer(settings.model_path, queue=settings.queue, seconds=settings.scoring_seconds)
app = create_app(settings, scorer)
