"""What training tests share: the sentences of test/data, and an encoder so small that a run takes seconds."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertModel, BertTokenizer

from src.training import data
from src.training.recipe import Recipe
from src.training.train import Trainer

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture(autouse=True)
def data_dir(monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DATA_DIR", str(DATA))
    return DATA


@pytest.fixture
def examples(data_dir: Path) -> list[data.Example]:
    return data.load_training(Recipe().sources)


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the folder of a BERT with random weights, 2 layers and 32 wide, that knows the words of test/data."""
    folder = tmp_path_factory.mktemp("tiny") / "bert"
    words = sorted(set(re.findall(r"\w+|[^\w\s]", (DATA / "reviews.tsv").read_text().lower())))
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]
    BertTokenizer(vocab={word: index for index, word in enumerate(vocabulary)}).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(vocab_size=len(vocabulary), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
                        intermediate_size=64, max_position_embeddings=128)  # fmt: skip
    BertModel(config).save_pretrained(folder)
    return str(folder)


@pytest.fixture
def recipe() -> Recipe:
    """Return a recipe of 32 steps."""
    return Recipe(epochs=2, batch_size=16, max_tokens=32, learning_rate=2e-3)


@pytest.fixture
def trainer(
    recipe: Recipe, examples: list[data.Example], tiny_bert: str, tmp_path: Path
) -> Iterator[Callable[..., Trainer]]:
    """Return a maker of trainers, each in the run folder that is named."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # a second thread only waits for so small a model

    def build(folder: str = "run", of: Recipe = recipe) -> Trainer:
        return Trainer(of, examples, tiny_bert, tmp_path / folder)

    yield build
    torch.set_num_threads(threads)
