"""This service against its alternatives, with the same checkpoint on the same machine: `make bench-peers`.

The peers have an environment of their own, whose Python executable is the first argument.
"""

import argparse
import contextlib
import subprocess
import sys
import tempfile
from pathlib import Path

from bench import plot
from bench.engines.candidates import ONNX_INT8, PEERS, kernel
from bench.engines.comparison import MODEL, REVIEWS, SENTENCES, compare, machine, table
from bench.service import compare as compare_servers
from bench.service import rates
from bench.service import table as server_table
from bench.serving import servers
from src.config import ROOT


def main() -> None:
    """Print the tables and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("python", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1, help="of each engine, shape and round")
    parser.add_argument("--load", type=float, default=6, help="seconds of load on each server and round")
    arguments = parser.parse_args()
    python = str(arguments.python.absolute())
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        subprocess.run(
            [python, "-m", "bench.engines.convert", str(MODEL), folder], cwd=ROOT, check=True, capture_output=True
        )
        print(f"{machine()}; medians of {arguments.rounds} alternating rounds\n")
        candidates = {kernel.__name__: sys.executable} | {peer.__name__: python for peer in PEERS}
        found = compare(candidates, work, rounds=arguments.rounds, seconds=arguments.seconds)
        print(table(found, "transformers_float32"), "\n")
        print(
            table({name: times for name, times in found.items() if name != "transformers_float32"}, "openvino_static")
        )
        with contextlib.ExitStack() as stack:
            server, _ = stack.enter_context(servers.own())
            others = [
                stack.enter_context(servers.infinity(python, engine, work / ONNX_INT8))
                for engine in ("torch", "optimum")
            ]
            results = compare_servers([server, *others], rounds=arguments.rounds, seconds=arguments.load)
        print(f"\n{server_table(results)}")
    plot.save(
        "peers",
        {
            "sentences of 24 tokens per second": {name: SENTENCES.batch / of[SENTENCES] for name, of in found.items()},
            "reviews of 256 tokens per second": {name: REVIEWS.batch / of[REVIEWS] for name, of in found.items()},
            "answers per second, 32 clients": rates(results),
        },
    )


if __name__ == "__main__":
    main()
