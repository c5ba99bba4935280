"""What operators ask."""

from typing import Any

from flask import Response, current_app
from sqlalchemy import select

from src.errors import Unavailable
from src.extensions import current_analyzer, db
from src.models import Sentiment
from src.schemas.health import AliveOut, ReadyOut
from src.server.metrics import exposition
from src.web.parsing import StrictBlueprint

bp = StrictBlueprint("health", __name__, description="What operators ask.")


@bp.route("/healthz", methods=["GET"])
@bp.response(200, AliveOut)
@bp.problems()
def alive() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "alive"}


@bp.route("/readyz", methods=["GET"])
@bp.response(200, ReadyOut)
@bp.problems(503)
def ready() -> dict[str, Any]:
    """Say that reviews can be scored and stored: the model is loaded, the table is there.

    :raises Unavailable: one of them is not.
    """
    analyzer = current_analyzer()
    if not analyzer.ready:
        raise Unavailable("The model is being started again.")
    model = {"version": analyzer.version, "calibrated": analyzer.calibrated}
    try:
        db.session.scalar(select(Sentiment.id).limit(1))
    except Exception as error:  # away, refused, not migrated: none is ready, and which it is stands in the log
        current_app.logger.warning("not ready: %s", type(error).__name__)
        raise Unavailable("The database is away or has no schema yet (flask db upgrade).") from error
    return {"status": "ready", "model": model}


@bp.route("/metrics", methods=["GET"])
@bp.alt_response(200, schema={"type": "string"}, content_type="text/plain", success=True)
@bp.problems()
def metrics() -> Response:
    """Return the counters in Prometheus' text format."""
    return exposition()
