"""The view for exports."""

import socket
from contextlib import ExitStack
from typing import Any

from flask import Response

from src import reviews
from src.extensions import db
from src.files.writers import FORMATS
from src.schemas.queries import ExportQuery
from src.web.connection_deadline import connection_deadline
from src.web.parsing import StrictBlueprint
from src.web.streaming import streamed

bp = StrictBlueprint("exports", __name__, url_prefix="/sentiments", description="Reviews as a file.")

EXPORT_SECONDS = 1800
"""The longest that a client may take to read an export, which holds a database connection and its snapshot."""
_MEDIA_TYPES = [one.media_type.split(";")[0] for one in FORMATS.values()]
_FILE = {"required": True, "schema": {"type": "string"}, "description": "The file's name."}


@bp.route("/export", methods=["GET"])
@bp.arguments(ExportQuery, location="query")
@bp.doc(responses={200: {"description": "A file, streamed.", "headers": {"Content-Disposition": _FILE},
                         "content": {kind: {} for kind in _MEDIA_TYPES}}})  # fmt: skip
@bp.problems(422, 503)
def export_reviews(query: dict[str, Any]) -> Response:
    """Download every review that matches the filters from one snapshot, the newest first.

    Four exports may run at once; a further one gets 503. One that is not read to its end within half an hour is cut
    off. The client notices, since the last chunk is missing.

    The cells of CSV are separated by commas. A text that begins with `=`, `+`, `-`, `@`, `'`, a tab or a carriage
    return gets a `'` in front, so that no spreadsheet takes it for a formula.
    """
    name = query["format"]
    with ExitStack() as held:
        held.enter_context(reviews.slot(db.engine, reviews.EXPORTS))
        held.enter_context(connection_deadline(EXPORT_SECONDS, socket.SHUT_RDWR))
        session = held.enter_context(db.session.session_factory())  # the request's own ends before the stream does
        pieces = FORMATS[name].write(reviews.export(session, query["filters"]))
        response = Response(streamed(pieces), content_type=FORMATS[name].media_type)
        response.headers["Content-Disposition"] = f"attachment; filename=sentiments.{name}"
        response.call_on_close(held.pop_all().close)
    return response
