"""The container's entrypoint, with stubs for the programs that it starts."""

import subprocess
from pathlib import Path

import pytest

from src.config import ROOT

WARNING = "API_KEYS is not set: everyone who reaches the API can read and write. Set it to require a key."


@pytest.mark.parametrize(
    ("keys", "warnings"), [({}, [WARNING]), ({"API_KEYS": ""}, [WARNING]), ({"API_KEYS": "alice:x"}, [])]
)
def test_the_entrypoint_warns_of_an_open_api(tmp_path: Path, keys: dict[str, str], warnings: list[str]) -> None:
    for program in ("flask", "gunicorn"):
        (tmp_path / program).write_text("#!/bin/sh\n")
        (tmp_path / program).chmod(0o755)
    result = subprocess.run(
        ["/bin/sh", ROOT / "entrypoint.sh", "gunicorn"],
        env={"PATH": str(tmp_path), **keys}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert result.stdout.splitlines()[1:] == warnings
