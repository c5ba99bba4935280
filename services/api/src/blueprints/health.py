"""What operators ask."""

from flask import Blueprint, Response, current_app, jsonify
from sqlalchemy import select

from src.errors import Unavailable
from src.extensions import analyzer, db
from src.metrics import exposition
from src.models import Sentiment

bp = Blueprint("health", __name__)


@bp.get("/healthz")
def alive() -> Response:
    """Say that the process answers."""
    return jsonify(status="alive")


@bp.get("/readyz")
def ready() -> Response:
    """Say that reviews can be scored and stored: the model is loaded, the table is there.

    :raises Unavailable: one of them is not.
    """
    if not analyzer.ready:
        raise Unavailable("The model is being started again.")
    model = {"version": analyzer.version, "calibrated": analyzer.calibrated}
    try:
        db.session.scalar(select(Sentiment.id).limit(1))
    except Exception as error:  # away, refused, not migrated: none is ready, and which it is stands in the log
        current_app.logger.warning("not ready: %s", type(error).__name__)
        raise Unavailable("The database is away or has no schema yet (flask db upgrade).") from error
    return jsonify(status="ready", model=model)


@bp.get("/metrics")
def metrics() -> Response:
    """Return the counters in Prometheus' text format."""
    return exposition()
