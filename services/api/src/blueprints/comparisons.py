"""The views for model versions and their comparison."""

from typing import Any

from src import reviews
from src.extensions import db
from src.reviews import Comparison, Version
from src.schemas.comparisons import ComparisonOut, VersionOut
from src.schemas.queries import ComparisonQuery
from src.web.parsing import StrictBlueprint, refuse_query

bp = StrictBlueprint(
    "comparisons", __name__, url_prefix="/sentiments", description="Model versions and their comparison."
)


@bp.route("/versions", methods=["GET"])
@bp.response(200, VersionOut(many=True))
@bp.problems(422, 503)
def list_versions() -> list[Version]:
    """List the model versions that scored the stored reviews, the one that scored the newest review first."""
    refuse_query()
    return reviews.versions(db.session())


@bp.route("/comparison", methods=["GET"])
@bp.arguments(ComparisonQuery, location="query")
@bp.response(200, ComparisonOut)
@bp.problems(422, 503)
def show_comparison(query: dict[str, Any]) -> Comparison:
    """Compare two model versions over the reviews that both scored and that match the filters.

    Rescoring keeps the earlier score of each review. Scores of a text that was replaced since are not compared.
    """
    return reviews.compare(db.session(), **query)
