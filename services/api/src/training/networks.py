"""The two encoders of the distillation in plain PyTorch: a teacher (MPNet, 110 M parameters), a student (DistilBERT).

They need neither transformers nor the service, and run their attention in PyTorch's fused kernels. The weights have
the names that transformers gives them, so a checkpoint of either library loads into the other.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

LABELS = ("negative", "neutral", "positive")
_KERNELS = [SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]
"""Flash attention takes no bias; cuDNN's is left out because its support of one depends on shapes."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The dimensions of an encoder, and its special tokens in the numbering of its own vocabulary."""

    vocabulary: int
    positions: int
    layers: int
    heads: int
    width: int
    hidden: int
    epsilon: float
    first_position: int
    """The row of the position embeddings that the first token takes."""
    shift: int
    """Added to a token id of BERT's vocabulary to get this encoder's."""
    cls: int
    sep: int
    pad: int
    mask: int
    relative: bool = False
    """Attention has a bias by relative position, which all layers share."""


MPNET = Shape(30527, 514, 12, 12, 768, 3072, 1e-5, first_position=2, shift=4, cls=0, sep=2, pad=1, mask=30526,
              relative=True)  # fmt: skip
MINILM = Shape(30522, 512, 6, 12, 384, 1536, 1e-12, first_position=0, shift=0, cls=101, sep=102, pad=0, mask=103)


class Layer(nn.Module):
    """A Transformer layer that normalizes after each sublayer, as BERT does."""

    def __init__(self, shape: Shape, dropout: float) -> None:
        """Create the projections; their weights are random until a checkpoint is loaded."""
        super().__init__()
        self.heads = shape.heads
        self.query, self.key, self.value, self.output = (nn.Linear(shape.width, shape.width) for _ in range(4))
        self.attention_norm = nn.LayerNorm(shape.width, eps=shape.epsilon)
        self.widen, self.narrow = nn.Linear(shape.width, shape.hidden), nn.Linear(shape.hidden, shape.width)
        self.output_norm = nn.LayerNorm(shape.width, eps=shape.epsilon)
        self.dropout = nn.Dropout(dropout)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Return the hidden states after this layer.

        :param hidden: float [batch, tokens, width].
        :param mask: what is added to the attention's scores, float, broadcastable to [batch, heads, tokens, tokens].
        """
        batch, tokens, width = hidden.shape
        query, key, value = (
            linear(hidden).view(batch, tokens, self.heads, -1).transpose(1, 2)
            for linear in (self.query, self.key, self.value)
        )
        attended = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask.to(query.dtype))
        attended = self.output(attended.transpose(1, 2).reshape(batch, tokens, width))
        hidden = self.attention_norm(hidden + self.dropout(attended))
        normal: Tensor = self.output_norm(hidden + self.dropout(self.narrow(functional.gelu(self.widen(hidden)))))
        return normal


class Encoder(nn.Module):
    """Embeddings and layers. MPNet's layers share a bias by relative position, which is kept as it was pretrained."""

    def __init__(self, shape: Shape, dropout: float) -> None:
        """Create the encoder; its weights are random until a checkpoint is loaded."""
        super().__init__()
        self.shape = shape
        self.words = nn.Embedding(shape.vocabulary, shape.width)
        self.positions = nn.Embedding(shape.positions, shape.width)
        self.norm = nn.LayerNorm(shape.width, eps=shape.epsilon)
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(Layer(shape, dropout) for _ in range(shape.layers))
        self.relative = nn.Embedding(32, shape.heads) if shape.relative else None
        if self.relative is not None:
            self.relative.weight.requires_grad = False

    def forward(self, ids: Tensor, attended: Tensor) -> Tensor:
        """Return the last hidden states, float [batch, tokens, width].

        :param ids: of this encoder's vocabulary, int64 [batch, tokens]; a multiple of 8 tokens suits the kernels.
        :param attended: bool [batch, tokens], False for padding.
        """
        tokens = ids.shape[1]
        places = torch.arange(tokens, device=ids.device) + self.shape.first_position
        hidden = self.dropout(self.norm(self.words(ids) + self.positions(places)))
        mask = torch.zeros(attended.shape, device=ids.device).masked_fill(~attended, -1e4)[:, None, None, :]
        if self.relative is not None:
            bias = self.relative(_buckets(tokens, ids.device)).permute(2, 0, 1)[None]  # [1, heads, tokens, tokens]
            mask = bias.detach() + mask
        mask = mask.expand(-1, -1, tokens, -1)
        if torch.is_autocast_enabled(ids.device.type):
            mask = mask.to(torch.get_autocast_dtype(ids.device.type))
        else:
            mask = mask.to(hidden.dtype)
        mask = mask.contiguous()
        with sdpa_kernel(_KERNELS):
            for layer in self.layers:
                hidden = layer(hidden, mask)
        last: Tensor = hidden
        return last


class Teacher(nn.Module):
    """MPNet with a classification head over the mean of the hidden states, which is how all-mpnet-base-v2 pools."""

    def __init__(self, shape: Shape = MPNET, dropout: float = 0.1) -> None:
        """Create the teacher; `load_teacher_encoder` gives it its pretrained weights."""
        super().__init__()
        self.encoder = Encoder(shape, dropout)
        self.dense = nn.Linear(shape.width, shape.width)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(shape.width, len(LABELS))
        _initialize_head(self.dense, self.classifier)

    def forward(self, ids: Tensor, attended: Tensor) -> Tensor:
        """Return the logits, float [batch, labels]."""
        hidden = self.encoder(ids, attended)
        weights = attended.to(hidden.dtype)[:, :, None]
        mean = (hidden * weights).sum(dim=1) / weights.sum(dim=1)
        logits: Tensor = self.classifier(self.dropout(torch.tanh(self.dense(self.dropout(mean)))))
        return logits


class Student(nn.Module):
    """A `DistilBertForSequenceClassification` in other words."""

    def __init__(self, shape: Shape = MINILM, dropout: float = 0.1) -> None:
        """Create the student; `load_student` gives it its pretrained weights."""
        super().__init__()
        self.encoder = Encoder(shape, dropout)
        self.dense = nn.Linear(shape.width, shape.width)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(shape.width, len(LABELS))
        _initialize_head(self.dense, self.classifier)

    def forward(self, ids: Tensor, attended: Tensor) -> Tensor:
        """Return the logits, float [batch, labels]."""
        first = self.encoder(ids, attended)[:, 0]
        logits: Tensor = self.classifier(self.dropout(functional.relu(self.dense(first))))
        return logits


def _initialize_head(*layers: nn.Linear) -> None:
    for layer in layers:
        nn.init.normal_(layer.weight, std=0.02)
        nn.init.zeros_(layer.bias)


def _buckets(tokens: int, device: torch.device) -> Tensor:
    """Return MPNet's bucket of each pair of places, int64 [tokens, tokens]: near distances exactly, far ones by log."""
    places = torch.arange(tokens, device=device)
    distance = places[:, None] - places[None, :]  # of the query from the key
    buckets = (distance < 0).long() * 16
    distance = distance.abs()
    far = 8 + (torch.log(distance.float().clamp(min=1) / 8) / math.log(128 / 8) * 8).long()
    return buckets + torch.where(distance < 8, distance, far.clamp(max=15))


_SHARED = {"embeddings.LayerNorm.": "norm.", "embeddings.word_embeddings.": "words.",
           "embeddings.position_embeddings.": "positions."}  # fmt: skip
_TEACHER = {**_SHARED, "encoder.relative_attention_bias.": "relative.", "encoder.layer.": "layers.",
            ".attention.attn.q.": ".query.", ".attention.attn.k.": ".key.", ".attention.attn.v.": ".value.",
            ".attention.attn.o.": ".output.", ".attention.LayerNorm.": ".attention_norm.",
            ".intermediate.dense.": ".widen.", ".output.dense.": ".narrow.",
            ".output.LayerNorm.": ".output_norm."}  # fmt: skip
_STUDENT = {**_SHARED, "transformer.layer.": "layers.", ".attention.q_lin.": ".query.", ".attention.k_lin.": ".key.",
            ".attention.v_lin.": ".value.", ".attention.out_lin.": ".output.", ".sa_layer_norm.": ".attention_norm.",
            ".ffn.lin1.": ".widen.", ".ffn.lin2.": ".narrow.", ".output_layer_norm.": ".output_norm."}  # fmt: skip


def load_teacher_encoder(teacher: Teacher, weights: Mapping[str, Tensor]) -> None:
    """Load the weights of an `MPNetModel`; the pooler and the position ids, which have no place here, are left out."""
    names = {_renamed(name.removeprefix("mpnet."), _TEACHER): tensor for name, tensor in weights.items()}
    own = teacher.encoder.state_dict()
    teacher.encoder.load_state_dict({name: names[name].to(own[name].dtype) for name in own})


def load_student(student: Student, weights: Mapping[str, Tensor]) -> None:
    """Load the weights of a DistilBERT that may have a head; a head with other labels is left as it was drawn."""
    names = {_renamed(name.removeprefix("distilbert."), _STUDENT): tensor for name, tensor in weights.items()}
    own = student.encoder.state_dict()
    student.encoder.load_state_dict({name: names[name].to(own[name].dtype) for name in own})


def student_weights(student: Student) -> dict[str, Tensor]:
    """Return the weights under the names of a `DistilBertForSequenceClassification`, in float16."""
    back = {own: theirs for theirs, own in _STUDENT.items()}
    order = sorted(back, key=len, reverse=True)  # .output_norm. before .norm., which it contains
    weights = {}
    for name, tensor in student.state_dict().items():
        head = {"dense.": "pre_classifier.", "classifier.": "classifier."}
        new = next((theirs + name.removeprefix(own) for own, theirs in head.items() if name.startswith(own)), None)
        if new is None:
            bare = name.removeprefix("encoder.")
            if bare.startswith("layers."):
                _, number, rest = bare.split(".", 2)
                own = next(part for part in order if part.startswith(".") and f".{rest}".startswith(part))
                new = f"distilbert.transformer.layer.{number}{back[own]}{f'.{rest}'.removeprefix(own)}"
            else:
                own = next(part for part in _SHARED.values() if bare.startswith(part))
                new = f"distilbert.{back[own]}{bare.removeprefix(own)}"
        weights[new] = tensor.detach().cpu().half().contiguous()
    return weights


def _renamed(name: str, parts: Mapping[str, str]) -> str:
    for theirs, own in parts.items():
        if theirs in name:
            name = name.replace(theirs, own, 1)
    return name
