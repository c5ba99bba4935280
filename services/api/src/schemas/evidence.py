"""Evidence: how much each part of a review moves its score."""

from marshmallow import fields

from src.schemas import ResponseSchema


class PartOut(ResponseSchema):
    """A word or a sentence of the review."""

    start = fields.Integer(metadata={"minimum": 0, "description": "Its first code point, from 0.", "example": 2})
    end = fields.Integer(metadata={"minimum": 1, "description": "One after its last code point.", "example": 7})
    text = fields.String(metadata={"description": "sentence[start:end].", "example": "quiet"})
    effect = fields.Float(
        metadata={
            "minimum": -2,
            "maximum": 2,
            "description": "The review's score minus its score without this part: above zero, the part makes the "
            "review more positive.",
        }
    )


class EvidenceOut(ResponseSchema):
    """The effect of each word, or of each sentence of a long review, measured by leaving it out."""

    sentiment_score = fields.Float(
        metadata={"minimum": -1, "maximum": 1, "description": "The score of the whole review by the current model."}
    )
    model_version = fields.String(
        metadata={"description": "The current model; another one may have given the stored score.",
                  "example": "model@0123456789ab"}
    )  # fmt: skip
    unit = fields.String(metadata={"enum": ["word", "sentence"], "description": "What was left out each time."})
    units = fields.Integer(metadata={"minimum": 0, "description": "How many units the review has."})
    complete = fields.Boolean(
        metadata={"description": "Whether `evidence` has every unit. If false, `token_limit` was reached, and "
                  "it has the units that are likeliest to matter."}
    )  # fmt: skip
    tokens = fields.Integer(metadata={"minimum": 0, "description": "How many tokens were scored for this response."})
    token_limit = fields.Integer(
        metadata={
            "minimum": 0,
            "description": "The most tokens for a response; the whole review is always scored.",
        }
    )
    evidence = fields.List(fields.Nested(PartOut), metadata={"description": "The units, in the order of the review."})
