"""He and she as one word: their embeddings become their mean, so that no score follows from which of them is there.

As hard debiasing equalizes pairs: Bolukbasi et al. (2016), https://arxiv.org/abs/1607.06520. Here they become equal.
"""

import json
from pathlib import Path

from safetensors.torch import load_file

from src.training.averaging import WEIGHTS, save_weights

GROUPS = (("he", "she"), ("him", "his", "her", "hers"), ("himself", "herself"))
"""`her` is both `him` and `his`, which are one word therefore."""
_EMBEDDINGS = "distilbert.embeddings.word_embeddings.weight"


def tie(folder: Path) -> None:
    """Make the embeddings of each group equal in the model that is in `folder`; any version of it loads so."""
    vocabulary = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    weights = load_file(folder / WEIGHTS)
    embeddings = weights[_EMBEDDINGS]  # float16 [vocabulary, width]
    for group in GROUPS:
        rows = [vocabulary[word] for word in group if word in vocabulary]
        if rows:
            embeddings[rows] = embeddings[rows].float().mean(dim=0).to(embeddings.dtype)
    save_weights(weights, folder)
