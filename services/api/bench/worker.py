"""One candidate in a process of its own: JSON lines in, `{"batch", "tokens", "seconds"}`, and out, the median time."""

import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np

from bench.candidates import BY_NAME


def main() -> None:
    """Load the candidate that the first argument names, for the model and with the files of the other two."""
    name, model, work = sys.argv[1:]
    run = BY_NAME[name](Path(model), Path(work))
    print(json.dumps("ready"), flush=True)
    source = np.random.default_rng(0)
    for line in sys.stdin:
        asked = json.loads(line)
        ids = source.integers(1000, 30_000, (asked["batch"], asked["tokens"]))
        ids[:, 0], ids[:, -1] = 101, 102  # [CLS], [SEP]
        run(ids)
        times: list[float] = []
        while sum(times) < asked["seconds"]:
            started = time.perf_counter()
            run(ids)
            times.append(time.perf_counter() - started)
        print(json.dumps(statistics.median(times)), flush=True)


if __name__ == "__main__":
    main()
