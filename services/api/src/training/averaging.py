"""One model from those that the stages of a training ended with: a mean of their weights.

One stage reads reviews better, another one short texts; over all held-out texts a mean has a lower log-loss than any
of them (the model card has the figures). Wortsman et al., Model soups (2022), https://arxiv.org/abs/2203.05482.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

WEIGHTS = "model.safetensors"


def average(folders: Mapping[Path, float], out: Path) -> None:
    """Write the model whose weights are the mean of those in `folders`, in float16; the rest is the last one's.

    Figures of an earlier model in `out` are removed.

    :param folders: of models that differ in their weights alone, each with its share; the shares add up to 1.
    """
    parts = [(share, load_file(folder / WEIGHTS)) for folder, share in folders.items()]
    mean = {
        name: torch.stack([share * part[name].float() for share, part in parts]).sum(dim=0).half()
        for name in parts[0][1]
    }
    out.mkdir(parents=True, exist_ok=True)
    for stale in ("calibration.json", "metrics.json", WEIGHTS):  # killed from here on, it leaves no mixture behind
        (out / stale).unlink(missing_ok=True)
    shutil.copytree(list(folders)[-1], out, dirs_exist_ok=True, ignore=shutil.ignore_patterns(WEIGHTS))
    save_weights(mean, out)


def save_weights(weights: dict[str, torch.Tensor], folder: Path) -> None:
    """Put weights into a model's folder in place of those that are there; any reader sees the ones or the others."""
    temporary = folder / f"{WEIGHTS}.new"
    save_file(weights, temporary, metadata={"format": "pt"})
    temporary.chmod(0o644)  # safetensors writes for its owner alone; in a container another user reads
    temporary.replace(folder / WEIGHTS)
