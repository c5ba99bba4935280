"""What a browser shows: the form with the latest reviews, and the files of the API documentation."""

from pathlib import Path

from flask import Blueprint, Response, redirect, render_template, request, send_from_directory, url_for
from flask.typing import ResponseReturnValue
from marshmallow import ValidationError

from src import reviews
from src.blueprints.sentiments import dump_page
from src.errors import CrossOrigin
from src.parsing import refuse_query
from src.schemas import PAGE_DEFAULT, check_sentence

bp = Blueprint("pages", __name__)

_POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
"""The page runs no script, so that hostile text in a review has nothing to run in."""


@bp.get("/")
def index() -> ResponseReturnValue:
    """Show the form and the latest reviews; a client that prefers JSON gets the list."""
    refuse_query()
    page = reviews.page(PAGE_DEFAULT)
    response = _html(page) if _prefers_html() else dump_page(page, "sentiments.list_reviews")
    response.vary.add("Accept")
    return response


@bp.post("/")
def submit() -> ResponseReturnValue:
    """Score and store what the form sent, then show the page again.

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
        return _html(reviews.page(PAGE_DEFAULT), status=422, sentence=sentence, error=error.messages[0])
    review = reviews.create(sentence)
    return redirect(url_for("pages.index", _anchor=f"review-{review.id}"), 303)


@bp.get("/docs/assets/<path:name>")
def docs_asset(name: str) -> Response:
    """Serve Swagger UI's files, which a package carries: no page here needs another host."""
    import swagger_ui

    return send_from_directory(Path(swagger_ui.__file__).parent / "static", name, max_age=86_400)


def _html(page: reviews.Page, status: int = 200, **context: object) -> Response:
    response = Response(render_template("index.html", reviews=page.items, **context), status)
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _prefers_html() -> bool:
    return request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html"
