"""Connections to the database: their settings."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DataError

from src.extensions import db


@pytest.mark.parametrize(
    ("name", "value"), [("TimeZone", "UTC"), ("statement_timeout", "30s"), ("application_name", "sentiments")]
)
def test_a_connection_has_the_service_s_settings(session: object, name: str, value: str) -> None:
    assert db.session.scalar(text(f"SHOW {name}")) == value


def test_an_error_of_a_statement_hides_its_parameters(session: object) -> None:
    with pytest.raises(DataError) as error:
        db.session.execute(text("SELECT 1 / :zero, :review"), {"zero": 0, "review": "a secret opinion"})
    assert "secret" not in str(error.value)
