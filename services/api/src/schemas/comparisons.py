"""Comparisons of two model versions."""

from marshmallow import fields

from src.schemas import ResponseSchema
from src.schemas.summaries import InUseOut

_CHANGE = {"minimum": -2, "maximum": 2, "description": "Mean of new score minus old score; null without reviews."}


class VersionOut(ResponseSchema):
    """A model version that scored stored reviews."""

    model_version = fields.String(metadata={"description": "Its name.", "example": "model@0123456789ab"})
    newest = fields.Integer(
        allow_none=True,
        metadata={
            "minimum": 1,
            "description": "The newest review whose current score it gave; null if none is left.",
        },
    )


class SideOut(InUseOut):
    """One of the two versions. `reviews` counts all that it scored; the rest is about those that both scored."""

    reviews = fields.Integer(
        metadata={"minimum": 0, "description": "How many it scored, whether or not the other did."}
    )
    mean_confidence = fields.Float(
        allow_none=True, metadata={"minimum": 0.5, "maximum": 1, "description": "Null without reviews."}
    )


class MovedOut(ResponseSchema):
    """A review whose score changed."""

    id = fields.Integer(metadata={"minimum": 1, "description": "The review's id."})
    old_score = fields.Float(metadata={"minimum": -1, "maximum": 1, "description": "The score by the old version."})
    new_score = fields.Float(metadata={"minimum": -1, "maximum": 1, "description": "The score by the new version."})


class ComparisonOut(ResponseSchema):
    """Two model versions, compared over the current texts that both scored."""

    old = fields.Nested(SideOut, metadata={"description": "The version given as `old`."})
    new = fields.Nested(SideOut, metadata={"description": "The version given as `new`."})
    reviews = fields.Integer(metadata={"minimum": 0, "description": "How many reviews both scored."})
    agreed = fields.Integer(metadata={"minimum": 0, "description": "How many of them have the same sentiment by both."})
    to_positive = fields.Integer(metadata={"minimum": 0, "description": "How many went from negative to positive."})
    to_negative = fields.Integer(metadata={"minimum": 0, "description": "How many went from positive to negative."})
    mean_change = fields.Float(allow_none=True, metadata=_CHANGE)
    mean_absolute_change = fields.Float(
        allow_none=True,
        metadata={"minimum": 0, "maximum": 2, "description": "Mean absolute change; null without reviews."},
    )
    mean_confidence_change = fields.Float(
        allow_none=True, metadata={"minimum": -0.5, "maximum": 0.5, "description": "Null without reviews."}
    )
    largest = fields.List(
        fields.Nested(MovedOut),
        metadata={"maxItems": 10, "description": "The largest changes of score, the largest first."},
    )
