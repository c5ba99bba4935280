"""schemathesis generates requests from the OpenAPI document and sends them to a running service."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from src.config import ROOT
from src.web.authentication import digest_of
from test.service import Service, serving

pytestmark = pytest.mark.tools

KEY = "k" * 43
SEED, EXAMPLES = "20261124", "10"


@pytest.fixture
def service(migrated_instance: Path) -> Iterator[Service]:
    """A running service that requires a key."""
    with serving(migrated_instance, API_KEYS=f"alice:{digest_of(KEY)}") as service:
        yield service


def test_it_finds_no_failure_and_at_least_half_of_its_valid_requests_succeed(service: Service, tmp_path: Path) -> None:
    report = tmp_path / "report.ndjson"
    run = subprocess.run(
        [
            sys.executable, "-m", "schemathesis.cli", "run", f"{service.address}/openapi.json", "--no-color",
            "--checks", "all", "--seed", SEED, "--max-examples", EXAMPLES, "--generation-database", "none",
            "--continue-on-failure", "--header", f"Authorization: Bearer {KEY}",
            "--report", "ndjson", "--report-ndjson-path", str(report),
        ],
        cwd=tmp_path,  # it writes its cache there
        env={
            **os.environ, "PYTHONPATH": str(ROOT), "SCHEMATHESIS_HOOKS": "test.web.schemathesis_hooks",
            "SERVICE_ADDRESS": service.address, "SERVICE_KEY": KEY,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + service.output()[-5000:]
    sent, accepted = valid_requests(report)
    assert set(sent) == set(accepted), "an operation never succeeded"
    assert 2 * accepted.total() >= sent.total(), (accepted, sent)
    print(run.stdout + f"\n{accepted.total()} of {sent.total()} valid requests were accepted.")


def valid_requests(report: Path) -> tuple[Counter[str], Counter[str]]:
    """Counts by operation: valid requests sent, and those answered with 2xx."""
    sent: Counter[str] = Counter()
    accepted: Counter[str] = Counter()
    for line in report.read_text().splitlines():
        recorder = json.loads(line).get("ScenarioFinished", {}).get("recorder", {})
        for name, interaction in recorder.get("interactions", {}).items():
            case = recorder["cases"][name]["value"]
            answer = interaction["response"]
            if answer and case["meta"]["generation"]["mode"] == "positive":
                operation = f"{case['method']} {case['path']}"
                sent[operation] += 1
                accepted[operation] += 200 <= answer["status_code"] < 300
    return sent, +accepted
