"""Errors that a client is told about, each with its HTTP status and words."""

from typing import ClassVar


class DomainError(Exception):
    """An error that the client is told about, as `status` and `detail`."""

    status = 500
    detail = "Something went wrong here."
    headers: ClassVar[dict[str, str]] = {}

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail or self.detail)
        self.detail = detail or self.detail


class ReviewNotFound(DomainError):
    """No review has that id."""

    status = 404

    def __init__(self, review_id: int) -> None:
        super().__init__(f"Review {review_id} does not exist.")


class NoCorrection(DomainError):
    """The review exists, but has no correction."""

    status = 404

    def __init__(self, review_id: int) -> None:
        super().__init__(f"Review {review_id} has no correction.")


class Unauthorized(DomainError):
    """The request has no API key, or one that this service does not accept."""

    status = 401
    detail = "The request has no valid API key. Send one in the header `Authorization: Bearer KEY`."
    headers: ClassVar[dict[str, str]] = {"WWW-Authenticate": "Bearer"}


class BusyImport(DomainError):
    """Another process imports the same file."""

    status = 409
    detail = "Another process is importing this file. Wait for it: it stores each record once."


class KeyInProgress(DomainError):
    """Another request with the same Idempotency-Key is being processed."""

    status = 409
    detail = "A request with this Idempotency-Key is still being processed. Try again."


class ReviewGone(DomainError):
    """The review that was posted with an Idempotency-Key has been deleted."""

    status = 410
    detail = "The review that was posted with this Idempotency-Key has been deleted. Send a new key to post it again."


class MalformedJson(DomainError):
    """The body is not JSON."""

    status = 400


class MalformedRecord(DomainError):
    """One record of a bulk request or a file cannot be read."""

    status = 400


class NotJson(DomainError):
    """The Content-Type is not JSON."""

    status = 415


class NotBulk(DomainError):
    """The Content-Type is none that the bulk operation reads."""

    status = 415
    detail = (
        "The Content-Type is neither NDJSON nor CSV. Send one of them, with curl: "
        "curl -H 'Content-Type: application/x-ndjson' --data-binary @reviews.ndjson, or text/csv"
    )


class SlowUpload(DomainError):
    """The body took longer to arrive than it may."""

    status = 408
    detail = "The body took too long to arrive; nothing was stored. Send fewer reviews in one request."


class CrossOrigin(DomainError):
    """A page of another site sent the form in the visitor's name."""

    status = 403
    detail = "The form was sent from another site. Send it from this service's own page."


class InvalidInput(DomainError):
    """The request is well-formed, but has values that the operation does not accept."""

    status = 422
    detail = "The request is well-formed, but some values are not valid; `errors` says which."

    def __init__(self, errors: list[dict[str, str]]) -> None:
        """:param errors: `{"pointer": "/field", "detail": "..."}` each; also for query and path parameters."""
        super().__init__()
        self.errors = errors


class Unavailable(DomainError):
    """The database or the model is unavailable; trying again soon may help."""

    status = 503
    detail = "The database cannot be reached. Try again."


class Crowded(Unavailable):
    """All slots for requests of this kind are taken."""

    detail = "Too many requests of this kind are running; nothing was stored. Try again."


class ModelNotLoaded(Unavailable):
    """The process was started without a model: `flask run` is for work on the views; `make run` serves."""

    detail = "This process was started without a model and cannot score. Start the service with `make run`."
