"""Scoring an archive against the bare scorer, in tokens a second: `make bench-archive`.

Three ways to score the same sentences: the analyzer in this process, `flask score`, and `flask score --ray`. Each
command scores a smaller and a larger file, and the rate is that of the difference, without the start of Python, Ray and
models.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.engines.comparison import MODEL, machine
from bench.serving import servers
from src.config import ROOT
from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer

CHUNK = 512
WAYS = {"flask score": [], "flask score --ray": ["--ray"]}


def bare(texts: list[str]) -> float:
    """Return the tokens a second of the analyzer."""
    analyzer = SentimentAnalyzer.load(str(MODEL))
    started = time.perf_counter()
    tokens = sum(
        score.tokens for at in range(0, len(texts), CHUNK) for score in analyzer.analyze(texts[at : at + CHUNK])
    )
    return tokens / (time.perf_counter() - started)


def run(texts: list[str], options: list[str], folder: Path) -> tuple[float, int]:
    """Score a file with the command; return the seconds and the tokens."""
    source, out = folder / "in.ndjson", folder / ("out" if options else "out.parquet")
    source.write_text("".join(json.dumps({"sentence": text}) + "\n" for text in texts))
    command = [sys.executable, "-m", "flask", "--app", "src", "score", str(source), "--out", str(out), *options]
    started = time.perf_counter()
    subprocess.run(command, cwd=ROOT, env={**os.environ, "MODEL_PATH": str(MODEL)}, check=True, capture_output=True)
    seconds = time.perf_counter() - started
    manifest = out / "_manifest.json" if options else out.with_name("out.parquet.manifest.json")
    return seconds, json.loads(manifest.read_text())["tokens"]


def main() -> None:
    """Print the rates."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--small", type=int, default=20_000)
    parser.add_argument("--large", type=int, default=80_000)
    arguments = parser.parse_args()
    texts = servers.sentences(arguments.large)
    print(f"{machine()}; sentences of 24 tokens, special tokens included\n")
    alone = [bare(texts[: arguments.small])]
    for name, options in WAYS.items():
        found = []
        for count in (arguments.small, arguments.large):
            with tempfile.TemporaryDirectory() as folder:
                found.append(run(texts[:count], options, Path(folder)))
        alone.append(bare(texts[: arguments.small]))
        rate = (found[1][1] - found[0][1]) / (found[1][0] - found[0][0])
        beside = sum(alone[-2:]) / 2
        start = found[0][0] - found[0][1] / rate
        print(f"bare scorer: {alone[-2]:,.0f} and {alone[-1]:,.0f} tokens/s, before and after")
        print(f"{name}: {rate:,.0f} tokens/s, {rate / beside:.2f} of it, after a start of {start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
