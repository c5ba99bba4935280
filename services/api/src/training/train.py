"""Train the shipped model: corpus, teacher's answers, student, calibration: `python -m src.training.train`.

A stage whose file is in the run's folder is not repeated. The student learns from the committed answers of the teacher;
with --teacher, a teacher is trained and answers first, for which a GPU is needed in practice.
"""

import argparse
import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from src.sentiment_analyzer import cpus
from src.training import answers, corpus, distillation, encoder
from src.training.calibrate import calibrate
from src.training.distillation import STUDENT, TEACHER, Plan, Training
from src.training.networks import (
    MINILM,
    MPNET,
    Shape,
    Student,
    Teacher,
    load_student,
    load_teacher_encoder,
    student_weights,
)
from src.training.stream import Corpus

logger = logging.getLogger(__name__)
RUN = Path("runs/default")


def prepare(run: Path) -> Corpus:
    """Return the corpus of a run, built if it is not there."""
    folder = run / "corpus"
    if not (folder / "summary.json").exists():
        corpus.build(encoder.load_tokenizer(), folder)
    return Corpus.load(folder, distillation.device())


def teach(read: Corpus, run: Path, plan: Plan = TEACHER, shape: Shape = MPNET) -> Path:
    """Train a teacher and write its answers; return their folder."""
    folder = run / "answers"
    if (folder / "fingerprints.json").exists():
        return folder
    teacher = Teacher(shape, plan.dropout)
    if shape == MPNET:
        load_teacher_encoder(teacher, encoder.teacher_start())
    _train(teacher.to(distillation.device()), shape, read, plan, run / "teacher")
    logits = distillation.answer(teacher, shape, read, np.arange(len(read)))
    answers.write(folder, read, logits)
    return folder


def study(
    read: Corpus, answered: Path, run: Path, plan: Plan = STUDENT, shape: Shape = MINILM,
    start: Mapping[str, Tensor] | None = None,
) -> dict[str, Tensor]:  # fmt: skip
    """Train a student on the answers in a folder; return its weights as they are saved.

    :param start: the encoder's weights under DistilBERT's names; those of all-MiniLM-L6-v2 if None.
    :raises ValueError: the answers do not fit most of the corpus, or the run is of another plan.
    """
    torch.manual_seed(plan.seed)
    student = Student(shape, plan.dropout)
    load_student(student, encoder.student_start() if start is None else start)
    given = answers.read(answered, read)
    answers.check(given)
    _train(student.to(distillation.device()), shape, read, plan, run / "student", given)
    corpus.tie_pronouns(student.encoder.words.weight, encoder.load_tokenizer())
    return student_weights(student)


def _train(
    model: Student | Teacher, shape: Shape, read: Corpus, plan: Plan, run: Path, given: answers.Floats | None = None
) -> None:
    """Train a model, or take up its finished training, in files whose names begin with `run`."""
    described = json.dumps(asdict(plan), indent=2) + "\n"
    recipe, state = run.with_suffix(".json"), run.with_suffix(".pt")
    if recipe.exists() and recipe.read_text() != described:
        raise ValueError(f"{recipe} is of another plan: name another --run, or remove that one")
    recipe.parent.mkdir(parents=True, exist_ok=True)
    recipe.write_text(described)
    training = Training(model, shape, read, plan)
    if given is None:
        shares = distillation.teacher_shares(read)
    else:
        shares = distillation.student_shares(read, np.asarray(np.isfinite(given).all(axis=1)))
        training.learn_from(given)
    training.fit(shares, state)
    distillation.write_curve(training.curve, run.with_suffix(".csv"))


def main() -> None:
    """Train the model from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, default=RUN, help="folder of the run, resumed if it is there")
    parser.add_argument("--out", type=Path, default=Path("model"), help="folder for the finished model")
    parser.add_argument("--teacher", action="store_true", help="train the teacher too, on all-mpnet-base-v2")
    parser.add_argument("--shrink", type=int, default=1, help="make batches so many times smaller, to save memory")
    parser.add_argument("--seed", type=int, default=STUDENT.seed)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(cpus.available())
    teacher, student = (shrunk(replace(plan, seed=arguments.seed), arguments.shrink) for plan in (TEACHER, STUDENT))
    read = prepare(arguments.run)
    answered = teach(read, arguments.run, teacher) if arguments.teacher else answers.COMMITTED
    encoder.export(study(read, answered, arguments.run, student), MINILM, arguments.out)
    print(calibrate(arguments.out, corpus.held_out()))
    print(f"{arguments.out} is trained and calibrated; `make evaluate` measures it")


def shrunk(plan: Plan, times: int) -> Plan:
    """Return the plan with batches that are so many times smaller."""
    return replace(plan, most_rows=plan.most_rows // times, most_tokens=plan.most_tokens // times,
                   group_tokens=plan.group_tokens // times)  # fmt: skip


if __name__ == "__main__":
    main()
