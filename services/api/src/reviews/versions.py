"""The model versions that scored the stored reviews."""

from dataclasses import dataclass

from sqlalchemy import ColumnExpressionArgument, Select, func, select, union
from sqlalchemy.orm import InstrumentedAttribute, Session

from src.models import EarlierScore, Sentiment, id_by_model


@dataclass(frozen=True, slots=True)
class Version:
    """A model version that scored the present text of at least one review, now or before another version did."""

    model_version: str
    newest: int | None
    """The id of the newest review that has its score; None if other versions have scored all of them since."""


def versions(session: Session) -> list[Version]:
    """Return the model versions, the one that scored the newest review first.

    Only a few rows are read for each version.
    """
    scored = _distinct("scored", Sentiment.model_version)
    rescored = _distinct("rescored", EarlierScore.model_version, EarlierScore.comparable)
    names = union(scored, rescored).subquery().c
    newest = select(func.max(id_by_model)).where(Sentiment.model_version == names.model_version).scalar_subquery()
    query = select(names.model_version, newest.label("newest"))
    rows = session.execute(query.order_by(newest.desc().nulls_last(), names.model_version))
    return [Version(*row) for row in rows]


def _distinct(
    name: str, column: InstrumentedAttribute[str], *conditions: ColumnExpressionArgument[bool]
) -> Select[str]:
    """Select the different values of an indexed column, each as the next one in the index.

    DISTINCT would read every row.
    """
    found = select(select(func.min(column)).where(*conditions).scalar_subquery().label("model_version"))
    known = found.cte(name, recursive=True)
    after = select(func.min(column)).where(*conditions, column > known.c.model_version).scalar_subquery()
    known = known.union_all(select(after).where(known.c.model_version.is_not(None)))
    return select(known.c.model_version).where(known.c.model_version.is_not(None))
