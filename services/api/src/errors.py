"""What can go wrong, as a client is told it."""

from typing import ClassVar


class DomainError(Exception):
    """Something that a client is told, as `status` and `detail`."""

    status = 500
    detail = "Something went wrong."
    headers: ClassVar[dict[str, str]] = {}

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail or self.detail)
        self.detail = detail or self.detail


class ReviewNotFound(DomainError):
    """No review has that id."""

    status = 404

    def __init__(self, review_id: int) -> None:
        super().__init__(f"No review has the id {review_id}.")


class NoCorrection(DomainError):
    """Nobody corrected that review."""

    status = 404

    def __init__(self, review_id: int) -> None:
        super().__init__(f"No correction of a review with the id {review_id} is there.")


class Unauthorized(DomainError):
    """The request has no key, or none of those that open this service."""

    status = 401
    detail = "Send one of the service's keys: Authorization: Bearer KEY."
    headers: ClassVar[dict[str, str]] = {"WWW-Authenticate": "Bearer"}


class BusyImport(DomainError):
    """Somebody else imports the same file."""

    status = 409
    detail = "That file is being imported by another process; what that one stored is stored once."


class KeyInProgress(DomainError):
    """Another request with the same Idempotency-Key is being worked on."""

    status = 409
    detail = "A request with this Idempotency-Key is still being worked on. Try again."


class ReviewGone(DomainError):
    """What was posted under an Idempotency-Key was deleted since."""

    status = 410
    detail = "What was posted with this Idempotency-Key has been deleted since."


class MalformedJson(DomainError):
    """The body is no JSON."""

    status = 400


class MalformedRecord(DomainError):
    """A record of many cannot be read."""

    status = 400


class NotJson(DomainError):
    """The body is of another media type."""

    status = 415


class NotBulk(DomainError):
    """The body is of a media type that has no records, or none that are read here."""

    status = 415
    detail = (
        "Send NDJSON or CSV, and say so. With curl: "
        "curl -H 'Content-Type: application/x-ndjson' --data-binary @reviews.ndjson, or text/csv"
    )


class SlowUpload(DomainError):
    """The body takes longer than it may."""

    status = 408
    detail = "The body took too long to arrive; nothing was stored."


class CrossOrigin(DomainError):
    """A page of another site tries to post in the visitor's name."""

    status = 403
    detail = "This form can be sent only from the page of this service."


class InvalidInput(DomainError):
    """The request is well-formed, but its values are not what the operation takes."""

    status = 422
    detail = "The request is well-formed, but not valid."

    def __init__(self, errors: list[dict[str, str]]) -> None:
        """:param errors: `{"pointer": "/field", "detail": "..."}` each; also for query and path parameters."""
        super().__init__()
        self.errors = errors


class Unavailable(DomainError):
    """The database or the model is away; trying again soon may help."""

    status = 503
    detail = "The database cannot be reached at the moment; try again."


class Crowded(Unavailable):
    """All places for requests like this one are taken."""

    detail = "There are as many requests of this kind as may be at once; nothing was stored. Try again."


class ModelNotLoaded(Unavailable):
    """The process was started without a model: `flask run` is for templates and routes, gunicorn serves."""

    detail = "This process was started without a model, so it scores nothing. `make run` starts one with it."
