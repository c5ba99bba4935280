"""The shape of evidence."""

from marshmallow import fields

from src.schemas import ResponseSchema


class PartOut(ResponseSchema):
    """A word or a sentence."""

    start = fields.Integer(metadata={"minimum": 0, "description": "Where it begins, in code points.", "example": 2})
    end = fields.Integer(metadata={"minimum": 1, "description": "One after its last code point.", "example": 7})
    text = fields.String(metadata={"description": "What stands there.", "example": "quiet"})
    effect = fields.Float(
        metadata={
            "minimum": -2,
            "maximum": 2,
            "description": "The score of the review less that of the review without sentence[start:end]: above zero, "
            "it makes the review more positive.",
        }
    )


class EvidenceOut(ResponseSchema):
    """What each word, or each sentence of a long review, adds to the score, found by leaving it out."""

    sentiment_score = fields.Float(
        metadata={"minimum": -1, "maximum": 1, "description": "Of the whole, by the present model."}
    )
    model_version = fields.String(
        metadata={"description": "The present model's; the review may have been scored by another.",
                  "example": "model@0123456789ab"}
    )  # fmt: skip
    unit = fields.String(metadata={"enum": ["word", "sentence"], "description": "What was left out."})
    units = fields.Integer(metadata={"minimum": 0, "description": "How many of them the review has."})
    complete = fields.Boolean(
        metadata={"description": "Whether each is in `evidence`. If not, the limit was reached, and the likeliest "
                  "to matter are."}
    )  # fmt: skip
    tokens = fields.Integer(metadata={"minimum": 0, "description": "Tokens that were read for this answer."})
    token_limit = fields.Integer(
        metadata={"minimum": 0, "description": "The most that are read for one; the review itself is read in any case."}
    )
    evidence = fields.List(fields.Nested(PartOut), metadata={"description": "In the order of the review."})
