"""The views for browsers: the page with the form and the reviews, and the files of the API documentation.

The page works without scripts. With them (`static/main.js`), it calls the API itself.
"""

import math
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, render_template, request, send_from_directory, url_for
from flask.typing import ResponseReturnValue
from marshmallow import ValidationError

from src import reviews
from src.blueprints.sentiments import dump_page
from src.errors import CrossOrigin, ReviewNotFound, Unauthorized
from src.extensions import current_analyzer, current_group_commit, db, reviews_scored
from src.models import Sentiment
from src.schemas.queries import ListQuery, ViewQuery
from src.schemas.reviews import PAGE_DEFAULT, SENTIMENTS, check_sentence
from src.web.authentication import authorized
from src.web.parsing import StrictBlueprint, refuse_query

bp = Blueprint("pages", __name__)

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
"""Nothing inline, nothing from other hosts, and no script may turn text into markup."""

_FIELDS = {"q", "sentiment", "corrected", "min_confidence", "max_confidence", "since", "until"}
"""The filters that the form has fields for. Others stay as they are when it is sent."""
_BLANK = Sentiment(sentence="", sentiment_score=0.0, confidence=0.5)
"""The review in the template that scripts copy and fill in."""


@bp.get("/")
def index() -> ResponseReturnValue:
    """Show the form and a page of reviews. A client that prefers JSON gets the same reviews as from the list.

    A browser without a key gets the page without reviews; its script asks for a key.

    :raises Unauthorized: the client prefers JSON and has no key.
    """
    if _prefers_html():
        response = _view() if authorized() else _html(reviews.Page([], None), locked=True)
    elif not authorized():
        raise Unauthorized
    else:
        query = StrictBlueprint.ARGUMENTS_PARSER.parse(ListQuery, request, location="query")
        response = dump_page(reviews.page(db.session(), **query), "sentiments.list_reviews")
    response.vary.add("Accept")
    return response


@bp.post("/")
def submit() -> ResponseReturnValue:
    """Score and store the review in the form, then show it.

    :raises CrossOrigin: the form is on a page of another site.
    """
    origin = request.headers.get("Origin")  # browsers send it with every form; curl does not
    if origin not in (None, f"http://{request.host}", f"https://{request.host}"):
        raise CrossOrigin
    refuse_query()
    sentence = request.form.get("sentence", "")
    try:
        check_sentence(sentence)
    except ValidationError as error:
        return _html(reviews.page(db.session(), PAGE_DEFAULT), status=422, sentence=sentence, error=error.messages[0])
    submission = reviews.Submission(sentence=sentence)
    review, _ = reviews.create(db.session(), current_analyzer(), current_group_commit(), submission)
    reviews_scored.send(reviews=[review])
    return redirect(url_for("pages.index", review=review.id), 303)


@bp.get("/docs/assets/<path:name>")
def docs_asset(name: str) -> Response:
    """Serve the files of Swagger UI from its package, so that no page needs another host."""
    import swagger_ui

    return send_from_directory(Path(swagger_ui.__file__).parent / "static", name, max_age=86_400)


@bp.app_template_filter()
def percentages(probabilities: dict[str, float | None]) -> dict[str, str]:
    """Return probabilities as percentages that add up to 100.0%: those with the largest remainders are rounded up.

    `static/format.js` has the same in JavaScript.

    >>> percentages({"negative": 1 / 3, "neutral": 1 / 3, "positive": 1 / 3})
    {'positive': '33.4%', 'neutral': '33.3%', 'negative': '33.3%'}
    """
    known = {name: value for name in SENTIMENTS if (value := probabilities[name]) is not None}
    exact = {name: value / sum(known.values()) * 1000 for name, value in known.items()}
    rounded = {name: math.floor(tenths) for name, tenths in exact.items()}
    by_remainder = sorted(exact, key=lambda name: rounded[name] - exact[name])
    for name in by_remainder[: 1000 - sum(rounded.values())]:
        rounded[name] += 1
    return {name: f"{tenths / 10:.1f}%" for name, tenths in rounded.items()}


def _view() -> Response:
    """Show the page for the query. A form also sends its empty fields; they are ignored."""
    given = {name: value for name, value in request.args.items() if value}
    try:
        query = ViewQuery().load(given)
    except ValidationError as error:
        name, messages = next(iter(error.messages_dict.items()))
        return _html(reviews.page(db.session(), PAGE_DEFAULT), status=422, filter_error=f"{name}: {messages[0]}")
    review_id = query.pop("review")
    try:
        shown = None if review_id is None else reviews.find(db.session(), review_id)
    except ReviewNotFound as error:
        return _html(reviews.page(db.session(), **query), status=404, given={**given, "review": ""}, error=error.detail)
    return _html(reviews.page(db.session(), **query), given=given, shown=shown)


def _html(
    page: reviews.Page[Any], *, status: int = 200, given: dict[str, str] | None = None, **context: Any
) -> Response:
    given = given or {}
    filters = {name: value for name, value in given.items() if name not in ("review", "before", "limit", "old", "new")}
    older = page.next_before and _address("pages.index", {**filters, "before": str(page.next_before)})
    summary = _address("sentiments.show_summary", filters)
    hidden = {name: value for name, value in filters.items() if name not in _FIELDS}
    context |= {
        "reviews": page.items,
        "given": given,
        "hidden": hidden,
        "older": older,
        "summary": summary,
        "blank": _BLANK,
    }
    body = render_template("index.html", **context)
    response = Response(body, status)
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    return response


def _address(endpoint: str, query: dict[str, str]) -> str:
    return f"{url_for(endpoint)}?{urlencode(query)}" if query else url_for(endpoint)


def _prefers_html() -> bool:
    return request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html"
