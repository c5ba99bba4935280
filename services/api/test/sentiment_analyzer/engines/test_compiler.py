"""The kernel is compiled once for each state of its sources, and found only if the processor can run it."""

import platform
import shutil
from pathlib import Path

import pytest

from src.sentiment_analyzer.engines import compiler
from src.sentiment_analyzer.engines.compiler import Target

pytestmark = pytest.mark.skipif(
    not any(map(shutil.which, ("c++", "g++", "clang++"))),
    reason="needs a C++ compiler",
)


MACHINE = {"arm64": "aarch64"}.get(platform.machine(), platform.machine())
BUILT_FOR = Target("any", MACHINE, (), ())
FAST, SLOW = Target("fast", MACHINE, (), ("-O2",)), Target("slow", MACHINE, (), ("-O1",))


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
    ("machine", "line", "names"),
    [
        (
            "x86_64",
            "flags\t\t: fpu avx2 fma f16c avx512f avx512bw avx512dq avx512vl avx512_vnni",
            ["avx512vnni", "avx2"],
        ),
        (
            "x86_64",
            "flags\t\t: fpu avx2 fma f16c avx512f avx512bw avx512dq avx512vl avx512_vnni amx_tile amx_int8",
            ["amx", "avx512vnni", "avx2"],
        ),
        ("x86_64", "flags\t\t: fpu avx2 fma f16c avx512f", ["avx2"]),
        ("x86_64", "flags\t\t: fpu avx f16c", []),
        ("aarch64", "Features\t: fp asimd asimdhp asimddp i8mm", ["neon_i8mm", "neon_dotprod"]),
        ("aarch64", "Features\t: fp asimd asimdhp asimddp", ["neon_dotprod"]),
        ("aarch64", "Features\t: fp asimd", []),
        ("riscv64", "isa\t: rv64imafdc", []),
    ],
)
def test_the_supported_targets_follow_from_the_processors_features(
    monkeypatch: pytest.MonkeyPatch, machine: str, line: str, names: list[str]
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(Path, "read_text", lambda _path: f"processor : 0\n{line}\nbugs : none\n")
    monkeypatch.setattr(compiler, "_tiles_permitted", lambda: True)
    assert [target.name for target in compiler.supported()] == names


def test_amx_is_not_used_where_the_system_does_not_permit_it(monkeypatch: pytest.MonkeyPatch) -> None:
    features = {feature for target in compiler.TARGETS for feature in target.features}
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(compiler, "_features", lambda: features)
    monkeypatch.setattr(compiler, "_tiles_permitted", lambda: False)
    assert [target.name for target in compiler.supported()] == ["avx512vnni", "avx2"]


@pytest.mark.parametrize(
    ("machine", "features", "names"),
    [
        ("arm64", {"hw.optional.arm.FEAT_DotProd": "1", "hw.optional.arm.FEAT_I8MM": "0"}, ["neon_dotprod"]),
        (
            "arm64",
            {"hw.optional.arm.FEAT_DotProd": "1", "hw.optional.arm.FEAT_I8MM": "1"},
            ["neon_i8mm", "neon_dotprod"],
        ),
        ("x86_64", {}, []),
    ],
)
def test_on_macos_the_system_tells_the_features_of_an_arm_processor(
    monkeypatch: pytest.MonkeyPatch, machine: str, features: dict[str, str], names: list[str]
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(compiler, "_sysctl", lambda name: features.get(name, ""))
    assert [target.name for target in compiler.supported()] == names


@pytest.mark.parametrize(
    ("machine", "names"),
    [
        ("x86_64", ["amx", "avx512vnni", "avx2"]),
        ("aarch64", ["neon_i8mm", "neon_dotprod"]),
        ("arm64", ["neon_i8mm", "neon_dotprod"]),
        ("riscv64", []),
    ],
)
def test_an_image_has_the_kernels_of_its_architecture_whatever_processor_builds_it(
    monkeypatch: pytest.MonkeyPatch, machine: str, names: list[str]
) -> None:
    compiled: list[str] = []
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(compiler, "compile_kernel", lambda target: compiled.append(target.name))
    assert compiler.main() == 0
    assert compiled == names


def test_a_kernel_of_another_architecture_is_not_compiled(sources: Path, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=f"it is for another, and this is {MACHINE}"):
        compiler.compile_kernel(Target("any", "another", (), ()), tmp_path / "build")


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
    monkeypatch.setattr(compiler, "targets", lambda: [BUILT_FOR])
    with caplog.at_level("INFO"):
        assert compiler.main() == 0
    assert "was not compiled: no compiler" in caplog.text


def compiler_missing(_target: Target) -> None:
    raise RuntimeError("no compiler")


def test_a_machine_without_cpuinfo_supports_no_target(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_path: Path) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(Path, "read_text", missing)
    assert not compiler.supported()
