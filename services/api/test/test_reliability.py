"""The table of faults in docs/reliability.md."""

import re

from src.config import ROOT

DOCUMENT = (ROOT / "docs/reliability.md").read_text()


def names_of_tests(folder: str) -> set[str]:
    """The names of all tests in a folder."""
    texts = (path.read_text() for path in (ROOT / folder).rglob("test_*.py"))
    return {name for text in texts for name in re.findall(r"^def (test_\w+)", text, re.M)}


def test_each_row_names_a_test_that_exists() -> None:
    rows = re.findall(r"^\| (?!fault )(.+ \|.+\|.+\|.+\| .+) \|$", DOCUMENT, re.M)
    assert len(rows) > 20
    known = names_of_tests("test")
    for row in rows:
        found = re.search(r"`(test_\w+)`$", row)
        assert found, row
        assert found[1] in known, row


def test_each_test_of_a_fault_has_a_row() -> None:
    assert names_of_tests("test/faults") <= set(re.findall(r"`(test_\w+)`", DOCUMENT))
