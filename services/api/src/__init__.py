"""A sentiment service for movie reviews."""

from flask import Flask

from src.commands import cli
from src.config import Settings
from src.database import connections
from src.extensions import ANALYZER, WRITES, api, db, migrate, new_writes
from src.sentiment_analyzer import Analyzer
from src.server import logs, metrics, overload
from src.web import authentication, problems


def create_app(config: Settings | None = None, analyzer: Analyzer | None = None) -> Flask:
    """Return the application.

    :param config: read from the environment if None.
    :param analyzer: scores reviews; without one, what would score answers 503 (`src.wsgi` passes one).
    :raises ConfigError: a setting cannot be used.
    """
    from src.blueprints import bulk, comparisons, exports, health, pages, sentiments

    config = config or Settings.from_env()
    app = Flask(__name__)
    url, app.extensions[connections.EMBEDDED] = connections.locate(config)
    app.config.from_mapping(config.flask_config(url))
    app.extensions[ANALYZER] = analyzer
    app.extensions[WRITES] = new_writes()
    app.json.sort_keys = False  # type: ignore[attr-defined]  # of DefaultJSONProvider, which Flask made
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    db.init_app(app)
    migrate.init_app(app, db, directory=str(connections.MIGRATIONS))
    api.init_app(app)
    api.register_blueprint(sentiments.bp)
    api.register_blueprint(bulk.bp)
    api.register_blueprint(comparisons.bp)
    api.register_blueprint(exports.bp)
    api.register_blueprint(health.bp)
    app.register_blueprint(pages.bp)
    for part in (metrics, authentication, overload, logs, problems, cli):
        part.register(app)
    return app
