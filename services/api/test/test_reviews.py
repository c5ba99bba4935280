"""The use cases: which SQL they run, and how PostgreSQL runs it."""

import re

from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from src import reviews
from src.config import ROOT
from test.builders import build_review


def readme_sql() -> list[str]:
    """The statements in the README's SQL blocks, white space folded."""
    readme = (ROOT.parent.parent / "README.md").read_text()
    return [" ".join(block.split()).rstrip(";") for block in re.findall(r"```sql\n(.*?)```", readme, re.DOTALL)]


def test_the_sql_in_the_readme_is_the_sql_that_runs(client: FlaskClient, statements: list[str]) -> None:
    client.get("/sentiments/1")
    client.get("/sentiments/?limit=50")
    client.get("/sentiments/?limit=50&before=1000")
    assert readme_sql() == statements


def test_a_page_reads_the_primary_key_and_no_more_rows_than_it_shows(session: Session) -> None:
    session.add_all([build_review(sentence=f"Film {number}.") for number in range(2000)])
    session.commit()
    session.execute(text("ANALYZE sentiments"))
    page = reviews.page(50)
    plan = session.scalars(
        text(
            "EXPLAIN (ANALYZE, TIMING OFF) SELECT * FROM sentiments WHERE sentiments.id < :before"
            " ORDER BY sentiments.id DESC LIMIT 51"
        ),
        {"before": page.next_before},
    ).all()
    assert any("Index Scan Backward using pk_sentiments" in line for line in plan)
    assert not any("Seq Scan" in line or "Sort" in line for line in plan)
