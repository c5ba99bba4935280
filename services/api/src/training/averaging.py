"""One model from those that the stages of a training ended with: the mean of their weights.

The second stage reads reviews better, and short texts with too much confidence; over all held-out texts the mean of the
two has a lower log-loss than either (the model card has the figures). Wortsman et al., Robust fine-tuning of zero-shot
models (2021), https://arxiv.org/abs/2109.01903.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

WEIGHTS = "model.safetensors"


def average(folders: Sequence[Path], out: Path) -> None:
    """Write the model whose weights are the mean of those in `folders`, in float16; the rest is the last one's.

    Figures of an earlier model in `out` are removed.

    :param folders: at least one, of models that differ in their weights alone.
    """
    parts = [load_file(folder / WEIGHTS) for folder in folders]
    mean = {name: torch.stack([part[name].float() for part in parts]).mean(dim=0).half() for name in parts[0]}
    out.mkdir(parents=True, exist_ok=True)
    for stale in ("calibration.json", "metrics.json", WEIGHTS):  # killed from here on, it leaves no mixture behind
        (out / stale).unlink(missing_ok=True)
    shutil.copytree(folders[-1], out, dirs_exist_ok=True, ignore=shutil.ignore_patterns(WEIGHTS))
    temporary = out / f"{WEIGHTS}.new"
    save_file(mean, temporary, metadata={"format": "pt"})
    temporary.chmod(0o644)  # safetensors writes for its owner alone; in a container another user reads
    temporary.replace(out / WEIGHTS)
