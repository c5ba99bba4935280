"""The compiler of the scoring kernel.

    python -m src.sentiment_analyzer.engines.compiler

It runs when the service is installed or its image is built, never when the service starts. Without a C++ compiler, or
on a processor that no kernel supports, PyTorch scores instead.
"""

import hashlib
import logging
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

logger = logging.getLogger(__name__)

SOURCES = Path(__file__).parents[1] / "kernel"
CACHE = Path(__file__).parents[1] / "build"
"""The folder of compiled kernels, one file for each target and state of the sources. Not committed."""

_FLAGS = (
    "-O3", "-std=c++17", "-shared", "-fPIC", "-Wall", "-Wextra",
    "-Wno-uninitialized", "-Wno-maybe-uninitialized",  # GCC's own intrinsics raise these
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Target:
    """A family of processors for which the kernel is compiled."""

    name: str
    tune: str
    """The processor whose instruction timings the compiler assumes (-mtune)."""
    features: tuple[str, ...]
    """The features that a processor must have, as /proc/cpuinfo names them."""

    @property
    def flags(self) -> list[str]:
        """Return the compiler's flags."""
        return [*_FLAGS, f"-mtune={self.tune}", *(f"-m{feature.replace('_', '')}" for feature in self.features)]


TARGETS = (
    Target(
        "avx512vnni",
        "icelake-server",
        ("avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_vnni", "fma", "f16c"),
    ),
    Target("avx2", "haswell", ("avx2", "fma", "f16c")),
)
"""The targets, fastest first."""
_COMPILERS = ("c++", "g++", "clang++")


def find(cache: Path = CACHE) -> Path | None:
    """Return the fastest kernel compiled from the current sources that this processor can run, or None."""
    paths = (cache / _file(target) for target in supported())
    return next((path for path in paths if path.exists()), None)


def supported() -> list[Target]:
    """Return the targets that this processor can run, fastest first."""
    try:
        flags = Path("/proc/cpuinfo").read_text().split("flags", maxsplit=1)[1].split("\n", maxsplit=1)[0].split()
    except (OSError, IndexError):  # not Linux, or not x86
        return []
    return [target for target in TARGETS if set(target.features) <= set(flags)]


def compile_kernel(target: Target, cache: Path = CACHE) -> Path:
    """Compile the kernel unless it is compiled already; return its path. This processor need not be able to run it.

    :raises RuntimeError: there is no compiler, or it fails.
    """
    path = cache / _file(target)
    if path.exists():
        return path
    if platform.machine() != "x86_64":
        raise RuntimeError(f"the kernel is for x86_64, and this is {platform.machine()}")
    compiler = next(filter(None, map(shutil.which, _COMPILERS)), None)
    if compiler is None:
        raise RuntimeError(f"none of {', '.join(_COMPILERS)} is installed")
    cache.mkdir(exist_ok=True)
    handle, unfinished = tempfile.mkstemp(suffix=".so", dir=cache)
    os.close(handle)
    try:
        command = [compiler, *target.flags, str(SOURCES / "model.cpp"), "-o", unfinished]
        subprocess.run(command, check=True, capture_output=True, text=True)
        Path(unfinished).chmod(0o755)
        Path(unfinished).replace(path)  # atomic: another process sees the whole file or none
    except subprocess.CalledProcessError as error:
        raise RuntimeError(f"{compiler} failed: {error.stderr.strip()}") from error
    finally:
        Path(unfinished).unlink(missing_ok=True)
    return path


def _file(target: Target) -> str:
    digest = hashlib.sha256(" ".join(target.flags).encode())
    for source in sorted(SOURCES.iterdir()):
        digest.update(f"\0{source.name}\0".encode() + source.read_bytes())
    return f"{target.name}-{digest.hexdigest()[:12]}.so"


def main() -> int:
    """Compile the kernel for every target; log a failure and return 0, since PyTorch scores then."""
    logging.basicConfig(level="INFO", format="%(message)s", stream=sys.stdout)
    for target in TARGETS:
        try:
            compile_kernel(target)
        except RuntimeError as error:
            logger.info("The scoring kernel for %s was not compiled: %s.", target.name, error)
    if find() is None:
        logger.info("No compiled kernel runs on this processor. PyTorch scores instead, several times slower.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
