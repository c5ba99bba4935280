"""Every path of the kernel computes the bits of the scalar reference, within its memory, whichever processor runs it.

The paths run in `driver.cpp`: as they are, and with AddressSanitizer and UndefinedBehaviorSanitizer. Except on ARM, the
paths for ARM are cross-compiled and emulated.
"""

import functools
import os
import platform
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray
from tokenizers import Tokenizer

from src.config import ROOT
from src.sentiment_analyzer.checkpoint import Checkpoint, _expected_shapes, open_checkpoint
from src.sentiment_analyzer.engines import compiler
from src.sentiment_analyzer.engines.compiler import TARGETS, Target
from src.sentiment_analyzer.engines.native import _tensors

pytestmark = pytest.mark.kernel

Windows = Sequence[Sequence[int]]
LABELS = ("negative", "neutral", "positive")
WORDS = 40
LAST = WORDS - 1
EMULATED = {"neon_dotprod": "cortex-a76", "neon_i8mm": "max"}
"""The processor that stands for each target: the Cortex-A76 has the dot product and lacks i8mm."""
SANITIZERS = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")


@dataclass(frozen=True)
class Build:
    """One way to compile and to run the driver."""

    target: Target
    sanitized: bool = False

    @property
    def name(self) -> str:
        words = [self.target.name, "emulated" if self.emulated else "", "sanitized" if self.sanitized else ""]
        return "-".join(filter(None, words))

    @property
    def emulated(self) -> bool:
        return self.target not in (SCALAR, *compiler.targets())

    @property
    def compilers(self) -> tuple[str, ...]:
        return ("aarch64-linux-gnu-g++",) if self.emulated else ("c++", "g++", "clang++")

    @property
    def flags(self) -> list[str]:
        shared = [flag for flag in self.target.flags if flag not in {"-shared", "-fPIC"}]
        return [*shared, *(SANITIZERS if self.sanitized else ())]

    @property
    def runner(self) -> tuple[str, ...]:
        processor = EMULATED.get(self.target.name, "")
        return ("qemu-aarch64", "-cpu", processor, "-L", "/usr/aarch64-linux-gnu") if self.emulated else ()


SCALAR = Target("scalar", platform.machine(), (), ())
"""Without flags for a processor, the kernel computes one value at a time: the reference."""
FAST = list(dict.fromkeys([*compiler.supported(), *(target for target in TARGETS if target.name in EMULATED)]))
"""The targets that this processor can run, and those that can be emulated."""
BUILDS = [*map(Build, FAST), *(Build(target, sanitized=True) for target in (SCALAR, *FAST))]


class Driver:
    """The compiled driver."""

    def __init__(self, build: Build, folder: Path) -> None:
        self._runner, self._folder = build.runner, folder
        self._executable = folder / build.name
        self._environment = dict(os.environ)
        if build.runner:  # an emulated process cannot be traced, which the search for leaks requires
            self._environment["ASAN_OPTIONS"] = "detect_leaks=0"
        found = next(filter(None, map(shutil.which, build.compilers)), None)
        if found is None or (build.runner and shutil.which(build.runner[0]) is None):
            pytest.skip(f"needs {' '.join((*build.compilers[:1], *build.runner[:1]))}")
        source = Path(__file__).with_name("driver.cpp")
        command = [found, *build.flags, f"-I{compiler.SOURCES}", source, "-o", self._executable]
        subprocess.run(command, check=True)

    def run(self, command: str, case: Path) -> NDArray[np.float32]:
        """Run the driver; what a sanitizer finds fails the test."""
        out = self._folder / "out"
        done = subprocess.run(
            [*self._runner, self._executable, command, case, out],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return np.fromfile(out, np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kernel")


@pytest.fixture(scope="module")
def reference(folder: Path) -> Driver:
    return compiled(Build(SCALAR), folder)


@pytest.fixture(scope="module", params=BUILDS, ids=lambda build: build.name)
def driver(request: pytest.FixtureRequest, folder: Path) -> Driver:
    return compiled(request.param, folder)


compiled = functools.cache(Driver)


def write(path: Path, arrays: Iterable[NDArray[np.generic]]) -> Path:
    """Write arrays as the driver reads them."""
    with path.open("wb") as file:
        for array in arrays:
            file.write(np.int64(array.nbytes).tobytes() + np.ascontiguousarray(array).tobytes())
    return path


def write_model(path: Path, checkpoint: Checkpoint, calls: Sequence[Windows]) -> Path:
    """Write a model and the windows of each call."""
    config, tensors = checkpoint.config, list(_tensors(checkpoint))
    shape = [config[name] for name in ("dim", "hidden_dim", "n_heads", "n_layers")]

    def windows() -> Iterator[NDArray[np.int32]]:
        for call in calls:
            yield np.array([len(window) for window in call], np.int32)
            yield np.array([word for window in call for word in window], np.int32)

    return write(path, [np.array([*shape, len(checkpoint.labels), len(tensors)], np.int32), *tensors, *windows()])


def random_checkpoint(dim: int, hidden_dim: int, n_heads: int) -> Checkpoint:
    """A model of two layers with random weights and WORDS words."""
    config: dict[str, Any] = {"dim": dim, "hidden_dim": hidden_dim, "n_heads": n_heads, "n_layers": 2}
    config |= {"vocab_size": WORDS, "max_position_embeddings": 512}
    source = np.random.default_rng(dim)
    weights = {
        name: source.normal(1 if "orm.weight" in name else 0, 0.2, shape).astype(np.float16)
        for name, shape in _expected_shapes(config, len(LABELS)).items()
    }
    return Checkpoint(config, weights, cast(Tokenizer, None), LABELS, None, "")


def random_windows(*lengths: int) -> list[list[int]]:
    """Random words, the last of the vocabulary in each window of two or more."""
    source = np.random.default_rng(len(lengths))
    return [[*source.integers(0, LAST, length - 1).tolist(), LAST] for length in lengths]


CALLS: list[Windows] = [
    [],
    [[0]],
    [[LAST]],
    random_windows(512),
    random_windows(*range(1, 36), 95, 96, 97),
    random_windows(3, 60, 1),
    [],
    [[LAST]],
]
"""The workspace of a call is that of the largest call before it."""
SHAPES = [(64, 128, 2), (192, 64, 3), (256, 64, 1)]
"""dim, hidden_dim and n_heads: heads of 32, 64 and 256 floats."""
SENTENCES = [
    "A quiet, funny film that stays with you.",
    "Two hours that I will never get back: dull, loud and far too long.",
    "It is a film.",
    "Not bad, though the second half forgets what the first one promised.",
    "",
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_logits_are_those_of_the_reference_to_the_bit(
    driver: Driver, reference: Driver, tmp_path: Path, shape: tuple[int, int, int]
) -> None:
    case = write_model(tmp_path / "case", random_checkpoint(*shape), CALLS)
    expected = reference.run("logits", case)
    assert len(expected) == sum(len(call) for call in CALLS) * len(LABELS)
    assert np.isfinite(expected).all()
    np.testing.assert_array_equal(driver.run("logits", case), expected)


@pytest.mark.parametrize("driver", [*map(Build, FAST)], indirect=True, ids=lambda build: build.name)
def test_the_model_that_ships_has_the_same_scores_on_every_path(
    driver: Driver, reference: Driver, tmp_path: Path
) -> None:
    checkpoint = open_checkpoint(str(ROOT / "model"))
    encoded = [encoding.ids for encoding in checkpoint.tokenizer.encode_batch(SENTENCES)]
    words = [word for window in encoded for word in window]
    case = write_model(tmp_path / "case", checkpoint, [encoded, [(words * 4)[:200]], [[30_521]]])
    expected, found = reference.run("logits", case), driver.run("logits", case)
    np.testing.assert_allclose(*map(probabilities, (found, expected)), rtol=0, atol=1e-5)
    np.testing.assert_array_equal(*(probabilities(logits).argmax(axis=1) for logits in (found, expected)))


def probabilities(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    powers = np.exp(logits.reshape(-1, len(LABELS)).astype(np.float64))
    return cast(NDArray[np.float64], powers / powers.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("count", [0, 1, 7, 97])
def test_integer_products_are_exact(driver: Driver, tmp_path: Path, count: int) -> None:
    source = np.random.default_rng(count)
    inputs, outputs = 1024, 192  # 1024 * 127 * 127 is less than 2^24
    rows, weight = (source.integers(-127, 128, (length, inputs)).astype(np.int8) for length in (count, outputs))
    rows[:3] = np.array([[127], [-127], [0]])[:count]
    weight[:2] = [[127], [-127]]
    case = write(tmp_path / "case", [np.array([inputs, outputs], np.int32), weight, rows])
    exact = rows.astype(np.int64) @ weight.T.astype(np.int64)
    np.testing.assert_array_equal(driver.run("products", case).reshape(count, outputs), exact)


def test_nan_in_a_word_reaches_the_windows_with_that_word_alone(
    driver: Driver, reference: Driver, tmp_path: Path
) -> None:
    checkpoint = random_checkpoint(64, 64, 2)
    calls = [[[1, 2, 3], [1, LAST, 3], [LAST], [4] * 100, [4] * 99 + [LAST], [5]]]
    healthy = reference.run("logits", write_model(tmp_path / "healthy", checkpoint, calls))
    checkpoint.weights["distilbert.embeddings.word_embeddings.weight"][LAST] = np.nan
    found = driver.run("logits", write_model(tmp_path / "case", checkpoint, calls))
    spoiled = np.repeat([LAST in window for window in calls[0]], len(LABELS))
    assert np.isnan(found[spoiled]).all()
    np.testing.assert_array_equal(found[~spoiled], healthy[~spoiled])


def test_nan_in_every_weight_gives_nan(driver: Driver, tmp_path: Path) -> None:
    checkpoint = random_checkpoint(64, 64, 2)
    for name, weight in checkpoint.weights.items():
        if weight.ndim == 1 or "embeddings" in name:  # the others are integers in the kernel
            weight[:] = np.nan
    assert np.isnan(driver.run("logits", write_model(tmp_path / "case", checkpoint, CALLS))).all()
