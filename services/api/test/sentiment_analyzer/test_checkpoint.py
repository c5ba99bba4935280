"""Opening a checkpoint: a fault raises an error that names the file at fault."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BertTokenizerFast

from src.sentiment_analyzer import ModelError, checkpoint
from src.sentiment_analyzer.checkpoint import open_checkpoint

Save = Callable[..., Path]


def edit_config(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize(
    ("given", "labels"),
    [
        ({0: "NEGATIVE", 1: "POSITIVE"}, ("negative", "positive")),
        ({0: "pos", 1: "neg"}, ("positive", "negative")),
        ({0: "negative", 1: "neutral", 2: "positive"}, ("negative", "neutral", "positive")),
        ({0: "Pos", 1: "Neg", 2: "Neu"}, ("positive", "negative", "neutral")),
    ],
)
def test_the_labels_of_the_config_say_what_each_logit_is_of(
    save_checkpoint: Save, given: dict[int, str], labels: tuple[str, ...]
) -> None:
    assert open_checkpoint(str(save_checkpoint(id2label=given))).labels == labels


@pytest.mark.parametrize(
    "labels",
    [
        {0: "LABEL_0", 1: "LABEL_1"},
        {0: "LABEL_0", 1: "LABEL_1", 2: "LABEL_2"},
        {0: "positive", 1: "pos"},
        {0: "positive", 1: "neutral"},
        {0: "negative", 1: "neutral", 2: "positive", 3: "mixed"},
        {0: "negative", 2: "positive"},
        {0: "1 star"},
        {"first": "negative", "second": "positive"},
        ["negative", "positive"],
        {},
        None,
    ],
)
def test_ambiguous_labels_are_refused(save_checkpoint: Save, labels: object) -> None:
    folder = save_checkpoint()
    edit_config(folder, id2label=labels)
    with pytest.raises(ModelError, match="id2label"):
        open_checkpoint(str(folder))


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_missing_file_raises_an_error_that_names_it(save_checkpoint: Save, name: str) -> None:
    folder = save_checkpoint()
    (folder / name).unlink()
    (folder / "tokenizer_config.json").unlink(missing_ok=True)
    with pytest.raises(ModelError, match=name.split(".", maxsplit=1)[0]):
        open_checkpoint(str(folder))


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_truncated_file_raises_an_error_that_names_it(save_checkpoint: Save, name: str) -> None:
    path = save_checkpoint() / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ModelError, match=name.split(".", maxsplit=1)[0]):
        open_checkpoint(str(path.parent))


def test_weights_of_another_shape_than_the_config_describes_are_refused(save_checkpoint: Save) -> None:
    folder = save_checkpoint()
    edit_config(folder, dim=64)
    with pytest.raises(ModelError, match=r"but config\.json requires"):
        open_checkpoint(str(folder))


def test_weights_of_another_number_of_labels_than_the_config_names_are_refused(save_checkpoint: Save) -> None:
    folder = save_checkpoint()
    edit_config(folder, id2label={0: "negative", 1: "neutral", 2: "positive"})
    with pytest.raises(
        ModelError, match=r"classifier.weight has the shape \(2, 32\), but config\.json requires \(3, 32\)"
    ):
        open_checkpoint(str(folder))


def test_a_model_without_a_classifier_is_refused(save_checkpoint: Save) -> None:
    folder = save_checkpoint()
    weights = load_file(folder / "model.safetensors")
    del weights["classifier.weight"]
    save_file(weights, folder / "model.safetensors")
    with pytest.raises(ModelError, match=r"lacks classifier.weight"):
        open_checkpoint(str(folder))


def test_weights_that_are_not_finite_are_refused(save_checkpoint: Save) -> None:
    folder = save_checkpoint()
    weights = load_file(folder / "model.safetensors")
    weights["classifier.bias"] = torch.tensor([float("nan"), 0])
    save_file(weights, folder / "model.safetensors")
    with pytest.raises(ModelError, match="not finite"):
        open_checkpoint(str(folder))


@pytest.mark.parametrize("changes", [{"model_type": "bert"}, {"activation": "relu"}])
def test_a_model_of_another_kind_is_refused(save_checkpoint: Save, changes: dict[str, str]) -> None:
    folder = save_checkpoint()
    edit_config(folder, **changes)
    with pytest.raises(ModelError, match=r"config.json"):
        open_checkpoint(str(folder))


def test_a_tokenizer_with_fewer_tokens_than_the_model_is_refused(save_checkpoint: Save) -> None:
    """Up to 127 more embeddings are padding."""
    folder = save_checkpoint(vocab_size=30_522 + 127)
    assert open_checkpoint(str(folder)).config["vocab_size"] == 30_649
    with pytest.raises(ModelError, match="the tokenizer has only 30522 tokens, the model 30650"):
        open_checkpoint(str(save_checkpoint(vocab_size=30_522 + 128)))


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json"])
def test_a_checkpoint_that_names_code_of_its_own_is_refused(save_checkpoint: Save, name: str) -> None:
    path = save_checkpoint() / name
    path.write_text(json.dumps(json.loads(path.read_text()) | {"auto_map": {"AutoModel": "code.Model"}}))
    with pytest.raises(ModelError, match="auto_map"):
        open_checkpoint(str(path.parent))


def test_a_pickle_is_not_read(save_checkpoint: Save) -> None:
    folder = save_checkpoint()
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match="a pickle, which can run code"):
        open_checkpoint(str(folder))


def test_a_path_that_is_not_a_folder_is_refused_without_the_network(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such folder"):
        open_checkpoint(str(tmp_path / "nowhere"))


def test_a_failed_download_raises_an_error_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match="check the network"):
        open_checkpoint("nobody/no-such-model@main")


def test_a_tokenizer_that_has_only_a_vocabulary_file_gives_the_same_tokens(
    save_checkpoint: Save, tokenizer: BertTokenizerFast
) -> None:
    """The hub's distilbert-base-uncased-finetuned-sst-2-english is such a checkpoint."""
    folder = save_checkpoint()
    text = "Naïve? It isn't; an unputdownable film."
    expected = open_checkpoint(str(folder)).tokenizer.encode(text).ids
    (folder / "tokenizer.json").unlink()
    vocabulary = tokenizer.get_vocab()
    (folder / "vocab.txt").write_text("\n".join(sorted(vocabulary, key=lambda piece: vocabulary[piece])) + "\n")
    (folder / "tokenizer_config.json").write_text('{"do_lower_case": true, "model_max_length": 512}')
    assert open_checkpoint(str(folder)).tokenizer.encode(text).ids == expected


def test_the_version_names_the_folder_and_changes_with_every_file_that_determines_a_score(
    save_checkpoint: Save,
) -> None:
    folder = save_checkpoint()
    version = open_checkpoint(str(folder)).version
    assert version.startswith("checkpoint@")
    assert len(version) == len("checkpoint@") + 12
    assert open_checkpoint(str(folder)).version == version
    (folder / "metrics.json").write_text("{}")
    assert open_checkpoint(str(folder)).version == version
    (folder / "calibration.json").write_text('{"temperature": 2}')
    assert open_checkpoint(str(folder)).version != version


def test_the_version_changes_with_the_library_that_names_emoji(
    save_checkpoint: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = save_checkpoint()
    version = open_checkpoint(str(folder)).version
    monkeypatch.setattr(checkpoint, "version", lambda _package: "2.0.0")
    assert open_checkpoint(str(folder)).version != version
