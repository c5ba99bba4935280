"""The shapes of what probes are told."""

from marshmallow import fields

from src.schemas import ResponseSchema


class AliveOut(ResponseSchema):
    """The process answers."""

    status = fields.String(metadata={"enum": ["alive"], "description": "That it is."})


class ModelOut(ResponseSchema):
    """The model that scores."""

    version = fields.String(metadata={"description": "As in the records it scores.", "example": "model@0123456789ab"})
    calibrated = fields.Boolean(metadata={"description": "Whether its confidence was fitted on held-out reviews."})


class ReadyOut(ResponseSchema):
    """Reviews can be scored and stored."""

    status = fields.String(metadata={"enum": ["ready"], "description": "That they can."})
    model = fields.Nested(ModelOut, metadata={"description": "The one that is loaded."})
