"""Many reviews in one request, answered line by line."""

import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

from flask import Response, current_app, request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from src import reviews
from src.errors import DomainError, InvalidInput, NotBulk, SlowUpload
from src.extensions import current_analyzer, db
from src.files.readers import READERS, Unreadable
from src.files.writers import FORMATS
from src.models import Sentiment
from src.schemas.problems import BulkProblem
from src.schemas.reviews import ReviewOut, refusal
from src.server.slow_clients import connection_deadline
from src.web.idempotency import refuse_key
from src.web.parsing import StrictBlueprint, refuse_query
from src.web.problems import members_of
from src.web.streaming import paced, streamed

bp = StrictBlueprint("bulk", __name__, url_prefix="/sentiments", description="Many reviews at once.")

UPLOAD_SECONDS = 600
"""The longest that a body may take to arrive."""
_READ_BYTES = 2**18
_DISK = next((folder for folder in ("/var/tmp",) if Path(folder).is_dir()), None)  # noqa: S108  # a random name, unlinked
"""Where a body lies meanwhile. /tmp is memory on many systems."""
_NDJSON = "application/x-ndjson"
_KINDS = {_NDJSON: "ndjson", "text/csv": "csv"}
_EXAMPLES = {
    _NDJSON: '{"sentence": "A quiet, funny film."}\n{"sentence": "Two hours of nothing."}\n',
    "text/csv": "sentence\nA quiet film.\nTwo hours of nothing.\n",
}
_SCHEMAS: dict[str, dict[str, Any]] = {
    _NDJSON: {},  # each line is answered for itself, whatever it is
    "text/csv": {"type": "string", "pattern": r"^([A-Za-z_]+,)*sentence(,[A-Za-z_]+)*\r?\n"},
}


@bp.route("/bulk", methods=["POST"], strict_slashes=False)
@bp.doc(
    requestBody={
        "required": True,
        "content": {kind: {"schema": _SCHEMAS[kind], "example": text} for kind, text in _EXAMPLES.items()},
    },
    responses={
        200: {
            "description": "A line for each record: the review, or a problem with the number of the `record` in it.",
            "content": {_NDJSON: {"schema": {"type": "string"}}},
        }
    },
)
@bp.problems(400, 408, 413, 415, 422, 503)
def create_reviews() -> Response:
    """Score and store many reviews: NDJSON with a member `sentence` in each line, or CSV with such a column.

    The answer is NDJSON, in the order of the records, and streamed: for each the review as stored, or its problem with
    the record's number, which fails no other one. A line follows its commit. What was answered is stored, whatever
    becomes of the connection; post again what was not. A body that is cut off is refused, and nothing of it stored; a
    service that is stopped works on it for 30 seconds more.
    """
    refuse_query()
    refuse_key(request.headers)
    read = READERS.get(_KINDS.get(request.mimetype, ""))
    if read is None:
        raise NotBulk
    analyzer = current_analyzer()
    with ExitStack() as held:
        body = held.enter_context(tempfile.TemporaryFile(dir=_DISK))
        _spool(body)
        held.enter_context(reviews.bulk_slot())
        try:
            records = read(body, current_app.config["MAX_CONTENT_LENGTH"])
        except Unreadable as error:
            raise InvalidInput([{"pointer": "", "detail": str(error)}]) from error
        session = held.enter_context(db.session.session_factory())  # the request's own ends before the stream does
        # Paced, because invalid records are answered without waiting for the scorer.
        lines = _lines(paced(reviews.create_many(session, analyzer, map(_entry, records))))
        response = Response(streamed(lines), content_type=FORMATS["ndjson"].media_type)
        response.call_on_close(held.pop_all().close)
    return response


def _spool(body: BinaryIO) -> None:
    """Write the request's body to disk.

    :raises Crowded: too many others arrive.
    :raises RequestEntityTooLarge: it is larger than MAX_BULK_BYTES.
    :raises SlowUpload: it does not end.
    :raises ClientDisconnected: it ends too early.
    """
    most: int = current_app.config["MAX_BULK_BYTES"]
    request.max_content_length = most + 1  # werkzeug takes a body in chunks that ends at the limit for a longer one
    with reviews.upload_slot(), connection_deadline(UPLOAD_SECONDS, socket.SHUT_RD) as expired:
        shutil.copyfileobj(request.stream, body, _READ_BYTES)
    if expired.is_set():
        raise SlowUpload
    if body.tell() > most:
        raise RequestEntityTooLarge
    if body.tell() < (request.content_length or 0):
        raise ClientDisconnected
    body.seek(0)


def _entry(sentence: Any) -> str | DomainError:
    """Return what a record has for a sentence, or why that cannot be stored, as for a single review."""
    if isinstance(sentence, DomainError):
        return sentence
    why = refusal(sentence)
    return InvalidInput([{"pointer": "/sentence", "detail": why}]) if why else str(sentence)


def _lines(chunks: Iterator[list[Sentiment | Exception]]) -> Iterator[bytes]:
    number, review, problem = 0, ReviewOut(), BulkProblem()
    for chunk in chunks:
        known: dict[int, dict[str, Any]] = {}  # an error that many share is told, and logged, once
        answer = []
        for outcome in chunk:
            number += 1
            if isinstance(outcome, Sentiment):
                line = review.dump(outcome)
            else:
                if id(outcome) not in known:
                    known[id(outcome)] = members_of(outcome)
                line = problem.dump({**known[id(outcome)], "record": number})
            answer.append(current_app.json.dumps(line))
        yield "".join(f"{line}\n" for line in answer).encode()
