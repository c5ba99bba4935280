"""The compiler of the scoring kernel.

    python -m src.sentiment_analyzer.engines.compiler

It runs when the service is installed or its image is built, never when the service starts. It compiles the kernel for
every target of this machine's architecture, so that an image is fast on each of its processors. Without a C++ compiler,
or on a processor that no kernel supports, PyTorch scores instead.
"""

import ctypes
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
    "-ffp-contract=off",  # fused where the source says so and nowhere else: all targets compute the same bits
    "-Wno-uninitialized", "-Wno-maybe-uninitialized",  # GCC's own intrinsics raise these
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Target:
    """A family of processors for which the kernel is compiled."""

    name: str
    machine: str
    """The architecture, as `platform.machine()` names it on Linux."""
    features: tuple[str, ...]
    """The features that a processor must have, as /proc/cpuinfo names them."""
    options: tuple[str, ...]
    """The compiler's flags for these features."""

    @property
    def flags(self) -> list[str]:
        """Return the compiler's flags."""
        return [*_FLAGS, *self.options]


_OPTIONS = {"avx512_vnni": "avx512vnni", "amx_tile": "amx-tile", "amx_int8": "amx-int8"}
"""The compiler's names of features, where they differ from the system's."""
_AVX512 = ("avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_vnni", "fma", "f16c")


def _x86(name: str, tune: str, *features: str) -> Target:
    """Return a target of x86-64; `tune` is the processor whose instruction timings the compiler assumes."""
    options = (f"-mtune={tune}", *(f"-m{_OPTIONS.get(feature, feature)}" for feature in features))
    return Target(name, "x86_64", features, options)


TARGETS = (
    _x86("amx", "sapphirerapids", *_AVX512, "amx_tile", "amx_int8"),
    _x86("avx512vnni", "icelake-server", *_AVX512),
    _x86("avx2", "haswell", "avx2", "fma", "f16c"),
    Target("neon_i8mm", "aarch64", ("asimddp", "i8mm"), ("-march=armv8.2-a+dotprod+i8mm",)),
    Target("neon_dotprod", "aarch64", ("asimddp",), ("-march=armv8.2-a+dotprod",)),
)
"""The targets. Those of an architecture are in the order of preference."""
_COMPILERS = ("c++", "g++", "clang++")


def find(cache: Path = CACHE) -> Path | None:
    """Return the preferred kernel compiled from the current sources that this processor can run, or None."""
    paths = (cache / _file(target) for target in supported())
    return next((path for path in paths if path.exists()), None)


def supported() -> list[Target]:
    """Return the targets that this processor can run, the preferred one first."""
    features = _features()
    if "amx_tile" in features and not _tiles_permitted():
        features.remove("amx_tile")
    return [target for target in targets() if set(target.features) <= features]


def targets() -> list[Target]:
    """Return the targets of this machine's architecture, whether its processor can run them or not."""
    return [target for target in TARGETS if target.machine == _machine()]


def _machine() -> str:
    return {"arm64": "aarch64"}.get(platform.machine(), platform.machine())  # arm64 on macOS


def _features() -> set[str]:
    """Return the features of the processor, as Linux names them."""
    if platform.system() == "Darwin":
        names = {"asimddp": "hw.optional.arm.FEAT_DotProd", "i8mm": "hw.optional.arm.FEAT_I8MM"}
        return {feature for feature, name in names.items() if _sysctl(name) == "1"}
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return set()
    pairs = (line.partition(":") for line in lines)
    return next((set(value.split()) for name, _, value in pairs if name.strip() in {"flags", "Features"}), set())


def _tiles_permitted() -> bool:
    """Ask Linux for the tile registers of AMX, which a process may use once it has asked; return whether it may.

    https://docs.kernel.org/arch/x86/xstate.html
    """
    arch_prctl, request_permission, tile_data = 158, 0x1023, 18
    return bool(ctypes.CDLL(None).syscall(arch_prctl, request_permission, tile_data) == 0)


def _sysctl(name: str) -> str:
    found = subprocess.run(["/usr/sbin/sysctl", "-n", name], capture_output=True, text=True, check=False)
    return found.stdout.strip()  # nothing for a name that an older processor or system does not have


def compile_kernel(target: Target, cache: Path = CACHE) -> Path:
    """Compile the kernel unless it is compiled already; return its path. This processor need not be able to run it.

    :raises RuntimeError: there is no compiler, or it fails.
    """
    path = cache / _file(target)
    if path.exists():
        return path
    if target.machine != _machine():
        raise RuntimeError(f"it is for {target.machine}, and this is {_machine()}")
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
    """Compile the kernel for this machine's targets; log a failure and return 0, since PyTorch scores then."""
    logging.basicConfig(level="INFO", format="%(message)s", stream=sys.stdout)
    for target in targets():
        try:
            compile_kernel(target)
        except RuntimeError as error:
            logger.info("The scoring kernel for %s was not compiled: %s.", target.name, error)
    if find() is None:
        logger.info("No compiled kernel runs on this processor. PyTorch scores instead, several times slower.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
