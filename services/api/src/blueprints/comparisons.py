"""The models behind the reviews, and what one of them changed."""

from typing import Any

from src import reviews
from src.extensions import db
from src.reviews import Comparison, Version
from src.schemas.comparisons import ComparisonOut, VersionOut
from src.schemas.queries import ComparisonQuery
from src.web.parsing import StrictBlueprint, refuse_query

bp = StrictBlueprint(
    "comparisons", __name__, url_prefix="/sentiments", description="Model versions, and what one changed."
)


@bp.route("/versions", methods=["GET"])
@bp.response(200, VersionOut(many=True))
@bp.problems(422, 503)
def list_versions() -> list[Version]:
    """List the model versions that scored what is stored, the one that scored the newest review first."""
    refuse_query()
    return reviews.versions(db.session())


@bp.route("/comparison", methods=["GET"])
@bp.arguments(ComparisonQuery, location="query")
@bp.response(200, ComparisonOut)
@bp.problems(422, 503)
def show_comparison(query: dict[str, Any]) -> Comparison:
    """Compare two model versions over the reviews that both scored and the filters let through.

    Rescoring keeps the earlier score of each review; what was scored with another text is not compared.
    """
    return reviews.compare(db.session(), **query)
