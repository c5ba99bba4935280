"""Problem responses (RFC 9457): built here for Flask's handlers, the overload middleware and the server alike."""

import http
import json
import random
import re
from collections.abc import Mapping
from typing import Any

import structlog
from flask import Flask, Response, current_app, g, request
from gunicorn.http.errors import ParseException
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import BadRequest, HTTPException

from src.database.lost_commits import LostCommit
from src.errors import DiskFull, DomainError, InvalidInput, OutcomeUnknown, Unavailable
from src.sentiment_analyzer.errors import DeadlinePassed, NotScored, QueueFull, ScorerAway

logger = structlog.get_logger(__name__)

RETRY_AFTER_SECONDS = 1
_QUERY_CANCELED = "57014"
"""The SQLSTATE of a statement that reached `statement_timeout`."""
_DISK_FULL = "53100"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

QUEUE_FULL = "Too many reviews are waiting to be scored; nothing was stored. Try again."
_NOT_SCORED = {
    QueueFull: QUEUE_FULL,
    DeadlinePassed: "The review waited too long to be scored; nothing was stored. Try again.",
    ScorerAway: "The model is being restarted; nothing was stored. Try again.",
}


def render_problem(
    status: int, detail: str, request_id: str, headers: Mapping[str, str] | None = None, **members: Any
) -> tuple[bytes, dict[str, str]]:
    """Return the body and all headers of a problem response. Needs neither an app nor a request.

    :param headers: headers besides those that every problem has.
    :param members: members besides those that every problem has, such as `errors`.
    """
    text = json.dumps(_members(status, detail, request_id, **members), ensure_ascii=False, separators=(",", ":"))
    body = f"{text}\n".encode("utf-8", "replace")  # the name of an unknown field may have a lone surrogate
    retry = {"Retry-After": str(RETRY_AFTER_SECONDS)} if status == 503 else {}
    return body, {
        "Content-Type": "application/problem+json",
        "Content-Length": str(len(body)),
        "X-Request-ID": request_id,
        **retry,
        **(headers or {}),
    }


def status_line(status: int) -> str:
    """Return the status with its phrase, `503 Service Unavailable`."""
    return f"{status} {http.HTTPStatus(status).phrase}"


def _members(status: int, detail: str, request_id: str, **members: Any) -> dict[str, Any]:
    title = http.HTTPStatus(status).phrase
    common = {"type": "about:blank", "title": title, "status": status, "detail": detail, "request_id": request_id}
    return {**common, **members}


def request_id() -> str:
    """Return the id of the current request: the client's X-Request-ID if it is well-formed, else a new one."""
    if "request_id" not in g:
        g.request_id = request_id_from(request.headers.get("X-Request-ID", ""))
    return str(g.request_id)


def request_id_from(header: str) -> str:
    """Return the value of an X-Request-ID header if it is well-formed, else a new id."""
    return header if _REQUEST_ID.fullmatch(header) else f"{random.getrandbits(128):032x}"


def register(app: Flask) -> None:
    """Answer every error of `app` with a problem."""
    app.register_error_handler(DomainError, _on_domain_error)
    app.register_error_handler(HTTPException, _on_http_error)
    app.register_error_handler(ParseException, _on_malformed_body)
    app.register_error_handler(NotScored, _on_not_scored)
    app.register_error_handler(OperationalError, _on_database_error)
    app.register_error_handler(InterfaceError, _on_database_error)
    app.register_error_handler(PoolTimeout, _on_database_error)
    app.register_error_handler(Exception, _on_defect)


def members_of(error: Exception) -> dict[str, Any]:
    """Return the members of the problem for `error`, for a response in which it is one line of many."""
    if isinstance(error, DomainError):  # every line of a body may have one: skip the work of Flask's handlers
        return _members(error.status, error.detail, request_id(), **_errors_of(error))
    response = current_app.make_response(current_app.handle_user_exception(error))
    return dict(response.get_json())


def innermost_frames(error: BaseException) -> list[str]:
    """Return file, line and function of the last 8 frames of an error's traceback, the innermost last."""
    frames = []
    traceback = error.__traceback__
    while traceback:
        code = traceback.tb_frame.f_code
        frames.append(f"{code.co_filename}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return frames[-8:]


def _problem(status: int, detail: str, headers: Mapping[str, str] | None = None, **members: Any) -> Response:
    body, headers = render_problem(status, detail, request_id(), headers, **members)
    return Response(body, status, headers)


def _errors_of(error: DomainError) -> dict[str, Any]:
    return {"errors": error.errors} if isinstance(error, InvalidInput) else {}


def _on_domain_error(error: DomainError) -> Response:
    return _problem(error.status, error.detail, error.headers, **_errors_of(error))


def _on_http_error(error: HTTPException) -> Response:
    """Answer with werkzeug's words, and its headers: 405 has Allow."""
    headers = {name: value for name, value in error.get_headers() if name not in ("Content-Type", "Content-Length")}
    return _problem(error.code or 500, error.description or "", headers)


def _on_malformed_body(_: Exception) -> Response:
    """Answer a malformed chunk, which gunicorn finds when the body is read. Its own message would quote the body."""
    return _on_http_error(BadRequest("The body is cut off, or its chunks are malformed."))


def _on_not_scored(error: NotScored) -> Response:
    return _on_domain_error(Unavailable(_NOT_SCORED.get(type(error), "The review was not scored. Try again.")))


def _on_database_error(error: Exception) -> Response:
    sqlstate = _sqlstate(error)
    logger.error("database error", error=type(error).__name__, sqlstate=sqlstate, request_id=request_id())
    if isinstance(error, PoolTimeout):
        return _on_domain_error(Unavailable("Every connection to the database is in use. Try again."))
    if isinstance(error, LostCommit):
        return _on_domain_error(OutcomeUnknown())
    if sqlstate == _DISK_FULL:
        return _on_domain_error(DiskFull())
    if sqlstate == _QUERY_CANCELED:
        return _on_domain_error(Unavailable("The database took too long. Narrow the filters, or try again."))
    return _on_domain_error(Unavailable())


def _on_defect(error: Exception) -> Response:
    """Log the type and the place of the error, but not its message, in which PostgreSQL quotes the row."""
    about = {"error": type(error).__name__, "sqlstate": _sqlstate(error), "where": innermost_frames(error)}
    logger.error("defect", request_id=request_id(), **about)
    return _problem(500, "Something went wrong here. The log has more under this request id.")


def _sqlstate(error: Exception) -> str | None:
    return getattr(error.orig, "pgcode", None) if isinstance(error, DBAPIError) else None
