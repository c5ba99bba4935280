"""The shape of a summary."""

from marshmallow import fields

from src.schemas import ResponseSchema


class BinOut(ResponseSchema):
    """Reviews with a score in one of 20 equal bins."""

    start = fields.Float(
        data_key="from",
        metadata={"minimum": -1, "maximum": 1, "description": "The score it begins at.", "example": -1.0},
    )
    end = fields.Float(
        data_key="to",
        metadata={
            "minimum": -1,
            "maximum": 1,
            "description": "And the one it ends before; 1 is in the last.",
            "example": -0.9,
        },
    )
    reviews = fields.Integer(metadata={"minimum": 0, "description": "How many have a score in it."})


class DayOut(ResponseSchema):
    """Reviews stored on one day."""

    day = fields.Date(metadata={"description": "In UTC.", "example": "2026-11-23"})
    positive = fields.Integer(metadata={"minimum": 0, "description": "Positive ones of that day."})
    negative = fields.Integer(metadata={"minimum": 0, "description": "Negative ones of that day."})
    mean_score = fields.Float(metadata={"minimum": -1, "maximum": 1, "description": "Of that day's reviews."})


class InUseOut(ResponseSchema):
    """How one model version does where people said what is right."""

    model_version = fields.String(metadata={"description": "What scored them.", "example": "model@0123456789ab"})
    reviews = fields.Integer(metadata={"minimum": 0, "description": "How many it scored."})
    corrections = fields.Integer(metadata={"minimum": 0, "description": "Of so many a person said something."})
    agreed = fields.Integer(metadata={"minimum": 0, "description": "And of so many the same as the model."})
    accuracy = fields.Float(
        allow_none=True, metadata={"minimum": 0, "maximum": 1, "description": "agreed / corrections; null without one."}
    )
    interval = fields.List(
        fields.Float(metadata={"minimum": 0, "maximum": 1}),
        allow_none=True,
        metadata={"minItems": 2, "maxItems": 2, "description": "Where the accuracy is, with 95% confidence (Wilson)."},
    )


class SummaryOut(ResponseSchema):
    """What many reviews say together."""

    reviews = fields.Integer(metadata={"minimum": 0, "description": "How many there are."})
    positive = fields.Integer(metadata={"minimum": 0, "description": "With a score of zero or more."})
    negative = fields.Integer(metadata={"minimum": 0, "description": "With a score below zero."})
    mean_score = fields.Float(allow_none=True, metadata={"minimum": -1, "maximum": 1, "description": "Null of none."})
    histogram = fields.List(
        fields.Nested(BinOut), metadata={"minItems": 20, "maxItems": 20, "description": "By score, the lowest first."}
    )
    days = fields.List(fields.Nested(DayOut), metadata={"description": "Days with reviews, the first day first."})
    accuracy = fields.List(fields.Nested(InUseOut), metadata={"description": "By model version."})
    truncated = fields.Boolean(metadata={"description": "There are more, and only the newest 100,000 were read."})
