"""Training of the teacher on labels, and of the student on labels and on the teacher's answers.

A training ends after a number of tokens, which the learning rate follows, so that it is the same on every machine. It
saves its state now and then, and goes on from there when it is started again.
"""

import contextlib
import csv
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from tqdm.auto import tqdm

from src.training.counterfactuals import SIZE
from src.training.networks import LABELS, Shape
from src.training.stream import Corpus, Rows, shuffled

logger = logging.getLogger(__name__)
Floats = NDArray[np.float32]
SHORT = 256
"""Tokens that the teacher's training cuts three fifths of the reviews to, at the beginning or at the end."""
ANSWER_TOKENS = 65_536
SAVE_SECONDS = 300
LOG_SECONDS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Every choice of one training."""

    tokens: int
    """Tokens that are read in all."""
    learning_rate: float
    head_learning_rate: float
    most_rows: int
    most_tokens: int
    """The most tokens of a batch, padding included."""
    group_tokens: int
    """The most tokens of a batch of counterfactual groups."""
    group_every: int
    """Steps from one batch of groups to the next."""
    pairing: float = 4.0
    """Weight of the squared difference of logits within a group."""
    score_pairing: float = 2.0
    """Weight of the absolute difference of scores within a group."""
    dropout: float
    masked: float = 0.0
    """Share of the tokens that are masked, in every other text."""
    temperature: float = 1.0
    labels: float = 1.0
    """Weight of the labels beside the teacher's answers."""
    cut: bool = False
    """Most long reviews are cut to SHORT tokens."""
    warmup: float = 0.06
    weight_decay: float = 0.01
    gradient_norm: float = 1.0
    seed: int = 7


TEACHER = Plan(tokens=66_000_000, learning_rate=4e-5, head_learning_rate=2e-4, most_rows=256, most_tokens=16_384,
               group_tokens=12_288, group_every=2, dropout=0.1, cut=True)  # fmt: skip
STUDENT = Plan(tokens=197_000_000, learning_rate=3e-4, head_learning_rate=1e-3, most_rows=512, most_tokens=32_768,
               group_tokens=24_576, group_every=3, dropout=0.05, masked=0.08, temperature=2.0, labels=0.15)  # fmt: skip


def device() -> torch.device:
    """Return the GPU where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def teacher_shares(corpus: Corpus) -> Floats:
    """Return how often the teacher reads each item in a round, on average; zero for what has no label."""
    share = np.zeros(len(corpus), np.float32)
    phrase = corpus.is_kind("phrase")
    share[phrase] = np.where(corpus.length[phrase] < 4, 0.25, 0.6)
    share[corpus.is_kind("sentence")] = 2
    share[corpus.is_kind("snippet", "written")] = 1
    review = corpus.is_kind("review")
    share[review] = 1
    positive = corpus.target[:, 2] > 0.6
    share[review & (corpus.source == "yts_imdb") & positive] = 0.4
    share[review & np.isin(corpus.source, ("pl_scale", "pl_scale_middle"))] = 0.7
    share[review & (corpus.source == "cad_new")] = 3
    share[(corpus.target.sum(axis=1) == 0) | corpus.held_out] = 0
    return share


def student_shares(corpus: Corpus, answered: NDArray[np.bool_]) -> Floats:
    """Return how often the student reads each item in a round, on average; zero for what the teacher left out."""
    share = np.zeros(len(corpus), np.float32)
    phrase = corpus.is_kind("phrase")
    share[phrase] = np.where(corpus.length[phrase] < 4, 0.5, 1.0)
    share[corpus.is_kind("sentence")] = 3
    share[corpus.is_kind("snippet", "written")] = 2
    share[corpus.is_kind("segment")] = 1
    review = corpus.is_kind("review")
    share[review] = 0.6
    share[review & (corpus.source == "imdb_unsup")] = 0.4
    share[review & (corpus.source == "cad_new")] = 3
    share[corpus.held_out | ~answered] = 0
    return share


def drawn(share: Floats, draw: np.random.Generator) -> Rows:
    """Return rows, each as often as its share says on average."""
    times = np.floor(share + draw.random(len(share), np.float32)).astype(np.int64)
    return np.repeat(np.arange(len(share)), times)


def groups_of(corpus: Corpus) -> Rows:
    """Return the items of each trained counterfactual group, int64 [groups, SIZE]."""
    rows = np.flatnonzero((corpus.group >= 0) & ~corpus.held_out)
    rows = rows[np.argsort(corpus.group[rows], kind="stable")]
    _, first, counts = np.unique(corpus.group[rows], return_index=True, return_counts=True)
    whole = first[counts == SIZE]
    groups: Rows = rows[whole[:, None] + np.arange(SIZE)]
    return groups


class Training:
    """One model in training."""

    def __init__(self, model: nn.Module, shape: Shape, corpus: Corpus, plan: Plan) -> None:
        """Prepare the optimizer."""
        self.model, self.shape, self.corpus, self.plan = model, shape, corpus, plan
        self.device = corpus.tokens.device
        self.generator = torch.Generator(self.device).manual_seed(plan.seed)
        self.optimizer = torch.optim.AdamW(
            _parameter_groups(model, plan), lr=0.0, betas=(0.9, 0.98), eps=1e-6, fused=True
        )
        self.group_rows = groups_of(corpus)
        self.answers: Tensor | None = None
        """The teacher's logits, float32 [items, labels], NaN where it gave none; the student learns from them."""
        self.target = torch.from_numpy(corpus.target).to(self.device)
        self.steps = self.tokens = self.skipped = 0
        self.curve: list[dict[str, float]] = []
        """The mean loss of every few steps."""
        self._place = {"round": 0, "batch": 0, "group round": 0, "group batch": 0}

    def learn_from(self, answers: Floats) -> None:
        """Learn from the teacher's logits, float32 [items, labels]; the members of a group learn their mean."""
        self.answers = torch.from_numpy(answers.copy()).to(self.device)
        members = torch.from_numpy(self.group_rows).to(self.device)
        self.answers[members] = self.answers[members].mean(dim=1, keepdim=True).expand(-1, SIZE, -1)

    def fit(self, shares: Floats, state: Path | None = None, *, until: int | None = None) -> None:
        """Train until the plan's tokens are read.

        :param shares: how often each item is read in a round, on average.
        :param state: file to save the state in; a run whose state it has is resumed.
        :param until: stop after so many steps, to go on later.
        """
        if state is not None and state.exists():
            self._restore(torch.load(state, map_location=self.device, weights_only=True))
        self.model.train()
        batches, groups = self._batches(shares), self._group_batches()
        losses = torch.zeros(3, device=self.device)
        saved = logged = time.monotonic()
        since = 0
        with tqdm(total=self.plan.tokens, initial=self.tokens, desc="training", unit="token", unit_scale=True) as shown:
            while self.tokens < self.plan.tokens and (until is None or self.steps < until):
                group = next(groups) if self.steps % self.plan.group_every == 0 and len(self.group_rows) else None
                self._set_rate()
                read = self._step(next(batches), group, losses)
                self.steps, self.tokens, since = self.steps + 1, self.tokens + read, since + 1
                shown.update(read)
                now = time.monotonic()
                if now - logged > LOG_SECONDS or self.tokens >= self.plan.tokens:
                    self._log(losses / since)
                    losses.zero_()
                    since, logged = 0, now
                if state is not None and now - saved > SAVE_SECONDS:
                    self._save(state)
                    saved = now
        if self.skipped:
            logger.warning("%d steps without a finite gradient were skipped", self.skipped)
        if state is not None:
            self._save(state)
        self.model.eval()

    def _log(self, mean: Tensor) -> None:
        loss, groups, norm = mean.tolist()
        self.curve.append({"step": self.steps, "tokens": self.tokens, "loss": loss,
                           "groups": groups * self.plan.group_every, "norm": norm})  # fmt: skip

    def _set_rate(self) -> None:
        """Let the learning rate rise over the warm-up and then fall to zero."""
        used, warmup = self.tokens / self.plan.tokens, self.plan.warmup
        for parameters in self.optimizer.param_groups:
            parameters["lr"] = parameters["peak"] * min(used / warmup + 1e-3, (1 - used) / (1 - warmup))

    def _save(self, path: Path) -> None:
        """Save the state; a kill at any moment leaves the earlier state or this one."""
        state = {
            "model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(), "place": self._place,
            "counts": (self.steps, self.tokens, self.skipped), "curve": self.curve,
            "generator": self.generator.get_state(), "random": torch.get_rng_state(),
            "random_cuda": torch.cuda.get_rng_state_all(),
        }  # fmt: skip
        new = path.with_suffix(".new")
        torch.save(state, new)
        new.replace(path)

    def _restore(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self._place, self.curve = state["place"], state["curve"]
        self.steps, self.tokens, self.skipped = state["counts"]
        self.generator.set_state(state["generator"].cpu())
        torch.set_rng_state(state["random"].cpu())
        torch.cuda.set_rng_state_all([each.cpu() for each in state["random_cuda"]])

    def _batches(self, shares: Floats) -> Iterator[tuple[Rows, Rows, Rows]]:
        """Yield (items, first tokens, lengths) of each batch, round after round."""
        if not (shares > 0).any():
            raise ValueError("no item of the corpus is to be read: it has no labels, or no answers of the teacher")
        while True:
            draw = np.random.default_rng([self.plan.seed, self._place["round"]])
            rows = drawn(shares, draw)
            start, length = self.corpus.start[rows].copy(), self.corpus.length[rows].copy()
            if self.plan.cut:
                short = (length > SHORT) & (draw.random(len(rows)) < 0.6)
                from_end = short & (draw.random(len(rows)) < 0.5)
                start[from_end] += length[from_end] - SHORT
                length[short] = SHORT
            order = np.arange(len(rows))
            batches = shuffled(order, length, self.plan.most_rows, self.plan.most_tokens, draw)
            for batch in batches[self._place["batch"] :]:
                self._place["batch"] += 1
                yield rows[batch], start[batch], length[batch]
            self._place |= {"round": self._place["round"] + 1, "batch": 0}

    def _group_batches(self) -> Iterator[Rows]:
        """Yield batches of whole groups, round after round."""
        longest = self.corpus.length[self.group_rows].max(axis=1, initial=0)
        order = np.arange(len(self.group_rows))
        while True:
            draw = np.random.default_rng([self.plan.seed, self._place["group round"], 1])
            batches = shuffled(order, longest, self.plan.most_rows // SIZE, self.plan.group_tokens // SIZE, draw)
            for batch in batches[self._place["group batch"] :]:
                self._place["group batch"] += 1
                yield self.group_rows[batch].reshape(-1)
            self._place |= {"group round": self._place["group round"] + 1, "group batch": 0}

    def _step(self, batch: tuple[Rows, Rows, Rows], group: Rows | None, losses: Tensor) -> int:
        """Take one optimizer step and add its figures to `losses`. Return how many tokens it read."""
        rows, start, length = batch
        self.optimizer.zero_grad(set_to_none=True)
        loss = self._loss(self._logits(start, length, masked=self.plan.masked), rows)
        loss.backward()
        read = int(length.sum())
        if group is not None:
            logits = self._logits(self.corpus.start[group], self.corpus.length[group])
            paired = self._pairing(logits) + self._loss(logits, group)
            (paired / 2).backward()
            losses[1] += paired.detach()
            read += int(self.corpus.length[group].sum())
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.plan.gradient_norm)
        if torch.isfinite(norm):
            self.optimizer.step()
            losses[0] += loss.detach()
            losses[2] += norm
        else:
            self.skipped += 1
        return read

    def _logits(self, start: Rows, length: Rows, masked: float = 0.0) -> Tensor:
        ids, attended = self.corpus.batch(start, length, self.shape, masked, self.generator)
        with autocast(self.device):
            logits: Tensor = self.model(ids, attended)
        return logits.float()

    def _loss(self, logits: Tensor, rows: Rows) -> Tensor:
        """Return the loss of labels and, where there are any, of the teacher's answers."""
        index = torch.from_numpy(rows).to(self.device)
        target = self.target[index]
        labelled = target.sum(dim=1)  # 1 or 0
        by_label = -(target * functional.log_softmax(logits, dim=1)).sum(dim=1)
        by_label = by_label.sum() / labelled.sum().clamp(min=1)
        if self.answers is None:
            return by_label
        temperature = self.plan.temperature
        answers = self.answers[index]
        known = ~answers.isnan().any(dim=1)
        answers = answers.nan_to_num()
        divergence = functional.kl_div(
            functional.log_softmax(logits / temperature, dim=1), functional.log_softmax(answers / temperature, dim=1),
            reduction="none", log_target=True,
        ).sum(dim=1)  # fmt: skip
        by_answer = (divergence * known).sum() / known.sum().clamp(min=1) * temperature**2
        return (1 - self.plan.labels) * by_answer + self.plan.labels * by_label

    def _pairing(self, logits: Tensor) -> Tensor:
        grouped = logits.view(-1, SIZE, len(LABELS))
        squared = (grouped - grouped.mean(dim=1, keepdim=True)).pow(2).mean()
        scores = score(grouped)
        apart = (scores - scores.mean(dim=1, keepdim=True)).abs().mean()
        return self.plan.pairing * squared + self.plan.score_pairing * apart


def autocast(where: torch.device) -> contextlib.AbstractContextManager[Any]:
    """Compute in bfloat16 on a GPU."""
    return torch.autocast(where.type, torch.bfloat16, enabled=where.type == "cuda")


def score(logits: Tensor) -> Tensor:
    """Return P(positive) - P(negative)."""
    probabilities = logits.softmax(dim=-1)
    return probabilities[..., 2] - probabilities[..., 0]


@torch.no_grad()
def answer(model: nn.Module, shape: Shape, corpus: Corpus, rows: Rows) -> Floats:
    """Return the logits of the items in `rows`, float32 [items, labels]; NaN for the other items."""
    logits = torch.full((len(corpus), len(LABELS)), torch.nan, device=corpus.tokens.device)
    model.eval()
    batches = shuffled(rows, corpus.length[rows], 2048, ANSWER_TOKENS, np.random.default_rng(0))
    for batch in tqdm(batches, desc="answering", unit="batch"):
        ids, attended = corpus.batch(corpus.start[batch], corpus.length[batch], shape)
        with autocast(corpus.tokens.device):
            logits[torch.from_numpy(batch).to(logits.device)] = model(ids, attended).float()
    made: Floats = logits.cpu().numpy()
    return made


def write_curve(curve: list[dict[str, float]], path: Path) -> None:
    """Write the curve of a training as CSV."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["step", "tokens", "loss", "groups", "norm"])
        writer.writeheader()
        writer.writerows(curve)


def read_curve(path: Path) -> list[dict[str, float]]:
    """Return the curve of a training."""
    with path.open(newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def _parameter_groups(model: nn.Module, plan: Plan) -> list[dict[str, Any]]:
    """Return groups of parameters: with weight decay for matrices, and another learning rate for the head."""
    kinds: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            kinds.setdefault((name.startswith(("dense.", "classifier.")), parameter.ndim > 1), []).append(parameter)
    return [
        {
            "params": parameters,
            "weight_decay": plan.weight_decay if matrix else 0.0,
            "peak": plan.head_learning_rate if in_head else plan.learning_rate,
        }
        for (in_head, matrix), parameters in kinds.items()
    ]
