"""gunicorn's own words: problem responses to clients, and log lines that quote no request."""

import http
import logging
import socket
import sys

import structlog
from gunicorn import glogging, util
from gunicorn.config import Config

from src.web.problems import render_problem, request_id_from, status_line

logger = structlog.get_logger("request")

_QUOTING = ("Invalid request from ip=", "Error handling request %s")
"""The beginnings of gunicorn's messages that quote a request, and so perhaps a review. `write_problem` logs instead."""


class Logger(glogging.Logger):  # type: ignore[misc]  # gunicorn has no type hints
    """gunicorn's logger, whose records become the service's JSON lines, without those that quote a request."""

    def setup(self, cfg: Config) -> None:
        """Hand gunicorn's records to the handler of `logs.configure`."""
        super().setup(cfg)
        self.error_log.propagate = True
        self.error_log.addFilter(_quotes_nothing)


def _quotes_nothing(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith(_QUOTING)


def write_problem(connection: socket.socket, status: int, _reason: str, detail: str, *, keep: bool = False) -> None:
    """Answer, and log, a request that the application does not answer.

    :param connection: a socket whose `sendall` does not wait for the client.
    :param keep: whether the connection stays open for the next request.
    """
    request_id, error = request_id_from(""), sys.exception()  # None where the poller refuses a request
    defect = status == http.HTTPStatus.INTERNAL_SERVER_ERROR
    logger.log(logging.ERROR if defect else logging.INFO, "answered", method=None, route=None, status=status,
               request_id=request_id, error=type(error).__name__ if error else None,
               exc_info=error if defect else None)  # fmt: skip
    detail = detail or http.HTTPStatus(status).phrase
    body, headers = render_problem(status, detail, request_id, {"Connection": "keep-alive" if keep else "close"})
    lines = [f"HTTP/1.1 {status_line(status)}", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    connection.sendall("\r\n".join(lines).encode("ascii") + body)


util.write_error = write_problem
"""gunicorn's worker calls this function with the status and the words of a refusal. There is no other hook for it."""
