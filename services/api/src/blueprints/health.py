"""The views for operators: liveness, readiness, metrics."""

from typing import Any

from flask import Response, current_app
from sqlalchemy import select

from src.database import durability
from src.errors import Unavailable
from src.extensions import current_analyzer, db
from src.models import Sentiment
from src.schemas.health import AliveOut, ReadyOut
from src.server.metrics import exposition
from src.web.parsing import StrictBlueprint

bp = StrictBlueprint("health", __name__, description="For operators.")


@bp.route("/healthz", methods=["GET"])
@bp.response(200, AliveOut)
@bp.problems()
def alive() -> dict[str, str]:
    """Tell that the process answers requests."""
    return {"status": "alive"}


@bp.route("/readyz", methods=["GET"])
@bp.response(200, ReadyOut)
@bp.problems(503)
def ready() -> dict[str, Any]:
    """Tell that reviews can be scored and stored: the model is loaded, the database is migrated and durable.

    :raises Unavailable: one of these is false.
    """
    analyzer = current_analyzer()
    if not analyzer.ready:
        raise Unavailable("The model is being restarted. Try again.")
    model = {"version": analyzer.version, "calibrated": analyzer.calibrated}
    try:
        db.session.scalar(select(Sentiment.id).limit(1))
        risky = durability.switched_off(db.session()) if current_app.config["REQUIRE_DURABILITY"] else []
    except Exception as error:  # away, refused or not migrated: the log tells which
        current_app.logger.warning("not ready: %s", type(error).__name__)
        raise Unavailable("The database is away or not migrated. Start it, or run `flask db upgrade`.") from error
    if risky:
        raise Unavailable(
            f"The database may lose what it has stored, because of {', '.join(f'{name}=off' for name in risky)}. "
            "Switch it on, for the server, the database and the role, or set REQUIRE_DURABILITY=false."
        )
    return {"status": "ready", "model": model}


@bp.route("/metrics", methods=["GET"])
@bp.alt_response(200, schema={"type": "string"}, content_type="text/plain", success=True)
@bp.problems()
def metrics() -> Response:
    """Return the metrics in Prometheus' text format."""
    return exposition()
