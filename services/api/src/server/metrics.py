"""Metrics for Prometheus: requests, scored reviews, the scorer's work, time in the database.

With PROMETHEUS_MULTIPROC_DIR (gunicorn.conf.py sets it) all workers of a service write to files there, and each of them
can respond for all. When a worker dies, its counters stay and its gauges go.
"""

import os
import time
from collections.abc import Iterable
from typing import Any, get_args

from flask import Flask, Response, current_app, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from sqlalchemy import event

from src.extensions import db, reviews_scored
from src.sentiment_analyzer import Analyzer
from src.sentiment_analyzer.readability import NOT_ENGLISH, UNREADABLE
from src.sentiment_analyzer.score import Sentiment
from src.sentiment_analyzer.scorer.messages import Batch
from src.sentiment_analyzer.scorer.scorer import Scorer

REGISTRY = "metrics_registry"
"""The key of the registry in `app.extensions`."""
_REVIEWS = "metrics_of_reviews"
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_STATEMENT, _COMMIT = "statement_started", "commit_started"


def register(app: Flask, analyzer: Analyzer | None) -> None:
    """Measure the requests, the scoring and the database of `app`."""
    registry = CollectorRegistry()
    app.extensions[REGISTRY] = registry
    app.extensions[_REVIEWS] = ReviewMetrics(registry)
    reviews_scored.connect(_count_reviews)
    _watch_requests(app, registry)
    _watch_database(app, registry)
    if analyzer:
        info = Gauge("sentiments_model", "The model that scores: always 1, labelled by version.", ("version",),
                     registry=registry, multiprocess_mode="livemax")  # fmt: skip
        info.labels(analyzer.version).set(1)
    if isinstance(analyzer, Scorer):
        analyzer.observer = ScorerMetrics(registry)


def exposition() -> Response:
    """Return the metrics of all workers of the service; without workers, those of the current app."""
    registry: CollectorRegistry = current_app.extensions[REGISTRY]
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _count_reviews(_sender: object, reviews: Iterable[Any]) -> None:
    counters: ReviewMetrics = current_app.extensions[_REVIEWS]
    for review in reviews:
        counters.count(review.sentiment, review.warnings)


class ReviewMetrics:
    """Counters of scored reviews: they show when other texts come in than the model was trained for."""

    def __init__(self, registry: CollectorRegistry) -> None:
        scored = Counter("reviews_scored", "Reviews scored and stored.", ("sentiment",), registry=registry)
        warned = Counter("reviews_warned", "Of these, reviews with a warning.", ("warning",), registry=registry)
        self._scored = {name: scored.labels(name) for name in get_args(Sentiment)}
        self._warned = {name: warned.labels(name) for name in (NOT_ENGLISH, UNREADABLE)}

    def count(self, sentiment: str, warnings: Iterable[str] | None) -> None:
        """Count one review."""
        self._scored[sentiment].inc()
        for warning in warnings or ():
            self._warned[warning].inc()


class ScorerMetrics:
    """The observer of a scorer that keeps its metrics."""

    def __init__(self, registry: CollectorRegistry) -> None:
        tokens = (16, 32, 64, 128, 256, 512, 1024, 2048)
        windows = (1, 2, 4, 8, 16, 32, 64, 128)
        self._queue = Gauge("scorer_queue", "Calls that wait for the scorer or are being scored, without bulk work.",
                            registry=registry, multiprocess_mode="livesum")  # fmt: skip
        self._tokens = Histogram("scorer_batch_tokens", "Tokens of a batch.", buckets=tokens, registry=registry)
        self._windows = Histogram("scorer_batch_windows", "Windows of a batch.", buckets=windows, registry=registry)
        self._seconds = Histogram("scorer_batch_seconds", "Seconds to compute a batch.", buckets=_SECONDS,
                                  registry=registry)  # fmt: skip
        self._restarts = Counter("scorer_restarts", "Scorers started after one died or hung.", registry=registry)

    def queue_changed(self, calls: int) -> None:
        """See `Observer`."""
        self._queue.set(calls)

    def computed(self, batch: Batch) -> None:
        """See `Observer`."""
        self._windows.observe(batch.windows)
        self._tokens.observe(batch.tokens)
        self._seconds.observe(batch.seconds)

    def started_again(self) -> None:
        """See `Observer`."""
        self._restarts.inc()


def _watch_requests(app: Flask, registry: CollectorRegistry) -> None:
    """Count and time requests by route, not by path: an id must not become a label."""
    requests = Counter("http_requests", "Requests answered.", ("method", "route", "status"), registry=registry)
    seconds = Histogram("http_request_seconds", "Seconds until a response begins; a streamed one ends later.",
                        ("method", "route"), buckets=_SECONDS, registry=registry)  # fmt: skip

    @app.before_request
    def start() -> None:
        g.started = time.perf_counter()

    @app.after_request
    def count(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else "none"
        method = request.method if request.method in _METHODS else "other"  # a client may send any word
        requests.labels(method, route, response.status_code).inc()
        seconds.labels(method, route).observe(time.perf_counter() - g.started)
        return response


def _watch_database(app: Flask, registry: CollectorRegistry) -> None:
    """Time statements and commits."""
    seconds = Histogram("database_seconds", "Seconds of a statement or a commit.", ("kind",), buckets=_SECONDS,
                        registry=registry)  # fmt: skip
    statement, commit = seconds.labels("statement"), seconds.labels("commit")

    def begin_statement(connection: Any, *_: Any) -> None:
        connection.info[_STATEMENT] = time.perf_counter()

    def end_statement(connection: Any, *_: Any) -> None:
        statement.observe(time.perf_counter() - connection.info[_STATEMENT])

    def begin_commit(connection: Any) -> None:
        connection.info[_COMMIT] = time.perf_counter()

    def end_commit(_: Any, record: Any) -> None:  # the first event after a commit: its connection goes back to the pool
        if record and _COMMIT in record.info:
            commit.observe(time.perf_counter() - record.info.pop(_COMMIT))

    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", begin_statement)
        event.listen(db.engine, "after_cursor_execute", end_statement)
        event.listen(db.engine, "commit", begin_commit)
        event.listen(db.engine, "checkin", end_commit)
