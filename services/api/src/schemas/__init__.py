"""Shapes of requests and responses, one noun a module, and their base classes."""

from collections.abc import Callable
from functools import cached_property
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

    def dump(self, obj: Any, *, many: bool | None = None) -> Any:
        """Return the members of an object, or of each of many.

        The objects are the service's own, so their values need no conversion but that of times. marshmallow would
        look up and convert each of them, which takes it as long as the query for a page of reviews.
        """
        return [self._members(one) for one in obj] if (self.many if many is None else many) else self._members(obj)

    def _members(self, obj: Any) -> dict[str, Any]:
        written = self._written
        if isinstance(obj, dict):
            members = [(name, obj[attribute], convert) for attribute, name, convert in written if attribute in obj]
        else:
            members = [(name, getattr(obj, attribute), convert) for attribute, name, convert in written]
        return {name: convert(value) if convert and value is not None else value for name, value, convert in members}

    @cached_property
    def _written(self) -> list[tuple[str, str, "Callable[[Any], Any] | None"]]:
        """The attribute of each field, its name in the response, and the conversion of a value that is not None."""
        dumped = self.dump_fields.items()
        return [(field.attribute or name, field.data_key or name, _conversion(field)) for name, field in dumped]


def _conversion(field: fields.Field[Any]) -> "Callable[[Any], Any] | None":
    if isinstance(field, fields.Nested):
        return field.schema.dump
    if isinstance(field, fields.AwareDateTime | fields.Date):
        return lambda value: value.isoformat()
    if isinstance(field, fields.List) and (of_item := _conversion(field.inner)):
        return lambda values: [of_item(value) for value in values]
    return None
