"""The model versions that scored what is stored."""

from dataclasses import dataclass

from sqlalchemy import ColumnExpressionArgument, Select, func, literal_column, select, union
from sqlalchemy.orm import InstrumentedAttribute

from src.extensions import db
from src.models import EarlierScore, Sentiment


@dataclass(frozen=True, slots=True)
class Version:
    """A model version whose score some review has, or had of the same text before another model scored it."""

    model_version: str
    newest: int | None
    """The id of the newest review that has its score now; None if other models scored all of them since."""


def versions() -> list[Version]:
    """Return the model versions, the one that scored the newest review first. It reads some rows for each of them."""
    scored = _distinct("scored", Sentiment.model_version)
    rescored = _distinct("rescored", EarlierScore.model_version, EarlierScore.comparable)
    names = union(scored, rescored).subquery().c
    order = Sentiment.id + literal_column("0")  # the order of the index on the model
    newest = select(func.max(order)).where(Sentiment.model_version == names.model_version).scalar_subquery()
    query = select(names.model_version, newest.label("newest"))
    rows = db.session.execute(query.order_by(newest.desc().nulls_last(), names.model_version))
    return [Version(*row) for row in rows]


def _distinct(
    name: str, column: InstrumentedAttribute[str], *conditions: ColumnExpressionArgument[bool]
) -> Select[str]:
    """Return the values of an indexed column, each found after the one before: DISTINCT would read every row."""
    found = select(select(func.min(column)).where(*conditions).scalar_subquery().label("model_version"))
    known = found.cte(name, recursive=True)
    after = select(func.min(column)).where(*conditions, column > known.c.model_version).scalar_subquery()
    known = known.union_all(select(after).where(known.c.model_version.is_not(None)))
    return select(known.c.model_version).where(known.c.model_version.is_not(None))
