"""Films: a film is stored when a review names it first, and found again by its title and key."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias, cast

from sqlalchemy import Executable, Table, Text, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from src.models import Movie
from src.reviews.arrays import as_rows, values_of

Identity: TypeAlias = tuple[str, str]
"""The normalized title of a film and its key."""


@dataclass(frozen=True, slots=True)
class MovieName:
    """A film as a client names it."""

    title: str
    identity: Identity


def name_movie(title: str, key: str = "") -> MovieName:
    """Return the name of a film, with one space for each run of white space in its title.

    :param key: tells films of the same title apart, such as a year. It is compared exactly.

    >>> name_movie(" Am\u00e9lie") == name_movie("Am\u00e9lie"), name_movie("ALIEN").identity
    (True, ('alien', ''))
    """
    title = " ".join(title.split())
    folded = unicodedata.normalize("NFKC", title).casefold()
    return MovieName(title, (" ".join(unicodedata.normalize("NFKC", folded).split()), key))


# Of the table and not of the class: the ORM would take the parameters for rows to insert, and takes longer to select.
_table = cast(Table, Movie.__table__)
_columns = _table.c.id, _table.c.title, _table.c.normalized, _table.c.key
_named = as_rows(normalized=Text, key=Text)
_FIND = select(*_columns).join(_named, (_table.c.normalized == _named.c.normalized) & (_table.c.key == _named.c.key))
_new = as_rows(title=Text, normalized=Text, key=Text)
_STORE = (
    insert(_table)
    .from_select(["title", "normalized", "key"], select(_new))
    .on_conflict_do_nothing()
    .returning(*_columns)
)


def stored_movies(session: Session, names: Iterable[MovieName]) -> dict[Identity, Movie]:
    """Return the films of these names, as objects of no session. Store those that are new, without a commit.

    A transaction that also writes reviews stores its films first, in the order of their identities. So no two
    transactions wait for each other's films.
    """
    first: dict[Identity, MovieName] = {}
    for name in names:
        first.setdefault(name.identity, name)
    if not first:
        return {}
    found = _execute(session, _FIND, first)
    if missing := sorted(first.keys() - found.keys()):
        found |= _execute(session, _STORE, missing, title=[first[identity].title for identity in missing])
    if missing := sorted(first.keys() - found.keys()):  # another transaction stored them meanwhile
        found |= _execute(session, _FIND, missing)
    return found


def _execute(
    session: Session, statement: Executable, identities: Iterable[Identity], **more: list[str]
) -> dict[Identity, Movie]:
    normalized, keys = zip(*identities, strict=True)
    rows = session.execute(statement, values_of(normalized=normalized, key=keys, **more))
    return {(row.normalized, row.key): Movie(**row._mapping) for row in rows}
