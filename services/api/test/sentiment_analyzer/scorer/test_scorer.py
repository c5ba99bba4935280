"""A scorer process is killed, stopped and flooded; its callers get scores or an error in time."""

import contextlib
import errno
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from src.config import ROOT
from src.sentiment_analyzer import ModelError
from src.sentiment_analyzer.errors import DeadlinePassed, NotScored, QueueFull, ScorerAway
from src.sentiment_analyzer.scorer.batching import Job
from src.sentiment_analyzer.scorer.channel import Channel
from src.sentiment_analyzer.scorer.keeper import HANG_SECONDS, Keeper
from src.sentiment_analyzer.scorer.messages import Batch
from src.sentiment_analyzer.scorer.scorer import Scorer
from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer
from test.sentiment_analyzer.conftest import MODEL
from test.service import wait_until

pytestmark = pytest.mark.server

TEXTS = [
    "A fine film.",
    "A dull film.",
    "Terrible. " * 600,
    "",
    "Ein furchtbar langweiliger Film, den man sich sparen kann.",
]


class Notes:
    """An observer that is slow to record a number of waiting calls other than 0."""

    def __init__(self) -> None:
        self.calls = 0
        self.batches: list[Batch] = []
        self.restarts = 0

    def queue_changed(self, calls: int) -> None:
        time.sleep(0.1 if calls else 0)
        self.calls = calls

    def computed(self, batch: Batch) -> None:
        self.batches.append(batch)

    def started_again(self) -> None:
        self.restarts += 1


@contextlib.contextmanager
def connected(keeper: Keeper, *, queue: int = 8, seconds: float = 20) -> Iterator[Scorer]:
    scorer = Scorer(keeper.address, queue=queue, seconds=seconds)
    yield scorer
    scorer.close()


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    """A keeper whose process may be killed."""
    with Keeper(MODEL, queue=8) as keeper:
        yield keeper


@pytest.fixture
def scorer(keeper: Keeper) -> Iterator[Scorer]:
    with connected(keeper) as scorer:
        yield scorer


def outcome(scorer: Scorer, text: str = "A fine film.") -> Exception | None:
    """The error that analyzing raises."""
    try:
        scorer.analyze([text])
    except NotScored as error:
        return error
    return None


def test_it_has_the_scores_and_the_description_of_the_analyzer(scorer: Scorer, analyzer: SentimentAnalyzer) -> None:
    assert scorer.analyze(TEXTS) == analyzer.analyze(TEXTS)
    assert scorer.analyze([]) == []
    assert (scorer.version, scorer.calibrated, scorer.engine) == (
        analyzer.version, analyzer.calibrated, analyzer.engine
    )  # fmt: skip
    assert scorer.ready


def test_a_call_with_many_texts_takes_one_place_in_the_queue(scorer: Scorer, analyzer: SentimentAnalyzer) -> None:
    texts = [f"Film {number} is fine." for number in range(500)]
    assert scorer.analyze(texts) == analyzer.analyze(texts)


def test_threads_may_share_a_scorer(scorer: Scorer, analyzer: SentimentAnalyzer) -> None:
    texts = [f"Film {number} is fine." for number in range(64)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda text: scorer.analyze([text])[0], texts))
    assert found == analyzer.analyze(texts)
    assert scorer.waiting == 0


def test_an_observers_last_record_is_that_no_call_waits(scorer: Scorer) -> None:
    scorer.observer = notes = Notes()
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: outcome(scorer), range(8))) == [None] * 8
    assert notes.calls == 0


def test_a_process_that_dies_is_replaced_and_its_calls_raise_scorer_away(scorer: Scorer) -> None:
    pid = scorer.pid
    os.kill(pid, signal.SIGSTOP)  # so that something waits
    found: list[Exception | None] = []
    waiting = threading.Thread(target=lambda: found.append(outcome(scorer)))
    waiting.start()
    wait_until(lambda: scorer.waiting == 1, 5)
    os.kill(pid, signal.SIGKILL)
    waiting.join()
    assert isinstance(found[0], ScorerAway)
    wait_until(lambda: outcome(scorer) is None, 10)
    assert scorer.pid != pid
    assert not psutil.pid_exists(pid)


@pytest.mark.parametrize("busy", [True, False])
def test_a_process_that_hangs_is_replaced_within_10_seconds(scorer: Scorer, *, busy: bool) -> None:
    pid = scorer.pid
    os.kill(pid, signal.SIGSTOP)
    began = time.monotonic()
    if busy:
        assert isinstance(outcome(scorer), ScorerAway)
    wait_until(lambda: scorer.pid != pid and scorer.ready, 10)
    assert time.monotonic() - began < 10
    assert outcome(scorer) is None


def test_a_full_queue_refuses_at_once_and_accepts_nothing(scorer: Scorer) -> None:
    os.kill(scorer.pid, signal.SIGSTOP)
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(outcome, scorer) for _ in range(8)]
        wait_until(lambda: scorer.full, 5)
        began = time.monotonic()
        with pytest.raises(QueueFull):
            scorer.analyze(["One more."])
        assert time.monotonic() - began < 1
        assert scorer.waiting == 8
        os.kill(scorer.pid, signal.SIGCONT)
        assert [answer.result() for answer in answers] == [None] * 8
    assert scorer.waiting == 0


def test_a_process_that_reads_nothing_blocks_no_call_for_long(scorer: Scorer) -> None:
    """The pipe holds about 200 kB, and a review here has half of that."""
    os.kill(scorer.pid, signal.SIGSTOP)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: outcome(scorer, "Ω" * 100_000), range(8)))
    assert {type(error) for error in found} == {ScorerAway}
    wait_until(lambda: outcome(scorer) is None, 10)


def test_a_call_past_its_deadline_raises_and_its_job_is_not_computed(keeper: Keeper) -> None:
    with connected(keeper, seconds=0.5) as scorer:
        scorer.observer = notes = Notes()
        os.kill(scorer.pid, signal.SIGSTOP)
        for _ in range(8):
            assert isinstance(outcome(scorer), DeadlinePassed)
        assert scorer.waiting == 0
        os.kill(scorer.pid, signal.SIGCONT)
        wait_until(lambda: outcome(scorer) is None, 5)  # the queue has been left
        assert [batch.windows for batch in notes.batches] == [1]


def test_processes_share_one_queue(keeper: Keeper) -> None:
    """Each scorer stands for a process here: it has a connection of its own."""
    with connected(keeper) as first, connected(keeper) as second, ThreadPoolExecutor(10) as pool:
        os.kill(keeper.pid, signal.SIGSTOP)
        answers = [pool.submit(outcome, scorer, "Terrible. " * 1000) for scorer in [first, second] * 5]
        wait_until(lambda: first.waiting == second.waiting == 5, 5)
        os.kill(keeper.pid, signal.SIGCONT)
        assert {type(answer.result()) for answer in answers} == {type(None), QueueFull}
        assert outcome(first) is outcome(second) is None


def test_scores_reach_the_process_that_asked(keeper: Keeper, analyzer: SentimentAnalyzer) -> None:
    texts = [f"Film {number} is {'fine' if number % 2 else 'dull'}." for number in range(40)]
    with connected(keeper) as first, connected(keeper) as second, ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda text: (second if "fine" in text else first).analyze([text])[0], texts))
    assert found == analyzer.analyze(texts)


def test_each_batch_and_each_restart_is_counted_by_one_process(keeper: Keeper) -> None:
    with connected(keeper) as first, connected(keeper) as second:
        first.observer, second.observer = notes = Notes(), Notes()
        assert outcome(first) is outcome(second) is None
        wait_until(lambda: [len(each.batches) for each in notes] == [1, 1], 5)
        os.kill(keeper.pid, signal.SIGKILL)
        wait_until(lambda: outcome(first) is outcome(second) is None, 10)
        assert sum(each.restarts for each in notes) == 1


def test_a_process_that_leaves_its_calls_behind_frees_their_places(keeper: Keeper) -> None:
    leaving = (
        "import os, threading; from src.sentiment_analyzer.scorer.scorer import Scorer; "
        f"scorer = Scorer({keeper.address!r}, queue=8, seconds=20); os.kill(scorer.pid, {signal.SIGSTOP:d}); "
        "[threading.Thread(target=scorer.analyze, args=[['Fine.']], daemon=True).start() for _ in range(8)]; "
        "[0 for _ in iter(lambda: scorer.waiting < 8, False)]"
    )
    with connected(keeper) as scorer:
        subprocess.run([sys.executable, "-c", leaving], cwd=ROOT, check=True)
        os.kill(keeper.pid, signal.SIGCONT)
        wait_until(lambda: outcome(scorer) is None, 5)


def test_a_model_that_cannot_be_loaded_raises_the_analyzers_own_message(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"config.json is missing"):
        Keeper(str(tmp_path), queue=1)


def test_a_process_that_ends_before_it_is_ready_raises_a_model_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(ModelError, match="ended before its model was loaded"):
        Keeper(MODEL, queue=1)


def test_without_a_keeper_a_scorer_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be reached"):
        Scorer(str(tmp_path / "socket"), queue=1, seconds=1)


def test_starting_is_retried_until_it_succeeds(
    scorer: Scorer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", "/bin/false")
        os.kill(scorer.pid, signal.SIGKILL)
        wait_until(lambda: "ended before its model was loaded" in caplog.text, 10)
        assert not scorer.ready
        assert isinstance(outcome(scorer), ScorerAway)
    wait_until(lambda: outcome(scorer) is None, 10)


@pytest.mark.parametrize("needed", [(subprocess, "Popen"), (socket, "socketpair")])
def test_starting_is_retried_after_a_lack_of_memory_or_of_file_descriptors(
    scorer: Scorer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, needed: tuple[object, str]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    before = psutil.Process().num_fds()
    with monkeypatch.context() as patch:
        patch.setattr(*needed, refuse)
        os.kill(scorer.pid, signal.SIGKILL)
        wait_until(lambda: caplog.text.count("cannot be started: [Errno 12]") == 2, 10)
        assert psutil.Process().num_fds() < before
    wait_until(lambda: outcome(scorer) is None, 10)
    assert psutil.Process().num_fds() == before


@pytest.mark.parametrize("number", [signal.SIGCONT, signal.SIGSTOP], ids=["running", "hanging"])
def test_the_process_ends_when_the_service_is_killed(wait_for_end: Callable[[int], None], number: int) -> None:
    code = (
        "import os; from src.sentiment_analyzer.scorer.keeper import Keeper; "
        f"pid = Keeper({MODEL!r}, queue=1).pid; print(pid, flush=True); "
        f"os.kill(pid, {number:d}); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    wait_for_end(int(done.stdout))


@pytest.fixture
def wait_for_end() -> Callable[[int], None]:
    """Wait until a process that is not a child of this one has ended."""
    return lambda pid: wait_until(
        lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE, 10
    )


def test_a_keeper_that_was_suspended_leaves_its_process_alone() -> None:
    """As Ctrl-Z and `fg` do it, for longer than a process may be silent."""
    code = (
        "import sys; from src.sentiment_analyzer.scorer.keeper import Keeper; "
        f"keeper = Keeper({MODEL!r}, queue=1); print(keeper.pid, flush=True); sys.stdin.read(); print(keeper.pid)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdin
        pid = process.stdout.readline()
        process.send_signal(signal.SIGSTOP)
        time.sleep(HANG_SECONDS + 1)
        process.send_signal(signal.SIGCONT)
        time.sleep(2)
        process.stdin.close()
        assert process.stdout.readline() == pid
        process.kill()


def test_a_client_that_reads_nothing_does_not_keep_others_from_their_scores(keeper: Keeper) -> None:
    texts = [f"Film {number}." for number in range(2000)]
    with connected(keeper) as scorer, socket.socket(socket.AF_UNIX) as deaf:
        pid = keeper.pid
        deaf.connect(keeper.address)
        channel = Channel(deaf)
        for key in range(4):
            channel.send(Job(key, texts, time.monotonic() + 60, background=True))
        for _ in range(20):
            assert outcome(scorer) is None
            time.sleep(0.5)
        assert keeper.pid == pid
