"""Fixtures of the training tests: the sentences of test/data, and networks so small that a run takes seconds."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from src.training import corpus, counterfactuals, encoder, sentences
from src.training.networks import MINILM, MPNET, Shape, Student, student_weights
from src.training.stream import Corpus

DATA = Path(__file__).parents[1] / "data"
SMALL = {"layers": 1, "heads": 2, "width": 32, "hidden": 64}


def shrunk(shape: Shape) -> Shape:
    """Return the shape with one narrow layer."""
    values = {name: getattr(shape, name) for name in Shape.__dataclass_fields__}
    return Shape(**{**values, **SMALL})


TEACHER, STUDENT = shrunk(MPNET), shrunk(MINILM)


@pytest.fixture(autouse=True)
def data_dir(monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DATA_DIR", str(DATA))
    return DATA


@pytest.fixture(scope="session")
def corpus_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a corpus of test/data, with one sentence of each frame."""
    folder = tmp_path_factory.mktemp("corpus")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATA_DIR", str(DATA))
        patch.setattr(sentences, "FILLINGS", 1)
        patch.setattr(counterfactuals, "FRAME_GROUPS", 1)
        corpus.build(encoder.load_tokenizer(), folder)
    return folder


@pytest.fixture
def small_corpus(corpus_folder: Path) -> Corpus:
    return Corpus.load(corpus_folder, torch.device("cpu"))


@pytest.fixture
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # a second thread only waits for so small a model
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model with random weights."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("tiny") / "model"
    encoder.export(student_weights(Student(STUDENT)), STUDENT, folder)
    return folder
