"""Countries and first names that training exchanges. The names that are watched while it runs are not among them."""

from functools import cache

from src.sentiment_analyzer import blindness
from src.training import tables


@cache
def countries() -> list[str]:
    """Return the members and observers of the United Nations, Taiwan and Kosovo, as English names them."""
    return list(blindness.COUNTRIES)


@cache
def watched() -> frozenset[str]:
    """Return the names that are watched, in lower case."""
    return frozenset(row["name"].lower() for row in tables.rows("names_watched.tsv"))


@cache
def _listed() -> list[str]:
    """Return the names of the long list, in its order."""
    return blindness.LISTS[1].read_text(encoding="utf-8").splitlines()


@cache
def first_names() -> list[str]:
    """Return the trained names: common ones of many origins, each eight times, and a long list of others."""
    common = [row["name"] for row in tables.rows("names_trained.tsv")]
    return 8 * common + [name for name in _listed() if name.lower() not in watched()]


@cache
def common_names() -> list[str]:
    """Return names that nearly always are names where a text has them with a capital."""
    return [row["name"] for row in tables.rows("names_trained.tsv") if row["common"] == "yes"]
