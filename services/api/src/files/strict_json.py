"""Strict JSON (RFC 8259). Python's own reader accepts more: NaN, Infinity and duplicate keys."""

import json
from typing import Any, NoReturn

from src.errors import MalformedJson


def load_json(body: bytes) -> Any:
    """Parse JSON in UTF-8, without NaN, Infinity and duplicate keys.

    :raises MalformedJson: it is anything else, or is nested more deeply than Python can parse.
    """
    try:
        return json.loads(body.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise MalformedJson("The JSON is nested too deeply. Flatten it.") from error
    except UnicodeDecodeError as error:
        raise MalformedJson(f"The JSON is not UTF-8: byte {error.start} is invalid.") from error
    except json.JSONDecodeError as error:
        raise MalformedJson(f"The JSON is not valid: {error}.") from error
    except ValueError as error:  # from int(), for a number of thousands of digits; its message is about Python
        raise MalformedJson("A number in the JSON has too many digits. Shorten it.") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise MalformedJson("The JSON is not valid: an object has the same key twice.")
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise MalformedJson(f"The JSON is not valid: {name} is not a JSON value.")
