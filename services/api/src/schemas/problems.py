"""Errors: RFC 9457 problem details."""

from marshmallow import fields

from src.schemas import ResponseSchema


class ProblemField(ResponseSchema):
    """One field or parameter that is not valid."""

    pointer = fields.String(metadata={"description": "Its JSON pointer, or `/` and the parameter's name."})
    detail = fields.String(metadata={"description": "What is wrong with it.", "example": "Is empty or blank."})


class Problem(ResponseSchema):
    """The shape of every error: RFC 9457 problem details."""

    optional = frozenset({"errors"})

    type = fields.String(metadata={"enum": ["about:blank"], "description": "The status says which kind it is."})
    title = fields.String(metadata={"description": "The status in words.", "example": "Unprocessable Entity"})
    status = fields.Integer(
        metadata={"minimum": 400, "maximum": 599, "description": "The HTTP status.", "example": 422}
    )
    detail = fields.String(metadata={"description": "What is wrong, and often what to do."})
    request_id = fields.String(metadata={"description": "The request's id in the log; X-Request-ID has it too."})
    errors = fields.List(fields.Nested(ProblemField), metadata={"description": "The invalid fields; with 422 only."})


class BulkProblem(Problem):
    """The problem of one record of a bulk request."""

    record = fields.Integer(metadata={"minimum": 1, "description": "The record's number in the body, from 1."})
