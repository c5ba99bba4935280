"""A sentiment service for movie reviews."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from src.config import Settings
    from src.sentiment_analyzer import Analyzer


def create_app(settings: "Settings | None" = None, analyzer: "Analyzer | None" = None) -> "Flask":
    """Return the application.

    Everything is imported in here, so that `import src.sentiment_analyzer` loads neither Flask nor SQLAlchemy.

    :param settings: read from the environment if None.
    :param analyzer: scores reviews. Without one, requests that need a score are answered with 503.
    :raises ConfigError: a setting is invalid.
    """
    from flask import Flask

    from src import commands, reviews
    from src.blueprints import bulk, comparisons, exports, health, pages, sentiments
    from src.config import Settings
    from src.database import connections, lost_commits
    from src.extensions import api, db, migrate
    from src.server import logs, metrics, overload
    from src.web import authentication, problems
    from src.web.json_provider import OrjsonProvider

    settings = settings or Settings.from_env()
    app = Flask(__name__)
    url, app.extensions[connections.EMBEDDED] = connections.locate(settings)
    app.config.from_mapping(settings.flask_config(url))
    app.extensions["analyzer"] = analyzer
    app.extensions["group_commit"] = reviews.new_group_commit()
    app.json = OrjsonProvider(app)
    db.init_app(app)
    with app.app_context():
        lost_commits.watch(db.engine)
    migrate.init_app(app, db, directory=str(connections.MIGRATIONS))
    api.init_app(app)
    for documented in (sentiments.bp, bulk.bp, comparisons.bp, exports.bp, health.bp):
        api.register_blueprint(documented)
    app.register_blueprint(pages.bp)
    # The order counts: hooks before a request run in this order, hooks after it in the reverse order.
    metrics.register(app, analyzer)
    authentication.register(app)
    overload.register(app)
    logs.register(app)
    problems.register(app)
    commands.register(app)
    return app
