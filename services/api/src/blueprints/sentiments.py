"""The views for reviews as a REST resource."""

from collections.abc import Sequence
from typing import Any, cast
from urllib.parse import urlencode

from flask import Response, jsonify, request, url_for

from src import reviews
from src.extensions import current_analyzer, current_group_commit, db, reviews_scored
from src.models import EarlierScore, Sentiment
from src.reviews import Details, Filters, Page, Stored, Submission, Summary
from src.schemas.evidence import EvidenceOut
from src.schemas.queries import FilterQuery, ListQuery, PageQuery, ReviewId, parse_id
from src.schemas.reviews import MAX_ID, CorrectionIn, DetailsIn, EarlierScoreOut, ReplacementIn, ReviewIn, ReviewOut
from src.schemas.summaries import SummaryOut
from src.web.authentication import client_name
from src.web.idempotency import KEY, REPLAYED, idempotency_key
from src.web.parsing import StrictBlueprint, refuse_query

bp = StrictBlueprint("sentiments", __name__, url_prefix="/sentiments", description="Reviews and their scores.")
_WITH_QUERY = ("sentiments.list_reviews", "sentiments.show_summary", "sentiments.show_history")
_LOCATION = {"required": True, "schema": {"type": "string"}, "description": "The address of the review; relative."}
_NEXT = {"Link": {"schema": {"type": "string"}, "description": 'The next page, rel="next"; relative.'}}
_REPLAYED = {
    "schema": {"type": "string", "enum": ["true"]},
    "description": "The review was stored by an earlier request.",
}
_ID = {
    "name": "review_id",
    "in": "path",
    "description": "The review's id.",
    "schema": {"type": "integer", "minimum": 1, "maximum": MAX_ID},
    "example": 1,
}

# The converter of `<review_id>`. It is the default one, since metrics and logs have the rule as a label, which would
# show its name.
bp.record_once(lambda state: state.app.url_map.converters.update(default=ReviewId))


@bp.before_request
def _check_address() -> None:
    """Refuse an id that no review can have, and a query on a route without one. Flask would say 404, or nothing.

    :raises InvalidInput: the request has one of these.
    """
    if request.method == "OPTIONS":  # Flask answers it with Allow
        return
    if request.view_args and "review_id" in request.view_args:
        request.view_args["review_id"] = parse_id(request.view_args["review_id"])
    if request.endpoint not in _WITH_QUERY:
        refuse_query()


@bp.route("/", methods=["POST"], strict_slashes=False)
@bp.doc(parameters=[KEY])
@bp.arguments(ReviewIn)
@bp.response(201, ReviewOut, headers={"Location": _LOCATION, REPLAYED: _REPLAYED})
@bp.alt_response(
    200,
    schema=ReviewOut,
    headers={"Location": _LOCATION},
    success=True,
    description="A review with this reference and this sentence is stored already; this is it.",
)
@bp.problems(400, 409, 410, 413, 415, 422, 503)
def create_review(body: dict[str, Any]) -> tuple[Sentiment, int, dict[str, str]]:
    """Score a review and store it.

    The response follows the commit, so the review is durable. A request that is sent again with the same
    Idempotency-Key or the same reference stores nothing; the response has the stored review.
    """
    owner, key = client_name(), idempotency_key(request.headers)
    submission = Submission(**body, owner=owner)
    resources = db.session(), current_analyzer(), current_group_commit()
    if key is None:
        review, stored = reviews.create(*resources, submission)
    else:
        review, stored = reviews.create_once(*resources, submission, reviews.ClientKey(owner, key))
    if stored is Stored.NOW:
        reviews_scored.send(reviews=[review])
    location = {"Location": url_for("sentiments.show_review", review_id=review.id)}
    if stored is Stored.BY_REFERENCE:
        return review, 200, location
    return review, 201, {**location, REPLAYED: "true"} if stored is Stored.BY_KEY else location


@bp.route("/", methods=["GET"], strict_slashes=False)
@bp.arguments(ListQuery, location="query")
@bp.response(200, ReviewOut(many=True), headers=_NEXT)
@bp.problems(422, 503)
def list_reviews(query: dict[str, Any]) -> tuple[Sequence[Sentiment], int, dict[str, str]]:
    """List the reviews that match every filter, the newest first, page by page."""
    page = reviews.page(db.session(), **query)
    return page.items, 200, link_headers(page, "sentiments.list_reviews")


@bp.route("/summary", methods=["GET"])
@bp.arguments(FilterQuery, location="query")
@bp.response(200, SummaryOut)
@bp.problems(422, 503)
def show_summary(query: dict[str, Filters]) -> Summary:
    """Summarize the reviews that match the filters: counts, mean, histogram, days, accuracy in use.

    With `q` or bounds of confidence, at most the newest 100,000 are counted; `truncated` tells whether there are more.
    """
    return reviews.summarize(db.session(), **query)


@bp.route("/<review_id>", methods=["GET"], parameters=[_ID])
@bp.response(200, ReviewOut)
@bp.problems(404, 422, 503)
def show_review(review_id: int) -> Sentiment:
    """Return one review."""
    return reviews.find(db.session(), review_id)


@bp.route("/<review_id>", methods=["PUT"], parameters=[_ID])
@bp.arguments(ReplacementIn)
@bp.response(200, ReviewOut)
@bp.problems(400, 404, 413, 415, 422, 503)
def replace_review(body: dict[str, Any], review_id: int) -> Sentiment:
    """Replace the text of a review and score it again.

    The reference stays, and so do film, time of writing and metadata if they are left out; null removes them.
    """
    sentence = body.pop("sentence")
    review = reviews.replace(db.session(), current_analyzer(), review_id, sentence, cast(Details, body))
    reviews_scored.send(reviews=[review])
    return review


@bp.route("/<review_id>", methods=["PATCH"], parameters=[_ID])
@bp.arguments(DetailsIn)
@bp.response(200, ReviewOut)
@bp.problems(400, 404, 413, 415, 422, 503)
def describe_review(body: dict[str, Any], review_id: int) -> Sentiment:
    """Change film, time of writing or metadata of a review. Its score, history and `updated_on` stay.

    What is left out stays as it is, and null removes it. Metadata is replaced as a whole.
    """
    return reviews.describe(db.session(), review_id, cast(Details, body))


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
    """List the scores that a review had before its text or the model changed, the latest first, page by page."""
    page = reviews.history(db.session(), review_id, **query)
    return page.items, 200, link_headers(page, "sentiments.show_history")


@bp.route("/<review_id>/evidence", methods=["GET"], parameters=[_ID])
@bp.response(200, EvidenceOut)
@bp.problems(404, 422, 503)
def show_evidence(review_id: int) -> Any:
    """Show how much each word, or each sentence of a long review, moves its score, by leaving it out.

    The method is erasure: Li, Monroe and Jurafsky (2016), https://arxiv.org/abs/1612.08220.
    """
    return reviews.explain(db.session(), current_analyzer(), review_id)


@bp.route("/<review_id>/correction", methods=["PUT"], parameters=[_ID])
@bp.arguments(CorrectionIn)
@bp.response(200, ReviewOut)
@bp.problems(400, 404, 413, 415, 422, 503)
def correct_review(body: dict[str, str], review_id: int) -> Sentiment:
    """Store the sentiment that a person gives a review, beside the model's."""
    return reviews.correct(db.session(), review_id, body["sentiment"])


@bp.route("/<review_id>/correction", methods=["DELETE"], parameters=[_ID])
@bp.response(204)
@bp.problems(404, 422, 503)
def withdraw_correction(review_id: int) -> None:
    """Delete a correction."""
    reviews.withdraw(db.session(), review_id)


def link_headers(page: Page[Any], endpoint: str) -> dict[str, str]:
    """Return the Link header to the next page (RFC 8288), which keeps the parameters of this request."""
    if page.next_before is None:
        return {}
    query = urlencode({**request.args, "before": page.next_before})
    return {"Link": f'<{url_for(endpoint, **request.view_args or {})}?{query}>; rel="next"'}


def dump_page(page: Page[Sentiment], endpoint: str) -> Response:
    """Return a page as JSON, as the list does, for a view outside this blueprint."""
    response = jsonify(ReviewOut(many=True).dump(page.items))
    response.headers.update(link_headers(page, endpoint))
    return response
