"""The reviews as a REST resource."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from flask import Response, jsonify, request, url_for

from src import reviews
from src.extensions import current_analyzer, current_writes, db
from src.models import EarlierScore, Sentiment
from src.reviews import Filters, Page, Summary
from src.schemas.evidence import EvidenceOut
from src.schemas.queries import FilterQuery, ListQuery, PageQuery, ReviewId, parse_id
from src.schemas.reviews import MAX_ID, CorrectionIn, EarlierScoreOut, ReviewIn, ReviewOut
from src.schemas.summaries import SummaryOut
from src.web.authentication import client_name
from src.web.idempotency import KEY, REPLAYED, idempotency_key
from src.web.parsing import StrictBlueprint, refuse_query

bp = StrictBlueprint("sentiments", __name__, url_prefix="/sentiments", description="Reviews and their scores.")
_WITH_QUERY = ("sentiments.list_reviews", "sentiments.show_summary", "sentiments.show_history")
_LOCATION = {"required": True, "schema": {"type": "string"}, "description": "Where it is; relative."}
_NEXT = {"Link": {"schema": {"type": "string"}, "description": 'The next page, rel="next"; relative.'}}
_REPLAYED = {"schema": {"type": "string", "enum": ["true"]}, "description": "It was stored before."}
_ID = {
    "name": "review_id",
    "in": "path",
    "description": "The review's id.",
    "schema": {"type": "integer", "minimum": 1, "maximum": MAX_ID},
    "example": 1,
}

# What `<review_id>` is read by. Without a name there: metrics and logs have that rule as their label.
bp.record_once(lambda state: state.app.url_map.converters.update(default=ReviewId))


@bp.before_request
def _check_address() -> None:
    """Refuse an id that no review can have, and a query where none is taken: with 422, where Flask has 404 or nothing.

    :raises InvalidInput: there is one of them.
    """
    if request.method == "OPTIONS":  # Flask answers it with Allow
        return
    if request.view_args:
        request.view_args["review_id"] = parse_id(request.view_args["review_id"])
    if request.endpoint not in _WITH_QUERY:
        refuse_query()


@bp.route("/", methods=["POST"], strict_slashes=False)
@bp.doc(parameters=[KEY])
@bp.arguments(ReviewIn)
@bp.response(201, ReviewOut, headers={"Location": _LOCATION, REPLAYED: _REPLAYED})
@bp.problems(400, 409, 410, 413, 415, 422, 503)
def create_review(body: dict[str, str]) -> tuple[Sentiment, int, dict[str, str]]:
    """Score a review and store it.

    The answer follows the commit: what is acknowledged is durable. With an Idempotency-Key, what is sent again is
    stored once, and answered with the same record.
    """
    sentence, key, replayed = body["sentence"], idempotency_key(request.headers), False
    scoring = db.session(), current_analyzer(), current_writes()
    if key is None:
        review = reviews.create(*scoring, sentence)
    else:
        review, replayed = reviews.create_once(*scoring, sentence, reviews.ClientKey(client_name(), key))
    location = {"Location": url_for("sentiments.show_review", review_id=review.id)}
    return review, 201, {**location, REPLAYED: "true"} if replayed else location


@bp.route("/", methods=["GET"], strict_slashes=False)
@bp.arguments(ListQuery, location="query")
@bp.response(200, ReviewOut(many=True), headers=_NEXT)
@bp.problems(422, 503)
def list_reviews(query: dict[str, Any]) -> tuple[Sequence[Sentiment], int, dict[str, str]]:
    """List reviews, the newest first, page by page; with filters those that all of them let through."""
    page = reviews.page(db.session(), **query)
    return page.items, 200, link_headers(page, "sentiments.list_reviews")


@bp.route("/summary", methods=["GET"])
@bp.arguments(FilterQuery, location="query")
@bp.response(200, SummaryOut)
@bp.problems(422, 503)
def show_summary(query: dict[str, Filters]) -> Summary:
    """Sum up the reviews that the filters let through: counts, mean, histogram, days, accuracy in use.

    With `q` or bounds of confidence at most the newest 100,000 are read; `truncated` says when there are more.
    """
    return reviews.summarize(db.session(), **query)


@bp.route("/<review_id>", methods=["GET"], parameters=[_ID])
@bp.response(200, ReviewOut)
@bp.problems(404, 422, 503)
def show_review(review_id: int) -> Sentiment:
    """Return one review."""
    return reviews.find(db.session(), review_id)


@bp.route("/<review_id>", methods=["PUT"], parameters=[_ID])
@bp.arguments(ReviewIn)
@bp.response(200, ReviewOut)
@bp.problems(400, 404, 413, 415, 422, 503)
def replace_review(body: dict[str, str], review_id: int) -> Sentiment:
    """Replace a review's text and score it again."""
    return reviews.replace(db.session(), current_analyzer(), review_id, body["sentence"])


@bp.route("/<review_id>", methods=["DELETE"], parameters=[_ID])
@bp.response(204)
@bp.problems(404, 422, 503)
def delete_review(review_id: int) -> None:
    """Delete one review."""
    reviews.delete(db.session(), review_id)


@bp.route("/<review_id>/history", methods=["GET"], parameters=[_ID])
@bp.arguments(PageQuery, location="query")
@bp.response(200, EarlierScoreOut(many=True), headers=_NEXT)
@bp.problems(404, 422, 503)
def show_history(query: dict[str, Any], review_id: int) -> tuple[Sequence[EarlierScore], int, dict[str, str]]:
    """List what a review was scored before its text or the model changed, the latest first, page by page."""
    page = reviews.history(db.session(), review_id, **query)
    return page.items, 200, link_headers(page, "sentiments.show_history")


@bp.route("/<review_id>/evidence", methods=["GET"], parameters=[_ID])
@bp.response(200, EvidenceOut)
@bp.problems(404, 422, 503)
def show_evidence(review_id: int) -> Any:
    """Say how much each word, or each sentence of a long review, moves its score, by leaving it out.

    The method is erasure: Li, Monroe and Jurafsky (2016), https://arxiv.org/abs/1612.08220.
    """
    return reviews.explain(db.session(), current_analyzer(), review_id)


@bp.route("/<review_id>/correction", methods=["PUT"], parameters=[_ID])
@bp.arguments(CorrectionIn)
@bp.response(200, ReviewOut)
@bp.problems(400, 404, 413, 415, 422, 503)
def correct_review(body: dict[str, str], review_id: int) -> Sentiment:
    """Keep what a person says of a review, beside what the model said."""
    return reviews.correct(db.session(), review_id, body["sentiment"])


@bp.route("/<review_id>/correction", methods=["DELETE"], parameters=[_ID])
@bp.response(204)
@bp.problems(404, 422, 503)
def withdraw_correction(review_id: int) -> None:
    """Take a correction back."""
    reviews.withdraw(db.session(), review_id)


def link_headers(page: Page[Any], endpoint: str) -> dict[str, str]:
    """Return the Link header to the page after `page` (RFC 8288), with every parameter of this request kept."""
    if page.next_before is None:
        return {}
    query = urlencode({**request.args, "before": page.next_before})
    return {"Link": f'<{url_for(endpoint, **request.view_args or {})}?{query}>; rel="next"'}


def dump_page(page: Page[Sentiment], endpoint: str) -> Response:
    """Return a page as the list's JSON, for a view outside this blueprint."""
    response = jsonify(ReviewOut(many=True).dump(page.items))
    response.headers.update(link_headers(page, endpoint))
    return response
