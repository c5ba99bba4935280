"""Health: responses to probes."""

from marshmallow import fields

from src.schemas import ResponseSchema


class AliveOut(ResponseSchema):
    """The process is alive."""

    status = fields.String(metadata={"enum": ["alive"], "description": "Always `alive`."})


class ModelOut(ResponseSchema):
    """The model that scores."""

    version = fields.String(
        metadata={"description": "The `model_version` of the reviews it scores.", "example": "model@0123456789ab"}
    )
    calibrated = fields.Boolean(metadata={"description": "Whether its confidence was calibrated on held-out reviews."})


class ReadyOut(ResponseSchema):
    """Reviews can be scored and stored."""

    status = fields.String(metadata={"enum": ["ready"], "description": "Always `ready`."})
    model = fields.Nested(ModelOut, metadata={"description": "The model that is loaded."})
