"""Settings of the database that endanger reviews, and limits that the service does not fit into."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from test.faults.conftest import execute
from test.service import Service, prepared, serving, wait_until

pytestmark = pytest.mark.faults


@pytest.fixture
def durable(migrated_instance: Path) -> Iterator[Service]:
    """A service over a database that waits for the disk."""
    with prepared(migrated_instance, REQUIRE_DURABILITY="") as service:
        with (service.instance / "postgres/postgresql.conf").open("a") as options:
            options.write("fsync = on\n")
        service.start()
        yield service


END_IDLE = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE application_name = 'sentiments' AND state = 'idle' AND state_change < now() - interval '0.2 s'"
)


@pytest.mark.parametrize(
    ("change", "undo", "name"),
    [
        ("ALTER ROLE postgres SET synchronous_commit = off", "ALTER ROLE postgres RESET ALL", "synchronous_commit"),
        (
            "ALTER DATABASE postgres SET synchronous_commit = off",
            "ALTER DATABASE postgres RESET ALL",
            "synchronous_commit",
        ),
        ("ALTER SYSTEM SET fsync = off", "ALTER SYSTEM RESET fsync", "fsync"),
        ("ALTER SYSTEM SET full_page_writes = off", "ALTER SYSTEM RESET full_page_writes", "full_page_writes"),
    ],
)
def test_a_database_that_may_lose_reviews_is_not_ready_and_says_why(
    durable: Service, change: str, undo: str, name: str
) -> None:
    def is_ready() -> bool:
        return durable.request("GET", "/readyz")[0] == 200

    assert is_ready()
    execute(durable, change, "SELECT pg_reload_conf()", "SELECT pg_sleep(0.5)", END_IDLE)
    wait_until(lambda: not is_ready(), 5)
    assert f"{name}=off" in durable.request("GET", "/readyz")[1]["detail"]
    execute(durable, undo, "SELECT pg_reload_conf()", "SELECT pg_sleep(0.5)", END_IDLE)
    wait_until(is_ready, 5)


def test_a_database_that_allows_too_few_connections_stops_the_start_with_advice(migrated_instance: Path) -> None:
    with prepared(migrated_instance) as service:
        with (service.instance / "postgres/postgresql.conf").open("a") as options:
            options.write("max_connections = 50\n")
        with pytest.raises(AssertionError, match=r"allows 47 connections, .* set THREADS to 36 or less"):
            service.start()
        service.settings["THREADS"] = "36"
        service.settings["QUEUE"] = "30"
        service.start()
        assert service.heals()


def test_idle_connections_that_are_killed_are_replaced_without_an_error(migrated_instance: Path) -> None:
    with serving(migrated_instance) as service:
        review = service.post("A fine film.")
        for number in range(20):
            execute(service, "SELECT pg_sleep(0.3)", END_IDLE)
            assert service.request("GET", f"/sentiments/{review}")[0] == 200
            service.post(f"Film {number} was fine.")
