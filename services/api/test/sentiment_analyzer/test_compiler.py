"""The kernel is compiled once, for each state of its sources, and found only where it can run."""

import platform
import shutil
from pathlib import Path

import pytest

from src.sentiment_analyzer import compiler

pytestmark = pytest.mark.skipif(
    platform.machine() != "x86_64" or not any(map(shutil.which, ("c++", "g++", "clang++"))),
    reason="needs a C++ compiler on x86_64",
)


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kernel of one function, which compiles in no time."""
    folder = tmp_path / "kernel"
    folder.mkdir()
    (folder / "model.cpp").write_text('extern "C" int answer() { return 42; }')
    monkeypatch.setattr(compiler, "SOURCES", folder)
    return folder


def test_a_kernel_is_compiled_once_and_again_when_its_sources_change(sources: Path, tmp_path: Path) -> None:
    cache = tmp_path / "build"
    first = compiler.compile_kernel(cache)
    written = first.stat().st_mtime_ns
    assert compiler.compile_kernel(cache) == first
    assert first.stat().st_mtime_ns == written
    (sources / "model.cpp").write_text('extern "C" int answer() { return 43; }')
    assert compiler.compile_kernel(cache) != first
    assert len(list(cache.iterdir())) == 2


def test_a_kernel_is_found_only_by_processors_that_can_run_it(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "build"
    monkeypatch.setattr(compiler, "supported", lambda: True)
    assert compiler.find(cache) is None
    path = compiler.compile_kernel(cache)
    assert compiler.find(cache) == path
    monkeypatch.setattr(compiler, "supported", lambda: False)
    assert compiler.find(cache) is None


def test_sources_that_do_not_compile_leave_nothing_behind(sources: Path, tmp_path: Path) -> None:
    (sources / "model.cpp").write_text("int answer(")
    with pytest.raises(RuntimeError, match="failed"):
        compiler.compile_kernel(tmp_path / "build")
    assert list((tmp_path / "build").iterdir()) == []


def test_without_a_compiler_the_message_says_which_were_sought(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match=r"none of c\+\+, g\+\+, clang\+\+ is installed"):
        compiler.compile_kernel(tmp_path / "build")
    monkeypatch.setattr(compiler, "compile_kernel", compiler_missing)
    with caplog.at_level("INFO"):
        assert compiler.main() == 0
    assert "PyTorch scores instead" in caplog.text


def compiler_missing() -> None:
    raise RuntimeError("no compiler")


def test_a_machine_without_cpuinfo_is_not_supported(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_path: Path) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", missing)
    assert not compiler.supported()
