"""The analyzer alone: `make bench`. Its engines, their share of the machine's peak, long reviews, the start.

No network and no database take part.
"""

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch

from bench.engines.candidates import OWN
from bench.engines.comparison import MODEL, SENTENCES, compare, machine, table
from src.config import ROOT
from src.sentiment_analyzer import cpus
from src.sentiment_analyzer.checkpoint import open_checkpoint
from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer
from src.sentiment_analyzer.windows import WINDOWING, split

START = (
    "from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer; "
    "SentimentAnalyzer.load({model!r}).analyze(['A fine film.'])"
)
START_PIPELINE = "from transformers import pipeline; pipeline('sentiment-analysis', model={model!r})('A fine film.')"


def operations_per_token() -> float:
    """Return the int8 operations (multiplications and additions) per token in the linear layers of the kernel.

    In the last layer, only queries, keys and values count: the kernel computes the rest for [CLS] alone.
    """
    checkpoint = open_checkpoint(str(MODEL))
    last = f".layer.{checkpoint.config['n_layers'] - 1}."
    done = 0
    for name, weight in checkpoint.weights.items():
        if (
            ".layer." in name
            and weight.ndim == 2
            and (last not in name or name.split(".")[-2] in {"q_lin", "k_lin", "v_lin"})
        ):
            done += weight.size
    return 2.0 * done


def peak(rounds: int) -> tuple[str, float]:
    """Return the type with the fastest products on this machine, int8 or float32, and its peak operations per second.

    The peak is what oneDNN reaches on all cores by `torch._int_mm`, or MKL by a product of floats.
    """
    vnni = torch.cpu._is_vnni_supported()
    kind, multiply = (torch.int8, torch._int_mm) if vnni else (torch.float32, torch.mm)
    left = torch.randint(-127, 127, (4096, 1536)).to(kind)
    right = torch.randint(-127, 127, (1536, 1536)).to(kind).t()
    torch.set_num_threads(cpus.available())
    times = []
    for _ in range(10 * rounds):
        started = time.perf_counter()
        multiply(left, right)
        times.append(time.perf_counter() - started)
    return str(kind).removeprefix("torch."), 2.0 * 4096 * 1536 * 1536 / min(times)


def long_review(rounds: int) -> tuple[float, float, int]:
    """Return the seconds for a review of 512 and for one of 4,096 tokens, and the tokens computed for the latter."""
    analyzer = SentimentAnalyzer.load(str(MODEL))
    source = np.random.default_rng(0)
    texts = [source.integers(1000, 30_000, count - 2).tolist() for count in (512, 4096)]
    windows = [split(ids, WINDOWING.size, WINDOWING.overlap) for ids in texts]
    times: list[list[float]] = [[], []]
    for _ in range(5 * rounds):
        for index, of_text in enumerate(windows):
            started = time.perf_counter()
            analyzer.logits(of_text)
            times[index].append(time.perf_counter() - started)
    return (*map(statistics.median, times), sum(len(window) + 2 for window in windows[1]))


def start_seconds(rounds: int) -> tuple[float, float]:
    """Return the median seconds from a process's start to its first score, for this analyzer and for `pipeline`."""
    codes = [code.format(model=str(MODEL)) for code in (START, START_PIPELINE)]
    times: list[list[float]] = [[], []]
    for _ in range(rounds):
        for index, code in enumerate(codes):
            started = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True)
            times[index].append(time.perf_counter() - started)
    own, pipeline = map(statistics.median, times)
    return own, pipeline


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1)
    arguments = parser.parse_args()
    print(f"{machine()}; medians of {arguments.rounds} alternating rounds\n")
    candidates = {candidate.__name__: sys.executable for candidate in OWN}
    found = compare(candidates, Path(), rounds=arguments.rounds, seconds=arguments.seconds)
    print(table(found, "pytorch_float32"), "\n")
    done = SENTENCES.batch * SENTENCES.tokens * operations_per_token() / found["kernel"][SENTENCES]
    kind, most = peak(arguments.rounds)
    print(
        f"int8 operations at {SENTENCES}: {done / 1e9:.0f} G/s, {done / most:.0%} of the peak of {kind} products here"
    )
    short, long, tokens = long_review(arguments.rounds)
    print(
        f"4,096 tokens take {long / short:.1f} times what 512 take ({tokens / 4096:.2f} tokens computed per token read)"
    )
    own, pipeline = start_seconds(arguments.rounds)
    print(f"first score after {own:.2f} s, transformers.pipeline's after {pipeline:.2f} s: {own / pipeline:.2f} of it")


if __name__ == "__main__":
    main()
