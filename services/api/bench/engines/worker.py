"""A process that runs one candidate: it reads `{"batch", "tokens", "seconds"}` as JSON lines, writes median times."""

import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np

from bench.engines.candidates import BY_NAME


def main() -> None:
    """Load a candidate and measure batches. Arguments: its name, the model's folder, the folder of the peers' files."""
    name, model, work = sys.argv[1:]
    run = BY_NAME[name](Path(model), Path(work))
    print(json.dumps("ready"), flush=True)
    source = np.random.default_rng(0)
    for line in sys.stdin:
        request = json.loads(line)
        ids = source.integers(1000, 30_000, (request["batch"], request["tokens"]))
        ids[:, 0], ids[:, -1] = 101, 102  # [CLS], [SEP]
        run(ids)
        times: list[float] = []
        while sum(times) < request["seconds"]:
            started = time.perf_counter()
            run(ids)
            times.append(time.perf_counter() - started)
        print(json.dumps(statistics.median(times)), flush=True)


if __name__ == "__main__":
    main()
