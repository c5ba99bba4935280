"""Comparisons of two model versions."""

from marshmallow import fields

from src.schemas import ResponseSchema
from src.schemas.reviews import LEAST_CONFIDENCE
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
        allow_none=True, metadata={"minimum": LEAST_CONFIDENCE, "maximum": 1, "description": "Null without reviews."}
    )


class MovedOut(ResponseSchema):
    """A review whose score changed."""

    id = fields.Integer(metadata={"minimum": 1, "description": "The review's id."})
    old_score = fields.Float(metadata={"minimum": -1, "maximum": 1, "description": "The score by the old version."})
    new_score = fields.Float(metadata={"minimum": -1, "maximum": 1, "description": "The score by the new version."})


class NewSentimentsOut(ResponseSchema):
    """Reviews with one sentiment by the old version, counted by their sentiment by the new one."""

    negative = fields.Integer(metadata={"minimum": 0, "description": "How many are negative by the new version."})
    neutral = fields.Integer(metadata={"minimum": 0, "description": "How many are neutral by the new version."})
    positive = fields.Integer(metadata={"minimum": 0, "description": "How many are positive by the new version."})


class TableOut(ResponseSchema):
    """Reviews by their sentiment by the old version, then by the new one. The nine counts add up to `reviews`."""

    negative = fields.Nested(NewSentimentsOut, metadata={"description": "Those that were negative by the old version."})
    neutral = fields.Nested(NewSentimentsOut, metadata={"description": "Those that were neutral by the old version."})
    positive = fields.Nested(NewSentimentsOut, metadata={"description": "Those that were positive by the old version."})


class ComparisonOut(ResponseSchema):
    """Two model versions, compared over the current texts that both scored."""

    old = fields.Nested(SideOut, metadata={"description": "The version given as `old`."})
    new = fields.Nested(SideOut, metadata={"description": "The version given as `new`."})
    reviews = fields.Integer(metadata={"minimum": 0, "description": "How many reviews both scored."})
    agreed = fields.Integer(metadata={"minimum": 0, "description": "How many of them have the same sentiment by both."})
    to_positive = fields.Integer(metadata={"minimum": 0, "description": "How many became positive."})
    to_neutral = fields.Integer(metadata={"minimum": 0, "description": "How many became neutral."})
    to_negative = fields.Integer(metadata={"minimum": 0, "description": "How many became negative."})
    table = fields.Nested(
        TableOut, metadata={"description": "How many went from each sentiment to each; the diagonal is `agreed`."}
    )
    mean_change = fields.Float(allow_none=True, metadata=_CHANGE)
    mean_absolute_change = fields.Float(
        allow_none=True,
        metadata={"minimum": 0, "maximum": 2, "description": "Mean absolute change; null without reviews."},
    )
    mean_confidence_change = fields.Float(
        allow_none=True, metadata={"minimum": -0.667, "maximum": 0.667, "description": "Null without reviews."}
    )
    largest = fields.List(
        fields.Nested(MovedOut),
        metadata={"maxItems": 10, "description": "The largest changes of score, the largest first."},
    )
