"""What a browser shows: the form, the reviews that a filter lets through, and the files of the API documentation.

All of it works without a script; with scripts (`static/main.js`) the page asks the API itself.
"""

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, render_template, request, send_from_directory, url_for
from flask.typing import ResponseReturnValue
from marshmallow import ValidationError

from src import reviews
from src.blueprints.sentiments import dump_page
from src.errors import CrossOrigin, ReviewNotFound, Unauthorized
from src.extensions import current_analyzer, current_writes, db
from src.models import Sentiment
from src.schemas.queries import ListQuery, ViewQuery
from src.schemas.reviews import PAGE_DEFAULT, check_sentence
from src.web.authentication import authorized
from src.web.parsing import StrictBlueprint, refuse_query

bp = Blueprint("pages", __name__)

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
"""Nothing inline, nothing from elsewhere, and no script may make markup of text."""

_BLANK = Sentiment(sentence="", sentiment_score=0.0, confidence=0.5)
"""What a script makes a copy of and fills."""


@bp.get("/")
def index() -> ResponseReturnValue:
    """Show the form and a page of reviews; a client that prefers JSON gets that page as the list has it.

    Who has no key gets the page without reviews, whose script asks for one.

    :raises Unauthorized: the client prefers JSON, and has no key.
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
    """Score and store what the form sent, then show it.

    :raises CrossOrigin: the form stands on a page of another site.
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
    review = reviews.create(db.session(), current_analyzer(), current_writes(), sentence)
    return redirect(url_for("pages.index", review=review.id), 303)


@bp.get("/docs/assets/<path:name>")
def docs_asset(name: str) -> Response:
    """Serve Swagger UI's files, which a package carries: no page here needs another host."""
    import swagger_ui

    return send_from_directory(Path(swagger_ui.__file__).parent / "static", name, max_age=86_400)


def _view() -> Response:
    """Show what the address asks. A form sends the fields that were left empty too; they ask nothing."""
    asked = {name: value for name, value in request.args.items() if value}
    try:
        query = ViewQuery().load(asked)
    except ValidationError as error:
        name, messages = next(iter(error.messages_dict.items()))
        return _html(reviews.page(db.session(), PAGE_DEFAULT), status=422, filter_error=f"{name}: {messages[0]}")
    review_id = query.pop("review")
    try:
        shown = None if review_id is None else reviews.find(db.session(), review_id)
    except ReviewNotFound as error:
        return _html(reviews.page(db.session(), **query), status=404, asked={**asked, "review": ""}, error=error.detail)
    return _html(reviews.page(db.session(), **query), asked=asked, shown=shown)


def _html(
    page: reviews.Page[Any], *, status: int = 200, asked: dict[str, str] | None = None, **context: Any
) -> Response:
    asked = asked or {}
    filters = {name: value for name, value in asked.items() if name not in ("review", "before", "limit", "old", "new")}
    older = page.next_before and _address("pages.index", {**filters, "before": str(page.next_before)})
    summary = _address("sentiments.show_summary", filters)
    context |= {"reviews": page.items, "asked": asked, "older": older, "summary": summary, "blank": _BLANK}
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
