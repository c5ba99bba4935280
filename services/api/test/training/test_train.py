"""Training from start to model folder, with an encoder of 2 layers."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from src.config import ROOT
from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer
from src.training.accuracy import labels_of
from src.training.calibrate import calibrate
from src.training.data import Example
from src.training.recipe import SHARES, STAGES, Recipe
from src.training.train import Trainer, train_stage
from src.training.tying import GROUPS

pytestmark = pytest.mark.training

LONG = Recipe(epochs=12, batch_size=16, max_tokens=32)
"""192 steps, in the midst of which a run is killed."""
TRAIN_UNTIL_KILLED = """
import sys
from pathlib import Path
from test.training.test_train import LONG
from src.training import data, train
train.torch.set_num_threads(1)
train.Trainer(LONG, data.load_training(LONG.sources), sys.argv[1], Path(sys.argv[2])).fit(save_seconds=0)
"""
TEXTS = ["a lighthouse romance that glows", "a soggy thriller that mistakes rain for atmosphere", "dull", ""]


@pytest.fixture
def model(trainer: Callable[..., Trainer], tmp_path: Path) -> Path:
    """Return the folder of a trained model."""
    run = trainer()
    run.fit()
    run.export(tmp_path / "model")
    return tmp_path / "model"


def assert_same_weights(one: Trainer, other: Trainer) -> None:
    expected = other.model.state_dict()
    assert all(torch.equal(weight, expected[name]) for name, weight in one.model.state_dict().items())


def steps_of(trainer: Trainer) -> list[float]:
    return [row["step"] for row in trainer.run.curve()]


def test_the_loss_falls(trainer: Callable[..., Trainer], recipe: Recipe) -> None:
    run = trainer(of=replace(recipe, epochs=8))
    run.fit()
    curve = run.run.curve()
    assert curve[-1]["step"] == len(run.batches) == 128
    assert curve[-1]["loss"] < 0.7 * curve[0]["loss"]
    assert all(row["tokens"] > 0 and row["seconds"] > 0 for row in curve)


def test_the_same_seed_gives_the_same_weights(trainer: Callable[..., Trainer], recipe: Recipe) -> None:
    def train(folder: str, of: Recipe = recipe) -> Trainer:
        run = trainer(folder, of)
        run.fit()
        return run

    first, second = train("first"), train("second")
    assert_same_weights(first, second)
    with pytest.raises(AssertionError):
        assert_same_weights(first, train("third", replace(recipe, seed=8)))


def test_a_run_in_two_parts_ends_as_one_in_one_part(trainer: Callable[..., Trainer]) -> None:
    trainer("parts").fit(until=13)
    resumed = trainer("parts")
    assert resumed.step == 13
    resumed.fit()
    whole = trainer("whole")
    whole.fit()
    assert_same_weights(resumed, whole)


def test_a_killed_run_goes_on_and_ends_as_an_uninterrupted_one(
    trainer: Callable[..., Trainer], tiny_bert: str, tmp_path: Path
) -> None:
    folder = tmp_path / "killed"
    command = [sys.executable, "-c", TRAIN_UNTIL_KILLED, tiny_bert, str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        while not (folder / "log.csv").exists() and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, process.stderr and process.stderr.read()

    resumed = trainer("killed", LONG)
    assert 20 < resumed.step < len(resumed.batches)
    resumed.fit()
    whole = trainer("whole", LONG)
    whole.fit()
    assert_same_weights(resumed, whole)
    assert steps_of(resumed) == steps_of(whole) == [*range(25, 192, 25), 192]


def test_a_finished_run_is_taken_up_and_trains_no_further(trainer: Callable[..., Trainer]) -> None:
    first = trainer()
    first.fit()
    again = trainer()
    again.fit()
    assert_same_weights(first, again)
    assert again.run.curve() == first.run.curve()


def test_another_recipe_in_the_same_folder_is_refused(trainer: Callable[..., Trainer], recipe: Recipe) -> None:
    trainer()
    with pytest.raises(ValueError, match="is of another recipe, data or encoder"):
        trainer(of=replace(recipe, learning_rate=1e-3))


def test_the_exported_folder_loads_here_and_in_transformers_alike(model: Path) -> None:
    analyzer = SentimentAnalyzer.load(str(model), quantized=False)
    tokenizer = AutoTokenizer.from_pretrained(model)
    inputs = tokenizer(TEXTS, padding=True, return_tensors="pt")
    assert set(inputs) == {"input_ids", "attention_mask"}
    peer = AutoModelForSequenceClassification.from_pretrained(model, dtype=torch.float32)
    with torch.inference_mode():
        logits = peer(**inputs).logits
    margins = (logits[:, 1] - logits[:, 0]).tolist()
    assert [reading.margin for reading in analyzer.read(TEXTS)] == pytest.approx(margins, abs=1e-5)


def test_the_exported_folder_holds_float16_weights_and_named_labels(model: Path) -> None:
    assert {tensor.dtype for tensor in load_file(model / "model.safetensors").values()} == {torch.float16}
    config = json.loads((model / "config.json").read_text())
    assert config["id2label"] == {"0": "NEGATIVE", "1": "POSITIVE"}
    assert config["label2id"] == {"NEGATIVE": 0, "POSITIVE": 1}
    assert config["architectures"] == ["DistilBertForSequenceClassification"]


def test_an_export_leaves_the_trainer_and_its_precision_alone(trainer: Callable[..., Trainer], tmp_path: Path) -> None:
    run = trainer()
    run.export(tmp_path / "model")
    assert {parameter.dtype for parameter in run.model.parameters()} == {torch.float32}


def test_a_stage_starts_from_the_model_that_the_one_before_ended_with(
    tiny_bert: str, recipe: Recipe, tmp_path: Path, data_dir: Path
) -> None:
    first = train_stage(recipe, tiny_bert, tmp_path / "first")
    unchanged = replace(recipe, epochs=1, learning_rate=0.0)
    second = train_stage(unchanged, first, tmp_path / "second")
    before, after = (load_file(Path(folder) / "model.safetensors") for folder in (first, second))
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())


def test_a_finished_stage_is_not_trained_again(tiny_bert: str, recipe: Recipe, tmp_path: Path, data_dir: Path) -> None:
    folder = train_stage(recipe, tiny_bert, tmp_path / "run")
    (tmp_path / "run/state.pt").unlink()
    assert train_stage(recipe, "nowhere", tmp_path / "run") == folder
    with pytest.raises(ValueError, match="is of another recipe"):
        train_stage(replace(recipe, seed=9), "nowhere", tmp_path / "run")


def test_soft_targets_and_swaps_are_trained_on(trainer: Callable[..., Trainer], recipe: Recipe) -> None:
    run = trainer(of=replace(recipe, label_smoothing=0.1, swaps=True, batch_tokens=256, ends_by_row=True))
    run.fit()
    assert run.run.curve()[-1]["loss"] > 0.2, "the least loss that smoothing allows is the entropy of 0.95"


def test_calibration_is_written_beside_the_weights_and_lowers_the_loss(model: Path, examples: list[Example]) -> None:
    readings = _analyze(model).read([example.text for example in examples])
    margins = np.array([reading.margin for reading in readings])
    signed = np.where(labels_of(examples) == 1, margins, -margins)
    temperature = calibrate(model, examples)
    assert json.loads((model / "calibration.json").read_text())["temperature"] == asdict(temperature)
    of_each = np.array([temperature.at(reading.tokens) for reading in readings])
    assert np.logaddexp(0, -signed / of_each).mean() <= np.logaddexp(0, -signed).mean()
    analyzer = _analyze(model)
    assert analyzer.calibrated
    assert analyzer.analyze(["dull"])[0].sentiment_score == pytest.approx(
        np.tanh(analyzer.read(["dull"])[0].margin / (2 * temperature.short))
    )


def test_calibrating_again_gives_the_same_temperature(model: Path, examples: list[Example]) -> None:
    assert calibrate(model, examples) == calibrate(model, examples)


def _analyze(model: Path) -> SentimentAnalyzer:
    return SentimentAnalyzer.load(str(model))


def test_train_and_evaluate_run_as_commands(tiny_bert: str, data_dir: Path, tmp_path: Path) -> None:
    def run(module: str, *arguments: str) -> str:
        command = [sys.executable, "-m", f"src.training.{module}", *arguments]
        environment = {**os.environ, "DATA_DIR": str(data_dir)}
        return subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout

    model = tmp_path / "out" / "model"
    folders = ("--run", str(tmp_path / "runs" / "tiny"), "--out", str(model))
    said = run("train", "--encoder", tiny_bert, *folders)
    assert "held out" in said
    assert "Temperature(" in said
    table = run("evaluate", "--model", str(model))
    metrics = json.loads((model / "metrics.json").read_text())
    assert list(metrics["sets"]) == ["sst2_dev", "imdb_test"]
    assert metrics["model_version"] == _analyze(model).version
    stages = {name: load_file(tmp_path / f"runs/tiny/{name}/model/model.safetensors") for name in STAGES}
    for name, tensor in load_file(model / "model.safetensors").items():
        mean = torch.stack([SHARES[stage] * weights[name].float() for stage, weights in stages.items()]).sum(dim=0)
        apart = int((tensor != mean.half()).any(dim=-1).sum())
        tied = len(sum(GROUPS, ())) if name == "distilbert.embeddings.word_embeddings.weight" else 0
        assert apart <= tied
    for name, row in metrics["sets"].items():
        assert f"| {name} | 30 | {row['int8']['accuracy']:.4f} |" in table
        assert row["int8"]["interval"][0] < row["int8"]["accuracy"] < row["int8"]["interval"][1]
        assert 0 <= row["flips"] <= 1
