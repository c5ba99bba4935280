"""Readers of review files; the tests of bulk requests and imports read whole files."""

import io

from src.files.readers import Columns, read_csv


def test_a_file_with_a_lower_limit_does_not_lower_that_of_a_file_that_is_being_read() -> None:
    long = "A very " + "long " * 1000 + "film."
    records = read_csv(io.BytesIO(f"sentence\n{long}\n".encode()), 10_000, Columns())
    read_csv(io.BytesIO(b"sentence\nA film.\n"), 100, Columns())
    assert list(records) == [{"sentence": long}]
