"""Checkpoints: folders that `save_pretrained` writes, read without running any code from them."""

import hashlib
import json
import re
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from tokenizers import Tokenizer

from src.sentiment_analyzer import blindness
from src.sentiment_analyzer.calibration import FILE as CALIBRATION
from src.sentiment_analyzer.calibration import Calibration, read_calibration
from src.sentiment_analyzer.errors import ModelError

SCORING_REVISION = 6
"""The version of the scoring code. Increase it when the same checkpoint and lists can get another score than before."""

WEIGHTS = "model.safetensors"
CONFIG = "config.json"
_TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "vocab.txt")
_VERSIONED = (WEIGHTS, CONFIG, *_TOKENIZER_FILES, CALIBRATION)
_PICKLE = "pytorch_model.bin"
_PADDING = 128
"""Embeddings may be more than the tokens by less than this: some models round their number up."""
SPECIAL_TOKENS = ("[CLS]", "[SEP]", "[PAD]")
_HUB_ID = re.compile(r"(?P<id>[\w.-]+(?:/[\w.-]+)?)(?:@(?P<revision>[\w./-]+))?")
_ABBREVIATED = {"neg": "negative", "neu": "neutral", "pos": "positive"}
_TWO, _THREE = ["negative", "positive"], ["negative", "neutral", "positive"]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The weights and the tokenizer of a model, with the settings to use them."""

    config: dict[str, Any]
    weights: dict[str, NDArray[np.floating]]
    """By their names in DistilBertForSequenceClassification, in the dtype of the file; bfloat16 becomes float32."""
    tokenizer: Tokenizer
    """Padding and truncation are off: changing them on a shared tokenizer is not safe between threads."""
    labels: tuple[str, ...]
    """"negative" and "positive", and "neutral" if there are three, in the order of the classifier's logits."""
    calibration: Calibration | None
    """None for a model that was not calibrated."""
    version: str
    """`name@` and 12 hex digits of a hash of everything that determines a score."""


def open_checkpoint(name: str) -> Checkpoint:
    """Read a checkpoint from a folder, or by a hub id with an optional `@revision`.

    :raises ModelError: it is missing, damaged, or not a DistilBERT, or its labels are ambiguous.
    """
    folder = _locate(name)
    label = folder.resolve().name if Path(name).is_dir() else name.split("@", maxsplit=1)[0].rsplit("/", maxsplit=1)[-1]
    _refuse_code(folder)
    config = _read_config(folder)
    labels = _read_labels(folder, config)
    return Checkpoint(
        config=config,
        weights=_read_weights(folder, config, len(labels)),
        tokenizer=_read_tokenizer(folder, config),
        labels=labels,
        calibration=read_calibration(folder),
        version=f"{label}@{_fingerprint(folder)}",
    )


def _locate(name: str) -> Path:
    """Return the folder of a checkpoint; download it only if no local folder has that name."""
    if Path(name).is_dir():
        return Path(name)
    match = _HUB_ID.fullmatch(name)
    if not match:
        raise ModelError(f"MODEL_PATH={name}: there is no such folder. Name a folder that save_pretrained wrote.")
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(match["id"], revision=match["revision"], allow_patterns=list(_VERSIONED)))
    except Exception as error:  # the hub's client raises its own errors, those of requests, and OSError
        raise ModelError(
            f"MODEL_PATH={name}: there is no such folder, and the Hugging Face hub returned no model of that name "
            f"({type(error).__name__}). Name a folder that save_pretrained wrote, or check the network."
        ) from error


def _refuse_code(folder: Path) -> None:
    """Refuse a checkpoint that names Python code of its own, which is never run.

    :raises ModelError: it does.
    """
    for path in (folder / CONFIG, folder / "tokenizer_config.json"):
        if path.exists() and b'"auto_map"' in path.read_bytes():
            raise ModelError(
                f"{path} names code of its own (auto_map), which is not run. Use a DistilBERT without such code, or "
                "remove auto_map if it is one."
            )


def _read_config(folder: Path) -> dict[str, Any]:
    path = folder / CONFIG
    try:
        config = json.loads(path.read_text())
    except FileNotFoundError as error:
        raise ModelError(f"{path} is missing: set MODEL_PATH to a folder that save_pretrained wrote") from error
    except ValueError as error:
        raise ModelError(f"{path} is damaged: {error}. Restore it, with `git checkout` for the shipped one.") from error
    if not isinstance(config, dict) or config.get("model_type") != "distilbert":
        raise ModelError(f"{path} does not describe a DistilBERT. Only DistilBERT models are supported.")
    if config.get("activation", "gelu") != "gelu":
        raise ModelError(f"{path}: activation {config['activation']!r} is not supported, only 'gelu'")
    for name in ("vocab_size", "max_position_embeddings", "dim", "hidden_dim", "n_heads", "n_layers"):
        if not isinstance(config.get(name), int) or config[name] < 1:
            raise ModelError(f"{path}: {name} is {config.get(name)!r}, but must be a positive integer")
    return config


def _read_weights(folder: Path, config: dict[str, Any], labels: int) -> dict[str, NDArray[np.floating]]:
    path = folder / WEIGHTS
    if not path.exists() and (folder / _PICKLE).exists():
        raise ModelError(
            f"{folder} has {_PICKLE}, a pickle, which can run code and is not read. If you trust it, load it with "
            f"transformers and call save_pretrained, which writes {WEIGHTS}."
        )
    if not path.exists():
        raise ModelError(f"{path} is missing: train a model with `make train`, or set MODEL_PATH to another one")
    try:
        weights = _load(path)
    except (SafetensorError, OSError) as error:
        raise ModelError(
            f"{path} is damaged or cut short: {error}. Restore it, with `git checkout` for the shipped one."
        ) from error
    for name, shape in _expected_shapes(config, labels).items():
        if name not in weights:
            raise ModelError(f"{path} lacks {name}: it is not a DistilBertForSequenceClassification")
        if tuple(weights[name].shape) != shape:
            raise ModelError(
                f"{path}: {name} has the shape {tuple(weights[name].shape)}, but {CONFIG} requires {shape}"
            )
        if not np.isfinite(weights[name]).all():
            raise ModelError(f"{path}: {name} has values that are not finite. Train the model again.")
    return weights


def _load(path: Path) -> dict[str, NDArray[np.floating]]:
    """Return the tensors of a safetensors file. Import PyTorch only for bfloat16, a type that NumPy lacks."""
    with safe_open(path, "numpy") as file:
        dtypes = {file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118  # not a mapping
        if "BF16" not in dtypes:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    from safetensors.torch import load_file

    return {name: weight.float().numpy() for name, weight in load_file(path).items()}


def _expected_shapes(config: dict[str, Any], labels: int) -> dict[str, tuple[int, ...]]:
    dim, hidden = config["dim"], config["hidden_dim"]
    shapes: dict[str, tuple[int, ...]] = {
        "distilbert.embeddings.word_embeddings.weight": (config["vocab_size"], dim),
        "distilbert.embeddings.position_embeddings.weight": (config["max_position_embeddings"], dim),
        "pre_classifier.weight": (dim, dim),
        "pre_classifier.bias": (dim,),
        "classifier.weight": (labels, dim),
        "classifier.bias": (labels,),
    }
    norms = ["distilbert.embeddings.LayerNorm"]
    for index in range(config["n_layers"]):
        layer = f"distilbert.transformer.layer.{index}"
        norms += [f"{layer}.sa_layer_norm", f"{layer}.output_layer_norm"]
        for name, outputs, inputs in (
            *((f"attention.{part}_lin", dim, dim) for part in ("q", "k", "v", "out")),
            ("ffn.lin1", hidden, dim),
            ("ffn.lin2", dim, hidden),
        ):
            shapes[f"{layer}.{name}.weight"] = (outputs, inputs)
            shapes[f"{layer}.{name}.bias"] = (outputs,)
    return shapes | {f"{norm}.{part}": (dim,) for norm in norms for part in ("weight", "bias")}


def _read_tokenizer(folder: Path, config: dict[str, Any]) -> Tokenizer:
    path = folder / "tokenizer.json"
    if not path.exists() and not (folder / "vocab.txt").exists():
        raise ModelError(f"{path} is missing: set MODEL_PATH to a folder that save_pretrained wrote")
    try:
        if path.exists():
            tokenizer = Tokenizer.from_file(str(path))
        else:  # older checkpoints have only vocab.txt, from which transformers builds the same tokenizer
            from transformers import AutoTokenizer

            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True).backend_tokenizer
    except Exception as error:  # tokenizers raises bare Exception for a damaged file
        raise ModelError(
            f"{folder}: the tokenizer files are damaged: {error}. Restore tokenizer.json or vocab.txt."
        ) from error
    if tokenizer.get_vocab_size() > config["vocab_size"]:
        raise ModelError(
            f"{folder}: the tokenizer has {tokenizer.get_vocab_size()} tokens, the model only {config['vocab_size']}. "
            "Restore the tokenizer that the model was trained with."
        )
    if tokenizer.get_vocab_size() <= config["vocab_size"] - _PADDING:
        raise ModelError(
            f"{folder}: the tokenizer has only {tokenizer.get_vocab_size()} tokens, the model {config['vocab_size']}. "
            "Restore the tokenizer that the model was trained with."
        )
    if None in [tokenizer.token_to_id(token) for token in SPECIAL_TOKENS]:
        raise ModelError(f"{folder}: the tokenizer lacks one of {SPECIAL_TOKENS}. Restore the model's own tokenizer.")
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _read_labels(folder: Path, config: dict[str, Any]) -> tuple[str, ...]:
    """Return the meaning of each logit.

    :raises ModelError: `id2label` does not name two or three labels that are known.
    """
    given = config.get("id2label")
    try:
        names = {int(index): str(label).lower() for index, label in given.items()} if given else {}
    except (AttributeError, ValueError):
        names = {}
    labels = tuple(_ABBREVIATED.get(name, name) for _, name in sorted(names.items()))
    if sorted(names) != list(range(len(labels))) or sorted(labels) not in (_TWO, _THREE):
        raise ModelError(
            f"{folder / CONFIG}: id2label is {given}, which does not say which label is negative and which is "
            'positive. Set it to {"0": "NEGATIVE", "1": "POSITIVE"}, in the order in which the model was trained. A '
            'model with three labels has "NEUTRAL" too.'
        )
    return labels


def _fingerprint(folder: Path) -> str:
    digest = hashlib.sha256(f"scoring {SCORING_REVISION}, emoji {version('emoji')}".encode())
    for name in _VERSIONED:
        path = folder / name
        if path.exists():
            digest.update(f"\0{name}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
    for path in blindness.LISTS:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
