"""The reviews as a REST resource."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from flask import Response, jsonify, request, url_for

from src import reviews
from src.models import Sentiment
from src.parsing import StrictBlueprint, refuse_query
from src.reviews import Page
from src.schemas import MAX_ID, PageQuery, ReviewIn, ReviewOut, parse_id

bp = StrictBlueprint("sentiments", __name__, url_prefix="/sentiments", description="Reviews and their scores.")
_ID = {"name": "review_id", "in": "path", "schema": {"type": "integer", "minimum": 1, "maximum": MAX_ID}}


@bp.before_request
def _check_address() -> None:
    """Refuse an id that no review can have, and a query where none is taken: with 422, where Flask has 404 or nothing.

    :raises InvalidInput: there is one of them.
    """
    if request.method == "OPTIONS":  # Flask answers it with Allow
        return
    if request.view_args:
        request.view_args["review_id"] = parse_id(request.view_args["review_id"])
    if request.endpoint != "sentiments.list_reviews":
        refuse_query()


@bp.route("/", methods=["POST"], strict_slashes=False)
@bp.arguments(ReviewIn)
@bp.response(201, ReviewOut, headers={"Location": {"schema": {"type": "string"}, "description": "Relative."}})
@bp.problems(400, 413, 415, 422, 503)
def create_review(body: dict[str, str]) -> tuple[Sentiment, int, dict[str, str]]:
    """Score a review and store it.

    The answer follows the commit: what is acknowledged is durable.
    """
    review = reviews.create(body["sentence"])
    return review, 201, {"Location": url_for("sentiments.show_review", review_id=review.id)}


@bp.route("/", methods=["GET"], strict_slashes=False)
@bp.arguments(PageQuery, location="query")
@bp.response(
    200,
    ReviewOut(many=True),
    headers={"Link": {"schema": {"type": "string"}, "description": 'The next page, rel="next"; relative.'}},
)
@bp.problems(422, 503)
def list_reviews(query: dict[str, Any]) -> tuple[Sequence[Sentiment], int, dict[str, str]]:
    """List reviews, the newest first, page by page."""
    page = reviews.page(**query)
    return page.items, 200, link_headers(page, "sentiments.list_reviews")


@bp.route("/<review_id>", methods=["GET"], parameters=[_ID])
@bp.response(200, ReviewOut)
@bp.problems(404, 422, 503)
def show_review(review_id: int) -> Sentiment:
    """Return one review."""
    return reviews.find(review_id)


@bp.route("/<review_id>", methods=["PUT"], parameters=[_ID])
@bp.arguments(ReviewIn)
@bp.response(200, ReviewOut)
@bp.problems(400, 404, 413, 415, 422, 503)
def replace_review(body: dict[str, str], review_id: int) -> Sentiment:
    """Replace a review's text and score it again."""
    return reviews.replace(review_id, body["sentence"])


@bp.route("/<review_id>", methods=["DELETE"], parameters=[_ID])
@bp.response(204)
@bp.problems(404, 422, 503)
def delete_review(review_id: int) -> None:
    """Delete one review."""
    reviews.delete(review_id)


def link_headers(page: Page, endpoint: str) -> dict[str, str]:
    """Return the Link header to the page after `page` (RFC 8288), with every parameter of this request kept."""
    if page.next_before is None:
        return {}
    query = urlencode({**request.args, "before": page.next_before})
    return {"Link": f'<{url_for(endpoint)}?{query}>; rel="next"'}


def dump_page(page: Page, endpoint: str) -> Response:
    """Return a page as the list's JSON, for a view outside this blueprint."""
    response = jsonify(ReviewOut(many=True).dump(page.items))
    response.headers.update(link_headers(page, endpoint))
    return response
