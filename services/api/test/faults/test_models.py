"""Models that are damaged or hostile: the start stops with advice, and nothing of them is executed."""

import json
import os
import pickle
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from safetensors.numpy import load_file, save_file

from src.config import ROOT
from test.service import Service, prepared, serving, wait_until

pytestmark = pytest.mark.faults


class Bomb:
    """Something that leaves a file when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.trace,))


def edit(folder: Path, name: str, **changes: object) -> None:
    path = folder / name
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def cut(folder: Path) -> None:
    path = folder / "model.safetensors"
    os.truncate(path, path.stat().st_size // 2)


def spoil(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    weights["distilbert.transformer.layer.2.ffn.lin1.weight"][7, 7] = np.nan
    save_file(weights, folder / "model.safetensors")


def forget_words(folder: Path) -> None:
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    vocabulary = tokenizer["model"]["vocab"]
    tokenizer["model"]["vocab"] = {token: number for token, number in vocabulary.items() if number < 20_000}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb(folder / "executed")))


def disguise(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(pickle.dumps(Bomb(folder / "executed")))


def name_code(folder: Path) -> None:
    (folder / "code.py").write_text(f"import pathlib\npathlib.Path({str(folder / 'executed')!r}).touch()\n")
    edit(folder, "config.json", auto_map={"AutoModelForSequenceClassification": "code.Model"})


def name_tokenizer_code(folder: Path) -> None:
    (folder / "code.py").write_text(f"import pathlib\npathlib.Path({str(folder / 'executed')!r}).touch()\n")
    edit(folder, "tokenizer_config.json", auto_map={"AutoTokenizer": ["code.Slow", "code.Fast"]})


def swap(folder: Path) -> None:
    edit(folder, "config.json", id2label={"0": "positive", "1": "neutral", "2": "negative"})


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A copy of the model that ships."""
    folder = tmp_path / "model"
    shutil.copytree(ROOT / "model", folder)
    assert json.loads((folder / "config.json").read_text())["id2label"]["0"] == "negative"
    return folder


@pytest.fixture(scope="module")
def stopped(migrated_instance: Path) -> Iterator[Service]:
    """A service that is not started yet."""
    with prepared(migrated_instance) as service:
        yield service


@pytest.mark.parametrize(
    ("damage", "advice"),
    [
        (lambda folder: (folder / "model.safetensors").unlink(), "model.safetensors is missing: train a model"),
        (lambda folder: (folder / "config.json").unlink(), "config.json is missing: set MODEL_PATH"),
        (cut, "model.safetensors is damaged or cut short.*Restore it"),
        (lambda folder: edit(folder, "config.json", model_type="bert"), "Only DistilBERT models are supported"),
        (swap, "id2label in its config.json seems to be swapped: write the labels in the order"),
        (spoil, "values that are not finite. Train the model again"),
        (forget_words, "the tokenizer has only .* Restore the tokenizer"),
        (pickled, "a pickle, which can run code and is not read. If you trust it"),
        (disguise, "model.safetensors is damaged or cut short.*Restore it"),
        (name_code, r"names code of its own \(auto_map\), which is not run"),
        (name_tokenizer_code, r"names code of its own \(auto_map\), which is not run"),
    ],
    ids=[
        "no weights", "no config", "truncated", "another architecture", "swapped labels", "NaN", "few words", "pickle",
        "disguised pickle", "code of the model", "code of the tokenizer",
    ],
)  # fmt: skip
def test_a_faulty_model_stops_the_start_with_advice_and_is_not_executed(
    stopped: Service, model: Path, damage: Callable[[Path], None], advice: str
) -> None:
    damage(model)
    stopped.settings["MODEL_PATH"] = str(model)
    with pytest.raises(AssertionError, match=f"The service cannot start: .*{advice}"):
        stopped.start()
    assert stopped.process is not None
    assert stopped.process.returncode == 1
    assert not (model / "executed").exists()


def test_a_scorer_that_fails_its_canaries_after_a_restart_is_not_ready_until_it_passes_them(
    migrated_instance: Path, model: Path
) -> None:
    with serving(migrated_instance, MODEL_PATH=str(model)) as service:
        service.post("A fine film.")
        good = (model / "config.json").read_bytes()
        swap(model)
        os.kill(service.pid("scorer"), signal.SIGKILL)
        wait_until(lambda: "seems to be swapped" in service.errors.read_text(), 30)
        assert service.request("GET", "/readyz")[0] == 503
        status, problem = service.request("POST", "/sentiments/", {"sentence": "A dull film."})
        assert (status, "nothing was stored" in problem["detail"]) == (503, True)
        (model / "config.json").write_bytes(good)
        wait_until(lambda: service.request("GET", "/readyz")[0] == 200, 30)
        assert service.request("POST", "/sentiments/", {"sentence": "A dull film."})[1]["sentiment"] == "negative"


def test_preloading_the_application_stops_the_start_with_advice(migrated_instance: Path) -> None:
    with (
        prepared(migrated_instance, GUNICORN_CMD_ARGS="--preload") as service,
        pytest.raises(AssertionError, match="The service cannot start: remove --preload"),
    ):
        service.start()


def test_no_process_that_forks_has_loaded_pytorch(service: Service) -> None:
    """Only the scorer may load it, which is started and not forked."""
    service.post("A fine film.")
    for part in ("supervisor", "gunicorn", "worker"):
        loaded = [region.path for region in psutil.Process(service.pid(part)).memory_maps()]
        assert any("libpython" in path or "python" in path for path in loaded)
        assert not [path for path in loaded if "libtorch" in path]
