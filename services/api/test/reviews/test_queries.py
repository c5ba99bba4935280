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


def test_look_up_and_pages_read_the_primary_key_and_no_more_rows_than_they_show(
    session: Session, statements: list[str]
) -> None:
    session.add_all([build_review(sentence=f"Film {number}.") for number in range(2000)])
    session.commit()
    session.execute(text("ANALYZE sentiments"))
    statements.clear()
    page = reviews.page(50)
    reviews.page(50, page.next_before)
    session.expunge_all()
    reviews.find(page.items[0].id)
    values = {"param_1": 51, "id_1": page.next_before, "pk_1": page.items[0].id}
    for statement in statements[:]:
        plan = (
            session.connection().exec_driver_sql(f"EXPLAIN (ANALYZE, TIMING OFF) {statement}", values).scalars().all()
        )
        [scan] = [line for line in plan if "Scan" in line and "sentiments" in line]
        assert "using pk_sentiments" in scan
        assert not any("Sort Key: sentiments" in line for line in plan)
        assert int(re.search(r"actual rows=(\d+)", scan)[1]) <= 51  # type: ignore[index]
