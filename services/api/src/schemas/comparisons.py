"""The shape of a comparison of two model versions."""

from marshmallow import fields

from src.schemas import ResponseSchema
from src.schemas.summaries import InUseOut

_CHANGE = {"minimum": -2, "maximum": 2, "description": "The new score less the old one, on average; null of none."}


class VersionOut(ResponseSchema):
    """A model version that scored what is stored."""

    model_version = fields.String(metadata={"description": "Its name.", "example": "model@0123456789ab"})
    newest = fields.Integer(
        allow_none=True,
        metadata={"minimum": 1, "description": "The newest review that has its score now; null if there is none left."},
    )


class SideOut(InUseOut):
    """One of the two versions: `reviews` that it scored in all; the rest is of those that both scored."""

    reviews = fields.Integer(metadata={"minimum": 0, "description": "It scored so many, the other one or not."})
    mean_confidence = fields.Float(
        allow_none=True, metadata={"minimum": 0.5, "maximum": 1, "description": "Null of none."}
    )


class MovedOut(ResponseSchema):
    """A review whose score changed."""

    id = fields.Integer(metadata={"minimum": 1, "description": "The review's."})
    old_score = fields.Float(metadata={"minimum": -1, "maximum": 1, "description": "By the old version."})
    new_score = fields.Float(metadata={"minimum": -1, "maximum": 1, "description": "By the new version."})


class ComparisonOut(ResponseSchema):
    """Two model versions over the reviews that both scored, with the text that these have now."""

    old = fields.Nested(SideOut, metadata={"description": "The version that is called old."})
    new = fields.Nested(SideOut, metadata={"description": "The one that is called new."})
    reviews = fields.Integer(metadata={"minimum": 0, "description": "Both scored so many."})
    agreed = fields.Integer(metadata={"minimum": 0, "description": "Of these, both call so many the same."})
    to_positive = fields.Integer(metadata={"minimum": 0, "description": "Negative by the old one, now positive."})
    to_negative = fields.Integer(metadata={"minimum": 0, "description": "Positive by the old one, now negative."})
    mean_change = fields.Float(allow_none=True, metadata=_CHANGE)
    mean_absolute_change = fields.Float(
        allow_none=True, metadata={"minimum": 0, "maximum": 2, "description": "The same without signs; null of none."}
    )
    mean_confidence_change = fields.Float(
        allow_none=True, metadata={"minimum": -0.5, "maximum": 0.5, "description": "Null of none."}
    )
    largest = fields.List(
        fields.Nested(MovedOut), metadata={"maxItems": 10, "description": "The largest changes, the largest first."}
    )
