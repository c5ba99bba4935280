"""Summaries of many reviews."""

from marshmallow import fields

from src.schemas import ResponseSchema


class BinOut(ResponseSchema):
    """One of 20 equal bins of scores."""

    start = fields.Float(
        data_key="from",
        metadata={"minimum": -1, "maximum": 1, "description": "The lowest score in the bin.", "example": -1.0},
    )
    end = fields.Float(
        data_key="to",
        metadata={
            "minimum": -1,
            "maximum": 1,
            "description": "The score that ends the bin and is not in it; the last bin includes 1.",
            "example": -0.9,
        },
    )
    reviews = fields.Integer(metadata={"minimum": 0, "description": "How many reviews have a score in it."})


class DayOut(ResponseSchema):
    """Reviews stored on one day."""

    day = fields.Date(metadata={"description": "In UTC.", "example": "2026-11-23"})
    positive = fields.Integer(metadata={"minimum": 0, "description": "How many of them are positive."})
    neutral = fields.Integer(metadata={"minimum": 0, "description": "How many of them are neutral."})
    negative = fields.Integer(metadata={"minimum": 0, "description": "How many of them are negative."})
    mean_score = fields.Float(metadata={"minimum": -1, "maximum": 1, "description": "The mean score of that day."})


class InUseOut(ResponseSchema):
    """Accuracy of one model version in use, measured on the reviews that people corrected."""

    model_version = fields.String(metadata={"description": "The model version.", "example": "model@0123456789ab"})
    reviews = fields.Integer(metadata={"minimum": 0, "description": "How many reviews it scored."})
    corrections = fields.Integer(metadata={"minimum": 0, "description": "How many of them have a correction."})
    agreed = fields.Integer(metadata={"minimum": 0, "description": "How many corrections agree with the model."})
    accuracy = fields.Float(
        allow_none=True,
        metadata={"minimum": 0, "maximum": 1, "description": "agreed / corrections; null without corrections."},
    )
    interval = fields.List(
        fields.Float(metadata={"minimum": 0, "maximum": 1}),
        allow_none=True,
        metadata={"minItems": 2, "maxItems": 2, "description": "The 95% confidence interval of the accuracy (Wilson)."},
    )


class SummaryOut(ResponseSchema):
    """Counts, mean, histogram and days of the reviews that match."""

    reviews = fields.Integer(metadata={"minimum": 0, "description": "How many reviews match."})
    positive = fields.Integer(metadata={"minimum": 0, "description": "How many of them are positive."})
    neutral = fields.Integer(metadata={"minimum": 0, "description": "How many of them are neutral."})
    negative = fields.Integer(metadata={"minimum": 0, "description": "How many of them are negative."})
    mean_score = fields.Float(
        allow_none=True, metadata={"minimum": -1, "maximum": 1, "description": "Null without any."}
    )
    histogram = fields.List(
        fields.Nested(BinOut),
        metadata={"minItems": 20, "maxItems": 20, "description": "Bins, the lowest scores first."},
    )
    days = fields.List(fields.Nested(DayOut), metadata={"description": "Days with reviews, the earliest first."})
    accuracy = fields.List(fields.Nested(InUseOut), metadata={"description": "Accuracy in use of each model version."})
    truncated = fields.Boolean(
        metadata={"description": "Whether more match, and only the newest 100,000 were counted."}
    )
