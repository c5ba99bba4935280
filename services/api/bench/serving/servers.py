"""Servers to measure, each started as its users start it."""

import contextlib
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.engines.comparison import MODEL
from bench.serving.load import post
from src.config import ROOT
from test.service import Service

WORDS = (
    "a film with good bad awful lovely dull not never quite plot actor scene the of it was nothing wonderful story "
    "that one more and but so slow fast old new long short music light dark house city war love death day night"
).split()
"""Words of one token each."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server and the requests to send to it."""

    name: str
    port: int
    requests: list[bytes]


def sentences(count: int = 256, tokens: int = 24) -> list[str]:
    """Return `count` different texts of so many tokens, special tokens included."""
    source = random.Random(0)
    return [" ".join(source.choices(WORDS, k=tokens - 2)) for _ in range(count)]


@contextlib.contextmanager
def own() -> Iterator[tuple[Server, Service]]:
    """Start this service as `make run` does, over a database of its own."""
    folder = Path(tempfile.mkdtemp(prefix="sentiments-bench-"))
    service = Service(folder)
    service.start()
    try:
        yield Server("this service", service.port, _posts("/sentiments/")), service
    finally:
        service.stop()
        shutil.rmtree(folder)


@contextlib.contextmanager
def pipeline(service: Service) -> Iterator[Server]:
    """Start the app of `bench.serving.pipeline` beside a service, over the same database."""
    port = _free_port()
    environment = {**os.environ, "INSTANCE_PATH": str(service.instance), "PORT": str(port), "DATABASE_URL": ""}
    command = [sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py", "bench.serving.pipeline:app"]
    with _running(command, ROOT, environment, port):
        yield Server("flask + transformers.pipeline", port, _posts("/sentiments/"))


@contextlib.contextmanager
def infinity(python: str, engine: str, onnx: Path) -> Iterator[Server]:
    """Start Infinity with this checkpoint. It has no database.

    :param python: the Python executable of the peers' environment.
    :param engine: "torch", or "optimum" for ONNX Runtime in int8.
    :param onnx: the int8 file of ONNX Runtime.
    """
    port = _free_port()
    with tempfile.TemporaryDirectory() as folder:
        for path in MODEL.iterdir():
            if path.suffix == ".json" or (engine == "torch" and path.suffix == ".safetensors"):
                (Path(folder) / path.name).symlink_to(path)
        if engine == "optimum":
            (Path(folder) / onnx.name).symlink_to(onnx)
        command = [
            str(Path(python).with_name("infinity_emb")), "v2", "--model-id", ".", "--served-model-name", "model",
            "--engine", engine, "--device", "cpu", "--port", str(port), "--log-level", "warning",
            "--no-model-warmup",  # its texts have more tokens than the model has positions
        ]  # fmt: skip
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1"}
        with _running(command, Path(folder), environment, port):  # the engine finds its file only in "."
            bodies = [post("/classify", {"input": [text], "model": "model"}) for text in sentences()]
            yield Server(f"infinity {'onnx int8' if engine == 'optimum' else 'torch'}", port, bodies)


def _posts(path: str) -> list[bytes]:
    return [post(path, {"sentence": text}) for text in sentences()]


@contextlib.contextmanager
def _running(command: list[str], folder: Path, environment: dict[str, str], port: int) -> Iterator[None]:
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 120
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{' '.join(command)} did not start: run it by hand to see why")
            time.sleep(0.5)
        yield
    finally:
        children = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        process.terminate()
        process.wait(60)
        for child in children:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
