"""The notebook: run on the small sample, in the checkout and from an empty folder; and as it is committed."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from src.config import ROOT

pytestmark = pytest.mark.notebook

CHECKOUT = ROOT.parent.parent
NOTEBOOK = CHECKOUT / "notebooks" / "classifier_code_challenge.ipynb"
PLOTS = ["loss-curve", "confusion-matrix", "reliability", "batch-sizes", "quantization-bars"]
Outputs = dict[str, list[nbformat.NotebookNode]]


@pytest.fixture(autouse=True)
def sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTEBOOK_SAMPLE", "1")
    monkeypatch.delenv("REPOSITORY", raising=False)
    monkeypatch.delenv("DATA_DIR", raising=False)


@pytest.fixture(scope="module")
def clone_address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a repository with one commit: the working tree, less what git ignores."""
    folder = tmp_path_factory.mktemp("origin")

    def git(*arguments: str, cwd: Path = folder) -> str:
        identity = ["-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"]
        command = ["git", *identity, *arguments]
        return subprocess.run(command, cwd=cwd, check=True, stdout=subprocess.PIPE, text=True).stdout

    if not shutil.which("git") or not (CHECKOUT / ".git").exists():
        pytest.skip("the working tree is copied with git, and this is no git checkout")
    for name in git("ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=CHECKOUT).split("\0"):
        if (CHECKOUT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / name, folder / name)
    git("init", "--quiet")
    git("add", "--all", "--force")
    git("commit", "--quiet", "--message", "The working tree")
    return str(folder)


def execute(folder: Path, *probes: str) -> Outputs:
    """Run the notebook in `folder`, with code cells `probes` at its end; return each code cell's outputs.

    :raises CellExecutionError: a cell raised.
    """
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    notebook.cells += [nbformat.v4.new_code_cell(probe, id=f"probe-{index}") for index, probe in enumerate(probes)]
    NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()
    return outputs_of(notebook)


def outputs_of(notebook: nbformat.NotebookNode) -> Outputs:
    return {cell.id: cell.outputs for cell in notebook.cells if cell.cell_type == "code"}


def text_of(outputs: list[nbformat.NotebookNode]) -> str:
    """Return all text among the outputs of a cell; a table counts as HTML and as plain text."""
    parts: list[str] = []
    for output in outputs:
        parts += [output.get("text", ""), *output.get("traceback", [])]
        parts += [content for kind, content in output.get("data", {}).items() if kind.startswith("text/")]
    return "\n".join(parts)


def has_plot(outputs: list[nbformat.NotebookNode]) -> bool:
    return any("image/png" in output.get("data", {}) for output in outputs)


def test_it_runs_on_the_sample_and_leaves_the_shipped_model_alone() -> None:
    model = {path: path.stat().st_mtime_ns for path in (ROOT / "model").glob("*")}
    outputs = execute(NOTEBOOK.parent)
    assert "the figures below mean nothing" in text_of(outputs["setup"])
    assert "student: to be trained" in text_of(outputs["fit"])
    assert "calibrated: True" in text_of(outputs["load-model"])
    assert all(has_plot(outputs[name]) for name in PLOTS)
    assert {path: path.stat().st_mtime_ns for path in (ROOT / "model").glob("*")} == model


def test_from_an_empty_folder_it_clones_the_repository_and_runs(
    clone_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPOSITORY", clone_address)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    outputs = execute(tmp_path, "import src; print(src.__file__)")
    clone = tmp_path / "sentiment-service" / "services" / "api"
    assert text_of(outputs["probe-0"]).strip() == str(clone / "src" / "__init__.py")
    assert all(has_plot(outputs[name]) for name in PLOTS)


def test_outside_a_checkout_it_asks_for_the_address_to_clone(tmp_path: Path) -> None:
    setup = next(cell.source for cell in nbformat.read(NOTEBOOK, as_version=4).cells if cell.id == "setup")
    found = subprocess.run([sys.executable, "-c", setup], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert found.returncode != 0
    assert "Set REPOSITORY in this cell to the address to clone" in found.stderr


def test_what_is_missing_is_installed(clone_address: str, tmp_path: Path) -> None:
    """With a Python that has nothing, and a pip that only notes what it is asked for."""
    (tmp_path / "pip").mkdir()
    (tmp_path / "pip" / "__init__.py").touch()  # without it, an installed pip would come first
    (tmp_path / "pip" / "__main__.py").write_text("import sys; print(sys.argv[1:], flush=True)")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    setup = next(cell.source for cell in notebook.cells if cell.id == "setup")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").symlink_to(str(shutil.which("git")))  # and no nvidia-smi
    environment = {"PATH": str(tmp_path / "bin"), "PYTHONPATH": str(tmp_path), "REPOSITORY": clone_address}
    environment |= {"PIP_NO_INDEX": "1", "PIP_TARGET": str(tmp_path / "installed")}  # should a real pip run after all
    bare = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
    command = [bare, "-S", "-c", setup]  # -S: no site-packages
    said = subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True).stdout
    no_compiler = ("The scoring kernel", "No compiled kernel")
    lines = [line for line in said.splitlines() if not line.startswith(no_compiler)]
    assert lines == [
        "['install', '--quiet', '--no-deps', '-r', 'requirements-torch.txt']",
        "['install', '--quiet', '-r', 'requirements-dev.txt']",
        "On the whole data.",
    ]


def test_it_is_committed_with_the_outputs_of_a_full_run() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = outputs_of(notebook)
    assert text_of(outputs["setup"]).strip() == "On the whole data."
    assert all(has_plot(outputs[name]) for name in PLOTS)
    assert not [output for cell in cells for output in cell.outputs if output.output_type == "error"]


def test_its_outputs_name_no_path_of_the_machine_it_ran_on() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    absolute = re.compile(r"""(?:^|[\s'"(=>])/\w+/\w""", re.MULTILINE)
    assert absolute.search("see /usr/lib/x")
    assert not absolute.search(json.dumps(notebook.metadata))
    assert [name for name, found in outputs_of(notebook).items() if absolute.search(text_of(found))] == []
