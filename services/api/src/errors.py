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
    """A review that does not exist."""

    status = 404

    def __init__(self, review_id: int) -> None:
        super().__init__(f"Review {review_id} does not exist.")


class NoCorrection(DomainError):
    """The correction of a review that has none."""

    status = 404

    def __init__(self, review_id: int) -> None:
        super().__init__(f"Review {review_id} has no correction.")


class Unauthorized(DomainError):
    """A request without an API key, or with one that this service does not accept."""

    status = 401
    detail = "The request has no valid API key. Send one in the header `Authorization: Bearer KEY`."
    headers: ClassVar[dict[str, str]] = {"WWW-Authenticate": "Bearer"}


class KeyInProgress(DomainError):
    """An Idempotency-Key that another request in progress has."""

    status = 409
    detail = "A request with this Idempotency-Key is still being processed. Try again."
    headers: ClassVar[dict[str, str]] = {"Retry-After": "1"}


class ReferenceTaken(DomainError):
    """A reference under which a review with another sentence is stored."""

    status = 409

    def __init__(self, review_id: int) -> None:
        super().__init__(
            f"Review {review_id} has this reference and another sentence. "
            f"PUT the new sentence to /sentiments/{review_id}, or send another reference."
        )


class ReviewGone(DomainError):
    """An Idempotency-Key whose review has been deleted."""

    status = 410
    detail = "The review that was posted with this Idempotency-Key has been deleted. Send a new key to post it again."


class ReviewChanged(DomainError):
    """A reference whose review was deleted by another request while this one was storing it."""

    status = 409
    detail = "The review with this reference was deleted at the same time; nothing was stored. Try again."


class MalformedJson(DomainError):
    """A body that is not JSON."""

    status = 400


class MalformedRecord(DomainError):
    """A record of a bulk request or a file that cannot be read."""

    status = 400


class NotJson(DomainError):
    """A Content-Type that is not JSON."""

    status = 415


class NotBulk(DomainError):
    """A Content-Type that the bulk operation does not read."""

    status = 415
    detail = (
        "The Content-Type is neither NDJSON nor CSV. Send one of them, with curl: "
        "curl -H 'Content-Type: application/x-ndjson' --data-binary @reviews.ndjson, or text/csv"
    )


class SlowUpload(DomainError):
    """A body that took too long to arrive."""

    status = 408
    detail = "The body took too long to arrive; nothing was stored. Send fewer reviews in one request."


class CrossOrigin(DomainError):
    """A form that a page of another site sent in the visitor's name."""

    status = 403
    detail = "The form was sent from another site. Send it from this service's own page."


class InvalidInput(DomainError):
    """A well-formed request with values that the operation does not accept."""

    status = 422
    detail = "The request is well-formed, but some values are not valid; `errors` says which."

    def __init__(self, errors: list[dict[str, str]]) -> None:
        """:param errors: `{"pointer": "/field", "detail": "..."}` each; also for query and path parameters."""
        super().__init__()
        self.errors = errors


class Unavailable(DomainError):
    """A database or a model that is unavailable; trying again soon may help."""

    status = 503
    detail = "The database cannot be reached. Try again."


class OutcomeUnknown(Unavailable):
    """A change that is committed or not: the connection was lost before the database's answer came."""

    detail = (
        "The connection to the database was lost during the commit, so it is not known whether the review is stored. "
        "Send the request again with the same Idempotency-Key, and the review is stored once. Without a key, look for "
        "the review first. PUT and DELETE can be sent again in any case."
    )


class DiskFull(Unavailable):
    """A change for which the database's disk has no space."""

    detail = "The database's disk is full; nothing was stored. Try again when there is space."


class Crowded(Unavailable):
    """A request of a kind whose slots are all taken."""

    detail = "Too many requests of this kind are running; nothing was stored. Try again."


class ModelNotLoaded(Unavailable):
    """A process that was started without a model: `flask run` is for work on the views; `make run` serves."""

    detail = "This process was started without a model and cannot score. Start the service with `make run`."
