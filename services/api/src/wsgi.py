"""What gunicorn serves: the application with a model. Imported in the worker, so PyTorch loads after the fork."""

from src import create_app, logs
from src.config import Settings
from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer

settings = Settings.from_env()
logs.configure(settings.log_level)
app = create_app(settings, SentimentAnalyzer.load(settings.model_path))
