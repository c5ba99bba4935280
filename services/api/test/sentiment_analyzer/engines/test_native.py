"""The kernel computes the logits that PyTorch computes, for every shape that it supports."""

from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from src.sentiment_analyzer.checkpoint import open_checkpoint
from src.sentiment_analyzer.engines import compiler
from src.sentiment_analyzer.engines.compiler import Target
from src.sentiment_analyzer.engines.engine import open_engine
from src.sentiment_analyzer.engines.native import NativeEngine
from src.sentiment_analyzer.engines.pytorch import TorchEngine
from test.sentiment_analyzer.conftest import MODEL, SST2_LABELS, THREE_LABELS

Save = Callable[..., Path]


KERNELS = compiler.supported()


@pytest.fixture(autouse=True, params=KERNELS, ids=lambda target: target.name)
def target(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Target:
    """Every kernel that this processor can run, not only the fastest."""
    monkeypatch.setattr(compiler, "supported", lambda: [request.param])
    return cast("Target", request.param)


def build_windows(lengths: list[int]) -> list[list[int]]:
    """Random token ids."""
    source = np.random.default_rng(0)
    return [source.integers(1000, 30_000, length).tolist() for length in lengths]


@pytest.mark.parametrize(
    "shape",
    [
        {"dim": 64, "hidden_dim": 64, "n_heads": 2},  # heads of 32
        {"dim": 128, "hidden_dim": 256, "n_heads": 2},  # of 64, as in DistilBERT-base
        {"dim": 256, "hidden_dim": 128, "n_heads": 1},  # the widest that is supported
    ],
)
@pytest.mark.parametrize("labels", [SST2_LABELS, THREE_LABELS], ids=len)
def test_the_kernel_agrees_with_float32(save_checkpoint: Save, shape: dict[str, int], labels: dict[int, str]) -> None:
    checkpoint = open_checkpoint(str(save_checkpoint(n_layers=2, id2label=labels, **shape)))
    windows = build_windows([0, 1, 4, 5, 11, 12, 29, 30, 31, 62, 93, 94, 95, 200, 510])
    exact = TorchEngine(checkpoint, quantized=False).logits(windows)
    assert exact.shape == (len(windows), len(labels))
    np.testing.assert_allclose(open_engine(checkpoint).logits(windows), exact, atol=0.1)


def test_the_kernel_agrees_with_float32_on_the_model_that_ships(target: Target) -> None:
    checkpoint = open_checkpoint(MODEL)
    windows = build_windows([3, 24, 24, 60, 254, 510])
    native, exact = open_engine(checkpoint).logits(windows), TorchEngine(checkpoint, quantized=False).logits(windows)
    assert np.abs(native - exact).mean() < 0.1
    assert open_engine(checkpoint).name == f"kernel {target.name}"


def test_every_kernel_computes_the_same_bits_on_the_model_that_ships(target: Target) -> None:
    checkpoint = open_checkpoint(MODEL)
    windows = build_windows([*range(64), 200, 510])
    first = NativeEngine(checkpoint, compiler.compile_kernel(KERNELS[0])).logits(windows)
    np.testing.assert_array_equal(NativeEngine(checkpoint, compiler.compile_kernel(target)).logits(windows), first)


def test_a_window_has_bit_identical_logits_in_every_batch() -> None:
    engine = open_engine(open_checkpoint(MODEL))
    windows = build_windows([0, 1, 7, 22, 22, 22, 126, 127, 300, 510])
    together = engine.logits(windows)
    for index, window in enumerate(windows):
        np.testing.assert_array_equal(engine.logits([window])[0], together[index])
    np.testing.assert_array_equal(engine.logits(windows[::-1])[::-1], together)


@pytest.mark.parametrize(
    "shape", [{"dim": 32, "hidden_dim": 64, "n_heads": 1}, {"dim": 64, "hidden_dim": 96}, {"dim": 64, "n_heads": 4}]
)
def test_pytorch_computes_the_shapes_that_the_kernel_does_not_support(
    save_checkpoint: Save, shape: dict[str, int]
) -> None:
    checkpoint = open_checkpoint(str(save_checkpoint(**shape)))
    assert not NativeEngine.fits(checkpoint)
    assert open_engine(checkpoint).name == "pytorch int8"
