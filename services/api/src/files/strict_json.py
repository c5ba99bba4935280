"""JSON as RFC 8259 has it, and no more: Python's own reader lets through what others refuse."""

import json
from typing import Any, NoReturn

from src.errors import MalformedJson


def load_json(body: bytes) -> Any:
    """Return what `body` says: UTF-8, no NaN or Infinity, no key twice.

    :raises MalformedJson: it is anything else, or nested so deep that only an attacker would.
    """
    try:
        return json.loads(body.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise MalformedJson("The JSON is nested too deep.") from error
    except UnicodeDecodeError as error:
        raise MalformedJson(f"It is not UTF-8: byte {error.start} is invalid.") from error
    except json.JSONDecodeError as error:
        raise MalformedJson(f"It is not JSON: {error}.") from error
    except ValueError as error:  # int() on thousands of digits; its message is about Python
        raise MalformedJson("The body has a number of more digits than anybody needs.") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise MalformedJson("It is not JSON: an object has a key twice.")
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise MalformedJson(f"It is not JSON: {name} is none of its values.")
