"""Slots hold across processes, which each have an engine of their own here, and end with whoever holds them."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import URL, Engine, create_engine, text

from src.errors import Crowded
from src.reviews import slots
from src.reviews.slots import Kind, slot
from test.service import wait_until

AT_ONCE = Kind("test", 2)


@pytest.fixture
def process(own_database: URL) -> Iterator[Callable[[], Engine]]:
    """A maker of engines on one database, as each process of a service has one."""
    with contextlib.ExitStack() as engines:

        def make() -> Engine:
            engine = create_engine(own_database)
            engines.callback(engine.dispose)
            return engine

        yield make


def held(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(text("SELECT count(*) FROM slots")) or 0)


def test_processes_share_the_slots_of_a_kind(process: Callable[[], Engine]) -> None:
    first, second = process(), process()
    with slot(first, AT_ONCE), slot(second, AT_ONCE), slot(first, Kind("other", 1)):
        for engine in (first, second):
            with pytest.raises(Crowded), slot(engine, AT_ONCE):
                pass
    with slot(second, AT_ONCE):
        assert held(first) == 1
    assert held(first) == 0


def test_those_who_ask_at_the_same_time_get_different_slots(process: Callable[[], Engine]) -> None:
    engines, refused, over = [process() for _ in range(4)], list[int](), threading.Event()

    def take(number: int) -> bool:
        try:
            with slot(engines[number % 4], Kind("many", 8)):
                return over.wait(30)
        except Crowded:
            refused.append(number)
        return False

    with ThreadPoolExecutor(16) as pool:
        taken = pool.map(take, range(16))
        wait_until(lambda: len(refused) == 8, 30)
        over.set()
        assert sum(taken) == 8


def test_a_kind_that_waits_gets_a_slot_that_becomes_free(process: Callable[[], Engine]) -> None:
    waiting = Kind("waiting", 1, waits=True)
    engine = process()

    def take() -> bool:
        with slot(process(), waiting):
            return True

    with ThreadPoolExecutor(1) as pool:
        with slot(engine, waiting):
            taken = pool.submit(take)
            time.sleep(0.3)
            assert not taken.done()
        assert taken.result()


def test_a_slot_is_renewed_while_it_is_held_and_is_free_when_its_holder_died(
    process: Callable[[], Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    alone, engine = Kind("alone", 1), process()
    monkeypatch.setattr(slots, "LEASE", timedelta(seconds=1))
    monkeypatch.setattr(slots, "_RENEW_SECONDS", 0.2)
    with slot(engine, alone):
        time.sleep(2)
        with pytest.raises(Crowded), slot(process(), alone):
            pass
    with engine.begin() as connection:  # as a holder that is killed leaves it
        connection.execute(
            text("INSERT INTO slots VALUES ('alone', 1, gen_random_uuid(), now() + interval '1 second')")
        )

    def is_free() -> bool:
        try:
            with slot(engine, alone):
                return True
        except Crowded:
            return False

    assert not is_free()
    wait_until(is_free, 5)


def test_a_holder_that_loses_its_database_meanwhile_ends_without_an_error(process: Callable[[], Engine]) -> None:
    engine, other = process(), process()
    with slot(engine, AT_ONCE), other.begin() as connection:
        connection.execute(text("ALTER TABLE slots RENAME TO lost"))
