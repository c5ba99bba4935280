"""The view for many reviews in one request."""

import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from flask import Response, current_app, request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from src import reviews
from src.errors import InvalidInput, NotBulk, SlowUpload
from src.extensions import current_analyzer, db, reviews_scored
from src.files.readers import READERS, Columns, Unreadable
from src.files.writers import FORMATS
from src.models import Sentiment
from src.reviews import Known
from src.schemas.problems import BulkProblem
from src.schemas.reviews import ReviewOut, entry_of
from src.web.authentication import client_name
from src.web.connection_deadline import connection_deadline
from src.web.idempotency import refuse_key
from src.web.parsing import StrictBlueprint, refuse_query
from src.web.problems import members_of
from src.web.streaming import paced, streamed

bp = StrictBlueprint("bulk", __name__, url_prefix="/sentiments", description="Many reviews at once.")

UPLOAD_SECONDS = 600
"""The longest that the upload of a body may take."""
_READ_BYTES = 2**18
_DISK = next((folder for folder in ("/var/tmp",) if Path(folder).is_dir()), None)  # noqa: S108  # a random name, unlinked
"""The folder of uploaded bodies. /tmp is in memory on many systems."""
_NDJSON = "application/x-ndjson"
_KINDS = {_NDJSON: "ndjson", "text/csv": "csv"}
_EXAMPLES = {
    _NDJSON: '{"sentence": "A quiet, funny film.", "movie": "Am\u00e9lie"}\n{"sentence": "Two hours of nothing."}\n',
    "text/csv": "sentence\nA quiet film.\nTwo hours of nothing.\n",
}
_SCHEMAS: dict[str, dict[str, Any]] = {
    _NDJSON: {},  # an invalid line gets its own problem in the response
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
            "description": "A line for each record: the stored review, or a problem with the number of the `record`.",
            "content": {_NDJSON: {"schema": {"type": "string"}}},
        }
    },
)
@bp.problems(400, 408, 413, 415, 422, 503)
def create_reviews() -> Response:
    """Score and store many reviews: NDJSON with a member `sentence` in each line, or CSV with a column of that name.

    The other fields of a single review may be there too. In CSV, `movie_key` is the film's key, and `metadata` is JSON.
    Members and columns of other names are not read.

    The response is streamed NDJSON, with a line for each record in the same order: the stored review, or a problem with
    the number of the record. An invalid record does not fail the others.

    Each review that you receive is already committed; a lost connection loses none of them. Send again every
    record for which you received no line. If the body is cut off, nothing of it is stored. A service that is being
    stopped goes on with a request for up to 30 seconds.
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
        held.enter_context(reviews.slot(db.engine, reviews.BULK_REQUESTS))
        try:
            records = read(body, current_app.config["MAX_CONTENT_LENGTH"], Columns())
        except Unreadable as error:
            raise InvalidInput([{"pointer": "", "detail": str(error)}]) from error
        session = held.enter_context(db.session.session_factory())  # the request's own ends before the stream does
        # Paced, because invalid records are answered without waiting for the scorer.
        entries = map(partial(entry_of, owner=client_name()), records)
        lines = _lines(paced(reviews.create_many(session, analyzer, entries)))
        response = Response(streamed(lines), content_type=FORMATS["ndjson"].media_type)
        response.call_on_close(held.pop_all().close)
    return response


def _spool(body: BinaryIO) -> None:
    """Write the body of the request to disk.

    :raises Crowded: too many bodies are being uploaded.
    :raises RequestEntityTooLarge: it is larger than MAX_BULK_BYTES.
    :raises SlowUpload: it took longer than UPLOAD_SECONDS.
    :raises ClientDisconnected: it is shorter than announced.
    """
    most: int = current_app.config["MAX_BULK_BYTES"]
    request.max_content_length = most + 1  # +1: werkzeug refuses a chunked body of exactly the limit
    deadline = connection_deadline(UPLOAD_SECONDS, socket.SHUT_RD)
    with reviews.slot(db.engine, reviews.UPLOADS), deadline as expired:
        shutil.copyfileobj(request.stream, body, _READ_BYTES)
    if expired.is_set():
        raise SlowUpload
    if body.tell() > most:
        raise RequestEntityTooLarge
    if body.tell() < (request.content_length or 0):
        raise ClientDisconnected
    body.seek(0)


def _lines(batches: Iterator[list[Sentiment | Known | Exception]]) -> Iterator[bytes]:
    number, review, problem = 0, ReviewOut(), BulkProblem()
    for batch in batches:
        reviews_scored.send(reviews=[outcome for outcome in batch if isinstance(outcome, Sentiment)])
        known: dict[int, dict[str, Any]] = {}  # an error that many records share is logged once
        answer = []
        for outcome in batch:
            number += 1
            if isinstance(outcome, Sentiment | Known):
                line = review.dump(outcome.review if isinstance(outcome, Known) else outcome)
            else:
                if id(outcome) not in known:
                    known[id(outcome)] = members_of(outcome)
                line = problem.dump({**known[id(outcome)], "record": number})
            answer.append(current_app.json.dumps(line))
        yield "".join(f"{line}\n" for line in answer).encode()
