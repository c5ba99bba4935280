"""The scoring of files with Ray Data: on this machine, or on a cluster.

A task reads a file and yields its blocks. Actors score them and write them to the archive, each on one core with a
model of its own. Ray holds readers back while the actors are busy, and starts again what dies. A block that is scored
twice is the same file, so each record is in the archive once.
"""

import os
import pickle
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from src.archive.archive import Archive, Counts
from src.archive.progress import missing, survey_of
from src.archive.scoring import Check, score_block
from src.archive.storage import Folder, Source
from src.config import ROOT
from src.files.readers import Unreadable
from src.files.tables import Reading
from src.sentiment_analyzer import Analyzer
from src.sentiment_analyzer.checkpoint import open_checkpoint

_READER_CPUS = 0.05
"""A reader's share of a core. The actors have the rest of each, so that there is always room for both."""
_QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
"""Ray sends nothing home, and leaves accelerators alone."""


@dataclass(frozen=True, slots=True)
class Job:
    """The scoring of files into one archive, with what workers need to know of it."""

    model_path: str
    out: str
    """A folder, which every node can reach."""
    reading: Reading
    check: Check

    def archive(self, version: str) -> Archive:
        """Return the archive of this model version."""
        return Archive(Folder(self.out), version, self.reading)

    def load(self) -> Analyzer:
        """Load the model, to compute on one core."""
        from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer

        return SentimentAnalyzer.load(self.model_path, cores=1)


def score(
    job: Job, sources: list[Source], address: str | None, progress: Callable[[int], Any]
) -> tuple[Counts, dict[str, str]]:
    """Score the blocks that are missing; return the counts of the whole archive, and the files that cannot be read.

    :param address: the cluster's; Ray is started on this machine if None.
    :param progress: called with the number of records that were scored or refused since the last call.
    :raises OtherArchive: the folder has an archive that was begun with something else.
    """
    archive = job.archive(open_checkpoint(job.model_path).version)
    archive.begin(sources)
    done = archive.done()
    progress(sum(one.records for one in done.values()))
    unreadable: dict[str, str] = {}
    with _connected(address):
        for row in _pipeline(job, archive, sources, frozenset(done)):
            if row["unreadable"]:
                unreadable[row["file"]] = row["unreadable"]
            progress(row["records"])
    return archive.finish(unreadable), unreadable


class _connected:  # noqa: N801  # used as a function
    """Connect to a cluster inside the `with` block."""

    def __init__(self, address: str | None) -> None:
        self._address = address

    def __enter__(self) -> None:
        import ray

        os.environ.update(_QUIET)
        environment = {"PYTHONPATH": str(ROOT), "RAYON_NUM_THREADS": "1", **_QUIET}
        ray.init(
            address=self._address or "local",
            runtime_env={"env_vars": environment},
            include_dashboard=None if self._address else False,
            log_to_driver=False,
            configure_logging=False,
        )

    def __exit__(self, *_exception: object) -> None:
        import ray

        ray.shutdown()


def _pipeline(job: Job, archive: Archive, sources: list[Source], done: frozenset[str]) -> Iterator[dict[str, Any]]:
    """Yield a row for each block that was scored, and for each file that could not be read."""
    import ray.data
    from ray.data import ActorPoolStrategy, DataContext, TaskPoolStrategy

    context = DataContext.get_current()
    context.target_max_block_size = 1  # a row is a block of records, and goes to an actor as soon as it is read
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    actors = max(1, int(ray.cluster_resources().get("CPU", 1)))
    files = ray.data.from_items([{"source": pickle.dumps(one)} for one in sources], override_num_blocks=len(sources))
    blocks = files.flat_map(
        _Reader(job, done),
        num_cpus=_READER_CPUS,
        compute=TaskPoolStrategy(size=actors),
    )
    scored = blocks.map(
        _Scorer,
        fn_constructor_args=(job, archive),
        num_cpus=1 - _READER_CPUS,
        compute=ActorPoolStrategy(size=actors, max_tasks_in_flight_per_actor=2),
    )
    yield from scored.iter_rows()


class _Reader:
    """Reads the blocks of a file that are missing."""

    def __init__(self, job: Job, done: frozenset[str]) -> None:
        self._job, self._done = job, done

    def __call__(self, row: dict[str, Any]) -> Iterator[dict[str, Any]]:
        source: Source = pickle.loads(row["source"])  # noqa: S301  # the driver's own
        try:
            found = survey_of(source, self._job.reading)
            for name, block in missing(source, found, self._job.reading, self._done):
                yield {"name": name, "block": pickle.dumps(block), "unreadable": ""}
        except Unreadable as error:
            yield {"name": source.name, "block": b"", "unreadable": str(error)}


class _Scorer:
    """An actor: one model, which scores a block at a time and writes it."""

    def __init__(self, job: Job, archive: Archive) -> None:
        self._job, self._archive = job, archive
        self._analyzer = job.load()

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        counts = Counts()
        if not row["unreadable"]:
            scored = score_block(self._analyzer, pickle.loads(row["block"]), self._job.reading.column, self._job.check)  # noqa: S301
            counts = self._archive.store(row["name"], scored)
        return {"file": row["name"], "unreadable": row["unreadable"], **asdict(counts)}
