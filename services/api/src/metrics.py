"""Requests counted and timed for Prometheus."""

import time

from flask import Flask, Response, current_app, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest

REGISTRY = "metrics_registry"
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


def register(app: Flask) -> None:
    """Count and time every request of `app`, by route and not by path: ids must not become labels."""
    registry = CollectorRegistry()
    app.extensions[REGISTRY] = registry
    requests = Counter("http_requests", "Requests answered.", ("method", "route", "status"), registry=registry)
    seconds = Histogram("http_request_seconds", "Seconds from request to answer.", ("route",), registry=registry)

    @app.before_request
    def start() -> None:
        g.started = time.perf_counter()

    @app.after_request
    def count(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else "none"
        method = request.method if request.method in _METHODS else "other"  # a client may send any word
        requests.labels(method, route, response.status_code).inc()
        seconds.labels(route).observe(time.perf_counter() - g.started)
        return response


def exposition() -> Response:
    """Return the current app's metrics."""
    return Response(generate_latest(current_app.extensions[REGISTRY]), content_type=CONTENT_TYPE_LATEST)
