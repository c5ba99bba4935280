"""Lists of values as rows of a query."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ARRAY, BindParameter, TableValuedAlias, bindparam, func


def as_rows(position: str | None = None, /, **columns: Any) -> TableValuedAlias:
    """Return rows for a FROM clause, from parameters of the statement: one list for each column.

    The statement is the same for any number of rows, so it is built once.

    :param position: the name of a further column, which numbers the rows in their order.
    :param columns: by name, the type of the column. `values_of` makes its parameter.
    """
    values: list[BindParameter[Any]] = [
        bindparam(_parameter(name), type_=ARRAY(kind)) for name, kind in columns.items()
    ]
    return func.unnest(*values).table_valued(*columns, with_ordinality=position).render_derived("given")


def values_of(**columns: Iterable[Any]) -> dict[str, list[Any]]:
    """Return the parameters for the columns of `as_rows`."""
    return {_parameter(name): list(values) for name, values in columns.items()}


def _parameter(column: str) -> str:
    """Return a name that no column has: an INSERT would take its parameter for the value of the column."""
    return f"given_{column}"
