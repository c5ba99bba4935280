"""The Flask extensions, which create_app binds to an app, and what else an app has one of."""

from typing import Any

from blinker import Signal
from flask import current_app
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

from src.database.group_commit import GroupCommit
from src.errors import ModelNotLoaded
from src.sentiment_analyzer import Analyzer
from src.web.openapi import DocumentedApi


class Base(DeclarativeBase):
    """The base class of the tables. It names every constraint, so that a migration can drop it by name."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


# So that a record can be read after its commit without another query.
db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})
migrate = Migrate()
api = DocumentedApi()
reviews_scored = Signal("Requests had reviews scored and stored: `send(reviews=...)`, in the context of their app.")


def current_analyzer() -> Analyzer:
    """Return the analyzer of the current app.

    :raises ModelNotLoaded: create_app was given none.
    """
    analyzer: Analyzer | None = current_app.extensions["analyzer"]
    if analyzer is None:
        raise ModelNotLoaded
    return analyzer


def current_group_commit() -> GroupCommit[Any, Any]:
    """Return the group commit of the current app, through which its requests store single reviews."""
    group_commit: GroupCommit[Any, Any] = current_app.extensions["group_commit"]
    return group_commit
