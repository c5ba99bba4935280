"""Metrics of the real service: of several workers, and after one died."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml
from flask.testing import FlaskClient

from src.config import ROOT
from test.service import Service, serving, wait_until

MONITORING = ROOT.parent / "monitoring"
KEY = "PROMETHEUS_MULTIPROC_DIR"
LABELLED = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)")


@pytest.fixture
def service(migrated_instance: Path) -> Iterator[Service]:
    """A running service with two ready workers, over an empty database."""
    with two_workers(migrated_instance) as service:
        yield service


@pytest.fixture(scope="module")
def scraped_service(migrated_instance: Path) -> Iterator[Service]:
    """Another one, of which nothing is killed."""
    with two_workers(migrated_instance) as service:
        yield service


@contextlib.contextmanager
def two_workers(template: Path) -> Iterator[Service]:
    with serving(template, WEB_WORKERS="2") as service:
        wait_until(lambda: [counts(worker) for worker in workers(service)] == [True, True], 60)
        yield service


def metrics(service: Service) -> dict[str, float]:
    """Every sample's value by its name and labels."""
    with urllib.request.urlopen(service.address + "/metrics", timeout=60) as answer:
        lines = answer.read().decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[:1] != "#")}


def posted(service: Service) -> float:
    return metrics(service).get('http_requests_total{method="POST",route="/sentiments/",status="201"}', 0)


def workers(service: Service) -> list[psutil.Process]:
    return psutil.Process(service.pid("gunicorn")).children()


def counts(worker: psutil.Process) -> bool:
    """Tell whether a worker has its file of gauges, which it creates when the scorer has answered."""
    return any(f"gauge_livesum_{worker.pid}.db" in area.path for area in worker.memory_maps())


@pytest.mark.server
def test_every_worker_responds_for_all_and_a_dead_worker_s_counts_stay(service: Service) -> None:
    for number in range(40):
        service.post(f"Film {number} is fine.")
    assert {posted(service) for _ in range(20)} == {40}
    before = metrics(service)
    assert before["scorer_batch_windows_sum"] == 40
    assert before["scorer_batch_tokens_sum"] >= 40 * 5
    assert before['database_seconds_count{kind="commit"}'] == 40
    assert before["scorer_queue"] == 0
    assert sum(value for name, value in before.items() if name.startswith("reviews_scored_total{")) == 40
    [model] = [name for name in before if name.startswith("sentiments_model{")]
    assert service.request("GET", "/sentiments/?limit=1")[1][0]["model_version"] in model

    dead = workers(service)[0]
    os.kill(dead.pid, signal.SIGKILL)
    wait_until(lambda: len(workers(service)) == 2 and dead.pid not in {one.pid for one in workers(service)}, 60)
    wait_until(service.heals, 60)
    healed = posted(service)  # by one or more: a post that timed out may be stored
    assert healed > 40
    for number in range(20):
        service.post(f"Film {number} is dull.")
    assert {posted(service) for _ in range(20)} == {healed + 20}


@pytest.mark.server
def test_a_restart_of_a_scorer_is_counted(service: Service) -> None:
    os.kill(service.pid("scorer"), signal.SIGKILL)
    wait_until(lambda: metrics(service)["scorer_restarts_total"] == 1, 60)
    wait_until(service.heals, 60)


def test_each_statement_is_timed(client: FlaskClient) -> None:
    def timed() -> float:
        exposed = client.get("/metrics").get_data(as_text=True)
        [count] = re.findall(r'^database_seconds_count{kind="statement"} (\S+)$', exposed, re.MULTILINE)
        return float(count)

    before = timed()
    client.get("/sentiments/")
    assert timed() > before  # the savepoint of the test counts too


def folders_of(code: str, **environment: str) -> list[Path]:
    """The folders of metrics that `code` prints, in a process that reads gunicorn's configuration and ends."""
    code = f"import os, runpy, sys; key = {KEY!r}; read = lambda: runpy.run_path('gunicorn.conf.py')\n{code}"
    environment = {**{name: value for name, value in os.environ.items() if name != KEY}, **environment}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return [Path(line) for line in done.stdout.splitlines()]


def test_the_folder_of_metrics_survives_reloads_and_forks_and_ends_with_gunicorn() -> None:
    code = """
for _ in range(2):
    read()
    print(os.environ[key], flush=True)
worker = os.fork()
if not worker:
    sys.exit()
os.waitpid(worker, 0)
assert os.path.isdir(os.environ[key])
"""
    first, second = folders_of(code)
    assert first == second
    assert not first.exists()


def test_a_folder_of_metrics_that_the_operator_named_is_used_and_kept(tmp_path: Path) -> None:
    code = "import tempfile; tempfile.mkdtemp = None; read(); print(os.environ[key])"
    assert folders_of(code, **{KEY: str(tmp_path)}) == [tmp_path]
    assert tmp_path.exists()


@pytest.fixture
def prometheus(scraped_service: Service, tmp_path: Path) -> Iterator[str]:
    """The address of a real Prometheus that scrapes the service every second."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("there is no prometheus (apt-get install prometheus)")
    config = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
    config["global"]["scrape_interval"] = "1s"
    config["scrape_configs"][0]["static_configs"][0]["targets"] = [f"127.0.0.1:{scraped_service.port}"]
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    process = subprocess.Popen(
        [program, f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/data",
         f"--web.listen-address={address}"],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    yield f"http://{address}"
    process.terminate()
    process.wait()


def query(prometheus: str, expression: str) -> list[dict[str, Any]]:
    """The result of a query, sent as Grafana does."""
    expression = expression.replace("$__rate_interval", "10s").replace("$__range", "1m")
    address = f"{prometheus}/api/v1/query?{urllib.parse.urlencode({'query': expression})}"
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:
            body = json.load(answer)
    except OSError:  # Prometheus is still starting
        return []
    assert body["status"] == "success", body
    return list(body["data"]["result"])


@pytest.mark.tools
def test_every_query_of_the_dashboard_has_a_result(scraped_service: Service, prometheus: str) -> None:
    panels = json.loads((MONITORING / "grafana-dashboard.json").read_text())["panels"]
    expressions = [target["expr"] for panel in panels for target in panel["targets"]]
    assert len(expressions) > 15
    over = threading.Event()

    def load() -> None:
        while not over.is_set():
            scraped_service.post("A fine film, with no dull minute in it.")
            scraped_service.request("GET", "/sentiments/")

    clients = [threading.Thread(target=load) for _ in range(4)]
    for client in clients:
        client.start()
    try:
        for expression in expressions:
            wait_until(lambda one=expression: _is_number(query(prometheus, one)), 30)  # type: ignore[misc]
    finally:
        over.set()
        for client in clients:
            client.join()


def _is_number(result: list[dict[str, Any]]) -> bool:
    return bool(result) and all(float(one["value"][1]) >= 0 for one in result)  # not NaN


@pytest.mark.tools
def test_rare_metrics_of_the_dashboard_are_there_from_the_start(scraped_service: Service) -> None:
    """A counter that appears with its first event has no rate for that event, so it must start at 0."""
    known = metrics(scraped_service)
    for name in ("http_requests_refused_total", "scorer_restarts_total", "scorer_queue"):
        assert known[name] == 0
    for name in ('reviews_scored_total{sentiment="neutral"}', 'reviews_warned_total{warning="not_english"}'):
        assert name in known
