"""The log of the scorer process."""

import json
import subprocess
import sys
from typing import Any

from src.config import ROOT

SECRET = "A secret opinion"
CODE = f"""
import logging, warnings
{{}}
try:
    raise RuntimeError("cannot handle {SECRET}")
except RuntimeError:
    logging.getLogger("somebody").exception("%s failed", "it")
logging.getLogger("somebody").debug("details")
logging.getLogger("somebody").info("done")
warnings.warn("look out")
"""


def log(configure: str) -> list[dict[str, Any]]:
    """Return the lines that a process logs on standard error, without their times."""
    code = CODE.format(configure)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert SECRET not in done.stderr
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    for line in lines:
        assert line.pop("timestamp").endswith("Z")
    return lines


def test_the_scorer_process_logs_as_the_service_does_and_never_an_exceptions_message() -> None:
    lines = log("from src.sentiment_analyzer.scorer.logs import log_as_json; log_as_json()")
    assert [line["event"] for line in lines[:2]] == ["it failed", "done"]
    assert lines[0]["exception"] == {"error": "RuntimeError", "where": ["<string>:5 <module>"]}
    assert "look out" in lines[2]["event"]
    assert lines == log("from src.server import logs; logs.configure('INFO')")
