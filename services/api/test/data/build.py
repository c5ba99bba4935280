"""Write the Parquet files of this folder from reviews.tsv: `python test/data/build.py` from services/api.

The sentences are kept in one TSV, where a change shows as a readable diff. Training reads the layout of
DATA_DIR (`train/*.parquet`, `extra/*.parquet`, `eval/*.parquet`), so that layout is built from it and kept beside it.
"""

import csv
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

FOLDER = Path(__file__).resolve().parent
MARKS = {
    "train/imdb": ("rating", pa.int64()),
    "train/yts_imdb": ("rating", pa.int64()),
    "train/pl_scale": ("rating01", pa.float64()),
    "extra/sst5_phrases": ("label5", pa.int64()),
    "extra/subj_unlabelled": ("kind", pa.string()),
}
"""Files whose texts have a finer mark than a label, and the column that it goes into."""


def main() -> None:
    files: dict[str, list[dict[str, str]]] = {}
    with (FOLDER / "reviews.tsv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            files.setdefault(row["file"], []).append(row)
    for name, rows in files.items():
        columns = {
            "text": pa.array([row["text"] for row in rows]),
            "label": pa.array([int(row["label"]) if row["label"] else None for row in rows], pa.int64()),
        }
        if name in MARKS:
            column, kind = MARKS[name]
            columns[column] = pa.array([row["mark"] for row in rows]).cast(kind)
        path = FOLDER / f"{name}.parquet"
        path.parent.mkdir(exist_ok=True)
        pq.write_table(pa.table(columns), path, compression="zstd")


if __name__ == "__main__":
    main()
