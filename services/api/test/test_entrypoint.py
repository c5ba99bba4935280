"""What the container says as it starts, with stand-ins for the programs that it starts."""

import subprocess
from pathlib import Path

import pytest

from src.config import ROOT

OPEN = "API_KEYS is not set: whoever reaches the API can read and write."


@pytest.mark.parametrize(("keys", "said"), [({}, [OPEN]), ({"API_KEYS": ""}, [OPEN]), ({"API_KEYS": "alice:x"}, [])])
def test_it_says_that_the_api_is_open_where_it_is(tmp_path: Path, keys: dict[str, str], said: list[str]) -> None:
    for program in ("flask", "gunicorn"):
        (tmp_path / program).write_text("#!/bin/sh\n")
        (tmp_path / program).chmod(0o755)
    result = subprocess.run(
        ["/bin/sh", ROOT / "entrypoint.sh", "gunicorn"],
        env={"PATH": str(tmp_path), **keys}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert result.stdout.splitlines()[1:] == said
