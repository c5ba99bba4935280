"""Fine-tune the encoder, stage by stage, and save a model that the service can load: `python -m src.training.train`.

Killed at any moment and started again, it goes on where it last saved, and ends with the weights that an
uninterrupted run ends with.
"""

import argparse
import copy
import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional
from tqdm.auto import tqdm
from transformers.utils import logging as transformers_logging

from src.sentiment_analyzer import cpus
from src.training import data
from src.training.averaging import average
from src.training.batches import Batches, tokenize
from src.training.calibrate import calibrate
from src.training.encoder import load_encoder, packaged_encoder
from src.training.recipe import SHARES, STAGES, Recipe
from src.training.run import Run, check_recipe
from src.training.swaps import Swapper
from src.training.tying import tie

SAVE_SECONDS = 300
LOG_STEPS = 25


class Trainer:
    """One run of a recipe over training examples."""

    def __init__(self, recipe: Recipe, examples: Sequence[data.Example], encoder: str, folder: Path) -> None:
        """Prepare a run in `folder`, or take up the one that is there.

        :param encoder: folder or hub id of a BERT or DistilBERT.
        :raises ValueError: the folder's run is of another recipe, data or encoder.
        """
        torch.manual_seed(recipe.seed)
        self.recipe = recipe
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model, self.tokenizer = load_encoder(
            encoder, dropout=recipe.dropout, attention_dropout=recipe.attention_dropout
        )
        self.model.train().to(self.device)
        self.run = Run(folder, recipe, _fingerprint(examples, encoder))
        self.optimizer = torch.optim.AdamW(
            _decayed(self.model, recipe.weight_decay), lr=recipe.learning_rate, fused=True
        )
        texts = [example.text for example in examples]
        self.batches = Batches(
            tokenize(self.tokenizer, list(map(Swapper(recipe.seed), texts)) if recipe.swaps else texts),
            [example.target for example in examples],
            (self.tokenizer.cls_token_id, self.tokenizer.sep_token_id, self.tokenizer.pad_token_id),
            replace(recipe, max_tokens=min(recipe.max_tokens, self.model.config.max_position_embeddings)),
        )
        self.step = 0
        if state := self.run.load():
            self._restore(state)
        self.run.truncate_curve(self.step)

    def fit(self, *, until: int | None = None, save_seconds: float = SAVE_SECONDS) -> None:
        """Train to the last step, or through step `until` - 1; save the state now and then and at the end."""
        last = len(self.batches) if until is None else min(until, len(self.batches))
        saved = time.monotonic()
        with tqdm(total=len(self.batches), initial=self.step, desc="training", unit="step") as progress:
            losses, tokens, since = [], 0, time.monotonic()
            while self.step < last:
                loss, read = self._advance()
                losses.append(loss)
                tokens += read
                progress.update()
                if self.step % LOG_STEPS == 0 or self.step == last:
                    mean = sum(losses) / len(losses)
                    rate = self.recipe.learning_rate_at(self.step - 1, len(self.batches))
                    self.run.log({"step": self.step, "loss": mean, "learning_rate": rate, "tokens": tokens,
                                  "seconds": time.monotonic() - since})  # fmt: skip
                    progress.set_postfix(loss=f"{mean:.3f}", tokens_per_s=int(tokens / (time.monotonic() - since)))
                    losses, tokens, since = [], 0, time.monotonic()
                if time.monotonic() - saved > save_seconds:
                    self._save()
                    saved = time.monotonic()
            self._save()

    def export(self, folder: Path) -> None:
        """Write what `save_pretrained` writes, weights in float16."""
        folder.mkdir(parents=True, exist_ok=True)
        copy.deepcopy(self.model).cpu().half().save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)
        _name_tokenizer_for_older_readers(folder / "tokenizer_config.json")
        for path in folder.iterdir():
            path.chmod(0o644)  # safetensors writes for its owner alone; in a container another user reads

    def _advance(self) -> tuple[float, int]:
        """Take one optimizer step; return its loss and how many tokens it read."""
        batch = self.batches[self.step]
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.learning_rate_at(self.step, len(self.batches))
        with torch.autocast(self.device.type, torch.bfloat16, enabled=_has_bfloat16(self.device)):
            logits = self.model(
                input_ids=batch.input_ids.to(self.device), attention_mask=batch.attention_mask.to(self.device)
            ).logits  # float [batch, 2]
        positive = batch.targets.to(self.device)
        loss = functional.cross_entropy(
            logits.float(), torch.stack([1 - positive, positive], dim=1), label_smoothing=self.recipe.label_smoothing
        )
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.gradient_norm)
        self.optimizer.step()
        self.step += 1
        return loss.item(), int(batch.attention_mask.sum())

    def _save(self) -> None:
        self.run.save(
            {
                "step": self.step,
                "model": self.model.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "random": torch.get_rng_state(),
                "random_cuda": torch.cuda.get_rng_state_all(),
            }
        )

    def _restore(self, state: dict[str, Any]) -> None:
        self.step = state["step"]
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["random"])
        torch.cuda.set_rng_state_all(state["random_cuda"])


def _name_tokenizer_for_older_readers(path: Path) -> None:
    """Write a class name that transformers 4 knows too: 5 writes one of its own."""
    config = json.loads(path.read_text())
    config.pop("backend", None)
    path.write_text(json.dumps({**config, "tokenizer_class": "PreTrainedTokenizerFast"}, indent=2) + "\n")


def _decayed(model: torch.nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Return parameter groups: weight decay for matrices, none for biases and LayerNorms."""
    matrices = [parameter for parameter in model.parameters() if parameter.ndim > 1]
    vectors = [parameter for parameter in model.parameters() if parameter.ndim <= 1]
    return [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]


def _has_bfloat16(device: torch.device) -> bool:
    return torch.cuda.is_bf16_supported() if device.type == "cuda" else torch.cpu._is_avx512_bf16_supported()


def _fingerprint(examples: Sequence[data.Example], encoder: str) -> str:
    digest = hashlib.sha256(Path(encoder).name.encode())
    for example in examples:
        digest.update(f"{example.target}{example.text}\0".encode())
    return digest.hexdigest()[:12]


def main() -> None:
    """Train the recipe's model from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, default=Path("runs/default"), help="folder of the run, taken up if there")
    parser.add_argument("--out", type=Path, default=Path("model"), help="folder for the finished model")
    parser.add_argument("--encoder", default=None, help="folder or hub id to start from (all-MiniLM-L6-v2)")
    arguments = parser.parse_args()
    torch.set_num_threads(cpus.available())
    transformers_logging.disable_progress_bar()
    trained: dict[str | None, str] = {None: arguments.encoder or packaged_encoder()}
    for name, recipe in STAGES.items():
        trained[name] = train_stage(recipe, trained[recipe.after], arguments.run / name)
    average({Path(trained[name]): share for name, share in SHARES.items()}, arguments.out)
    tie(arguments.out)
    temperature = calibrate(arguments.out, data.held_out(recipe.held_out, recipe.seed))
    print(f"{temperature}; `make evaluate` measures the model")


def train_stage(recipe: Recipe, encoder: str, folder: Path) -> str:
    """Train one stage in its folder unless it is finished there; return the folder of what it ends with."""
    finished = folder / "model"
    check_recipe(folder, recipe)
    if not finished.exists():
        examples, held_out = data.split(recipe.sources, recipe.held_out, recipe.seed)
        print(f"stage {folder.name}: {len(examples):,} examples, {len(held_out):,} held out")
        trainer = Trainer(recipe, examples, encoder, folder)
        trainer.fit()
        trainer.export(folder / "exported")
        (folder / "exported").rename(finished)
    print(f"stage {folder.name}: finished, in {finished}")
    return str(finished)


if __name__ == "__main__":
    main()
