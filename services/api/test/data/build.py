"""Write the Parquet files of this folder from reviews.tsv: `python test/data/build.py` from services/api.

The sentences are kept in one TSV, where a change shows as a readable diff. Training reads the layout of
DATA_DIR (`train/*.parquet`, `eval/*.parquet`), so that layout is built from it and kept beside it.
"""

import csv
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

FOLDER = Path(__file__).resolve().parent
SCHEMA = pa.schema([("text", pa.string()), ("label", pa.int64())])


def main() -> None:
    files: dict[str, list[dict[str, str | int]]] = {}
    with (FOLDER / "reviews.tsv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            files.setdefault(row["file"], []).append({"text": row["text"], "label": int(row["label"])})
    for name, rows in files.items():
        path = FOLDER / f"{name}.parquet"
        path.parent.mkdir(exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), path, compression="zstd")


if __name__ == "__main__":
    main()
