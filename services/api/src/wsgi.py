"""The WSGI application that gunicorn serves. `flask serve` starts gunicorn, and the scorer to which this connects."""

from src import create_app
from src.config import Settings
from src.database.watchdog import Watchdog
from src.extensions import db
from src.sentiment_analyzer.scorer.scorer import Scorer
from src.server.web_server import scorer_address

settings = Settings.from_env()
scorer = Scorer(scorer_address(), queue=settings.queue_of_worker, seconds=settings.scoring_seconds)
app = create_app(settings, scorer)
with app.app_context():
    Watchdog(db.engine)
