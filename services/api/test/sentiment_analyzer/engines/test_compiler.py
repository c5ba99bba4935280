"""The kernel is compiled once for each state of its sources, and found only if the processor can run it."""

import platform
import shutil
from pathlib import Path

import pytest

from src.sentiment_analyzer.engines import compiler
from src.sentiment_analyzer.engines.compiler import Target

pytestmark = pytest.mark.skipif(
    platform.machine() != "x86_64" or not any(map(shutil.which, ("c++", "g++", "clang++"))),
    reason="needs a C++ compiler on x86_64",
)


BUILT_FOR = Target("any", "generic", ())
FAST, SLOW = Target("fast", "generic", ("avx2",)), Target("slow", "generic", ())


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kernel of one function, which compiles fast."""
    folder = tmp_path / "kernel"
    folder.mkdir()
    (folder / "model.cpp").write_text('extern "C" int answer() { return 42; }')
    monkeypatch.setattr(compiler, "SOURCES", folder)
    return folder


def test_a_kernel_is_compiled_once_and_again_when_its_sources_change(sources: Path, tmp_path: Path) -> None:
    cache = tmp_path / "build"
    first = compiler.compile_kernel(BUILT_FOR, cache)
    written = first.stat().st_mtime_ns
    assert compiler.compile_kernel(BUILT_FOR, cache) == first
    assert first.stat().st_mtime_ns == written
    (sources / "model.cpp").write_text('extern "C" int answer() { return 43; }')
    assert compiler.compile_kernel(BUILT_FOR, cache) != first
    assert len(list(cache.iterdir())) == 2


def test_the_fastest_compiled_kernel_that_the_processor_can_run_is_found(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "build"
    monkeypatch.setattr(compiler, "supported", lambda: [FAST, SLOW])
    assert compiler.find(cache) is None
    slow = compiler.compile_kernel(SLOW, cache)
    assert compiler.find(cache) == slow
    fast = compiler.compile_kernel(FAST, cache)
    assert compiler.find(cache) == fast
    monkeypatch.setattr(compiler, "supported", lambda: [SLOW])
    assert compiler.find(cache) == slow
    monkeypatch.setattr(compiler, "supported", list)
    assert compiler.find(cache) is None


@pytest.mark.parametrize(
    ("flags", "names"),
    [
        ("fpu avx2 fma f16c avx512f avx512bw avx512dq avx512vl avx512_vnni", ["avx512vnni", "avx2"]),
        ("fpu avx2 fma f16c avx512f", ["avx2"]),
        ("fpu avx f16c", []),
    ],
)
def test_the_supported_targets_follow_from_the_processors_features(
    monkeypatch: pytest.MonkeyPatch, flags: str, names: list[str]
) -> None:
    monkeypatch.setattr(Path, "read_text", lambda _path: f"processor : 0\nflags\t\t: {flags}\nbugs : none\n")
    assert [target.name for target in compiler.supported()] == names


def test_sources_that_do_not_compile_leave_nothing_behind(sources: Path, tmp_path: Path) -> None:
    (sources / "model.cpp").write_text("int answer(")
    with pytest.raises(RuntimeError, match="failed"):
        compiler.compile_kernel(BUILT_FOR, tmp_path / "build")
    assert list((tmp_path / "build").iterdir()) == []


def test_without_a_compiler_the_error_names_those_that_were_tried(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match=r"none of c\+\+, g\+\+, clang\+\+ is installed"):
        compiler.compile_kernel(BUILT_FOR, tmp_path / "build")
    monkeypatch.setattr(compiler, "compile_kernel", compiler_missing)
    with caplog.at_level("INFO"):
        assert compiler.main() == 0
    assert "was not compiled: no compiler" in caplog.text


def compiler_missing(_target: Target) -> None:
    raise RuntimeError("no compiler")


def test_a_machine_without_cpuinfo_supports_no_target(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_path: Path) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", missing)
    assert not compiler.supported()
