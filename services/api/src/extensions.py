"""Extensions, unbound: create_app binds them to an app."""

from typing import Any, cast

from flask import current_app
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import MetaData
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import DeclarativeBase
from werkzeug.local import LocalProxy

from src.database.group_commit import GroupCommit
from src.errors import KeyInProgress, ModelNotLoaded
from src.sentiment_analyzer import Analyzer
from src.web.openapi import DocumentedApi


class Base(DeclarativeBase):
    """Declares tables; a constraint without a name gets one, so that a migration can drop it."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


# A record is complete when it is stored (INSERT ... RETURNING): reading it after the commit asks nothing again.
db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})
migrate = Migrate()
api = DocumentedApi()

ANALYZER = "sentiment_analyzer"


WRITES = "group_commit"


def new_writes() -> GroupCommit[Any, Any]:
    """Return where the requests of one app meet to store reviews."""
    return GroupCommit((DataError, IntegrityError, KeyInProgress))


def _current_writes() -> GroupCommit[Any, Any]:
    return cast(GroupCommit[Any, Any], current_app.extensions[WRITES])


writes = cast(GroupCommit[Any, Any], LocalProxy(_current_writes))
"""Where the requests of the current app meet."""


def current_analyzer() -> Analyzer:
    """Return the analyzer that create_app was given.

    :raises ModelNotLoaded: it was given none.
    """
    loaded = current_app.extensions[ANALYZER]
    if loaded is None:
        raise ModelNotLoaded
    return cast(Analyzer, loaded)


analyzer = cast(Analyzer, LocalProxy(current_analyzer))
"""The same, wherever there is an app context."""
