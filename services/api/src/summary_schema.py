"""The shape of a summary."""

from marshmallow import Schema, fields


class BinOut(Schema):
    """Reviews with a score in one of 20 equal bins."""

    start = fields.Float(data_key="from", metadata={"minimum": -1, "maximum": 1, "example": -1.0})
    end = fields.Float(data_key="to", metadata={"minimum": -1, "maximum": 1, "example": -0.9})
    reviews = fields.Integer(metadata={"minimum": 0})


class DayOut(Schema):
    """Reviews stored on one day."""

    day = fields.Date(metadata={"description": "In UTC.", "example": "2026-11-23"})
    positive = fields.Integer(metadata={"minimum": 0})
    negative = fields.Integer(metadata={"minimum": 0})
    mean_score = fields.Float(metadata={"minimum": -1, "maximum": 1})


class InUseOut(Schema):
    """How one model version does where people said what is right."""

    model_version = fields.String(metadata={"example": "model@0123456789ab"})
    reviews = fields.Integer(metadata={"minimum": 0})
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


class SummaryOut(Schema):
    """What many reviews say together."""

    reviews = fields.Integer(metadata={"minimum": 0})
    positive = fields.Integer(metadata={"minimum": 0})
    negative = fields.Integer(metadata={"minimum": 0})
    mean_score = fields.Float(allow_none=True, metadata={"minimum": -1, "maximum": 1, "description": "Null of none."})
    histogram = fields.List(fields.Nested(BinOut), metadata={"minItems": 20, "maxItems": 20})
    days = fields.List(fields.Nested(DayOut), metadata={"description": "Days with reviews, the first day first."})
    accuracy = fields.List(fields.Nested(InUseOut), metadata={"description": "By model version."})
    truncated = fields.Boolean(metadata={"description": "There are more, and only the newest 100,000 were read."})
