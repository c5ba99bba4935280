"""The settings of PostgreSQL without which an acknowledged review may be lost."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

_SETTINGS = ("fsync", "full_page_writes", "synchronous_commit")


def switched_off(session: Session) -> list[str]:
    """Return the names of those that are off, for the server, the database or the role."""
    values = session.execute(select(*(func.current_setting(name) for name in _SETTINGS))).one()
    return [name for name, value in zip(_SETTINGS, values, strict=True) if value == "off"]
