"""The one place that turns an error into an HTTP answer: RFC 9457 problem details."""

import http
import re
import uuid
from typing import Any

import structlog
from flask import Flask, Response, current_app, g, jsonify, request
from gunicorn.http.errors import ParseException
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import BadRequest, HTTPException

from src.errors import DomainError, InvalidInput, Unavailable
from src.sentiment_analyzer.errors import DeadlinePassed, NotScored, QueueFull, ScorerAway

logger = structlog.get_logger(__name__)

RETRY_AFTER_SECONDS = 1
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

_NOT_SCORED = {
    QueueFull: "Too many reviews wait to be scored; nothing was stored. Try again.",
    DeadlinePassed: "The review waited too long to be scored; nothing was stored. Try again.",
    ScorerAway: "The model is being started again; nothing was stored. Try again.",
}


def request_id() -> str:
    """Return the id of this request: the client's X-Request-ID if it is well-formed, else a new one."""
    if "request_id" not in g:
        g.request_id = well_formed_id(request.headers.get("X-Request-ID", ""))
    return str(g.request_id)


def well_formed_id(given: str) -> str:
    """Return what a client gave as its request's id if it is well-formed, else a new one."""
    return given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def register(app: Flask) -> None:
    """Answer every error of `app` in the one shape."""
    app.register_error_handler(DomainError, _on_domain_error)
    app.register_error_handler(HTTPException, _on_http_error)
    app.register_error_handler(ParseException, _on_malformed_body)
    app.register_error_handler(NotScored, _on_not_scored)
    app.register_error_handler(OperationalError, _on_database_away)
    app.register_error_handler(InterfaceError, _on_database_away)
    app.register_error_handler(PoolTimeout, _on_database_away)
    app.register_error_handler(Exception, _on_defect)


def problem(status: int, detail: str, **members: Any) -> Response:
    """Return an `application/problem+json` answer."""
    return _answer(_members(status, detail, **members))


def members_of(error: Exception) -> dict[str, Any]:
    """Return what a client is told of `error`, where it is no answer of its own but one line of an answer."""
    if isinstance(error, DomainError):  # as every line of a body may be: without Flask's ado
        return _members_of_domain_error(error)
    answer = current_app.make_response(current_app.handle_user_exception(error))
    return dict(answer.get_json())


def where(error: BaseException) -> list[str]:
    """Return file, line and function of the last 8 frames, the innermost last."""
    frames = []
    traceback = error.__traceback__
    while traceback:
        code = traceback.tb_frame.f_code
        frames.append(f"{code.co_filename}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return frames[-8:]


def _members(status: int, detail: str, **members: Any) -> dict[str, Any]:
    title = http.HTTPStatus(status).phrase
    told = {"type": "about:blank", "title": title, "status": status, "detail": detail, "request_id": request_id()}
    return {**told, **members}


def _members_of_domain_error(error: DomainError) -> dict[str, Any]:
    errors = {"errors": error.errors} if isinstance(error, InvalidInput) else {}
    return _members(error.status, error.detail, **errors)


def _answer(members: dict[str, Any]) -> Response:
    response = jsonify(members)
    response.status_code = members["status"]
    response.mimetype = "application/problem+json"
    if response.status_code in (409, 503):
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _on_domain_error(error: DomainError) -> Response:
    response = _answer(_members_of_domain_error(error))
    response.headers.update(error.headers)
    return response


def _on_http_error(error: HTTPException) -> Response:
    response = problem(error.code or 500, error.description or "")
    for name, value in error.get_headers():
        if name not in ("Content-Type", "Content-Length"):
            response.headers[name] = value  # Allow, with 405
    return response


def _on_malformed_body(_: Exception) -> Response:
    """Answer for chunks that are none, which gunicorn finds when the body is read. Its own words would quote them."""
    return _on_http_error(BadRequest("The body is cut off, or its chunks are malformed."))


def _on_not_scored(error: NotScored) -> Response:
    return _on_domain_error(Unavailable(_NOT_SCORED[type(error)]))


def _on_database_away(error: Exception) -> Response:
    logger.error("database away", error=type(error).__name__, sqlstate=_sqlstate(error), request_id=request_id())
    return _on_domain_error(Unavailable())


def _on_defect(error: Exception) -> Response:
    """Log where it happened, but not the message: PostgreSQL quotes the row there, and so the review."""
    logger.error(
        "defect", error=type(error).__name__, sqlstate=_sqlstate(error), request_id=request_id(), where=where(error)
    )
    return problem(500, "Something went wrong here. The log has more under this request id.")


def _sqlstate(error: Exception) -> str | None:
    return getattr(error.orig, "pgcode", None) if isinstance(error, DBAPIError) else None
