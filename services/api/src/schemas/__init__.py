"""Shapes of requests and responses, one noun a module, and their base classes."""

from typing import Any, ClassVar

from marshmallow import RAISE, Schema, fields


class StrictSchema(Schema):
    """A schema that refuses fields it does not declare."""

    class Meta:  # noqa: D106  # marshmallow's own protocol
        unknown = RAISE


class ResponseSchema(StrictSchema):
    """A response, which has every field declared here, except those named in `optional`."""

    optional: ClassVar[frozenset[str]] = frozenset()

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        """Mark the field as required in the OpenAPI document."""
        field_obj.required = field_name not in self.optional
