"""Sentences that this project wrote."""

import random
from collections import Counter

import numpy as np
import pytest

from src.training import counterfactuals, measures, names, sentences
from src.training.corpus import words_of


@pytest.fixture(scope="module")
def written() -> list[sentences.Sentence]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sentences, "FILLINGS", 3)
        return list(sentences.written())


def test_every_slot_is_filled_and_every_target_adds_up_to_one(written: list[sentences.Sentence]) -> None:
    assert not [made.text for made in written if "{" in made.text or "}" in made.text]
    assert all(sum(made.target) == pytest.approx(1) for made in written)


def test_praise_and_blame_are_in_balance(written: list[sentences.Sentence]) -> None:
    sides = Counter(int(np.argmax(made.target)) for made in written if made.kind == "turn")
    assert 0.8 < sides[0] / sides[2] < 1.25


def test_a_pair_of_frames_is_held_out_together() -> None:
    by_key: dict[str, set[bool]] = {}
    for frame in sentences.frames():
        by_key.setdefault(frame.key, set()).add(frame.held_out)
    assert all(len(held) == 1 for held in by_key.values())


@pytest.mark.parametrize(
    ("share", "likeliest"), [(0.0, 0), (0.1, 0), (0.4, 0), (0.5, 1), (0.6, 1), (0.7, 2), (0.8, 2), (1.0, 2)]
)
def test_a_rating_is_blame_neutral_or_praise(share: float, likeliest: int) -> None:
    assert int(np.argmax(sentences.of_share(share))) == likeliest


def test_the_target_of_a_rating_rises_with_it() -> None:
    scores = [target[2] - target[0] for target in map(sentences.of_share, np.linspace(0, 1, 41))]
    assert scores == sorted(scores)


def test_no_hard_sentence_of_five_words_is_among_the_written_ones_but_by_chance(
    written: list[sentences.Sentence],
) -> None:
    measured = {words_of(row["text"]) for row in measures.table("turns.tsv") if len(row["text"].split()) >= 5}
    assert len(measured.intersection(words_of(made.text) for made in written)) <= 3


def test_an_article_fits_the_word_after_it() -> None:
    draw = random.Random(0)
    assert sentences.fill("a {word}", {"word": ["awful film"]}, draw) == "an awful film"
    assert sentences.fill("a {word}", {"word": ["film"]}, draw) == "a film"


def test_the_members_of_a_group_differ_in_one_word_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counterfactuals, "FRAME_GROUPS", 1)
    groups = list(counterfactuals.of_frames())
    assert {group.kind for group in groups} == {"country", "name", "nationality", "religion"}
    for group in groups:
        assert len(group.texts) == counterfactuals.SIZE == len(set(group.texts))
        shared = set.intersection(*(set(text.split()) for text in group.texts))
        assert shared or len(group.texts[0].split()) <= 4


def test_a_found_text_becomes_a_group_around_the_word_that_it_mentions() -> None:
    [group] = counterfactuals.of_found(["no name here", "A film from Norway about nothing."], 5)
    assert group.kind == "country"
    assert group.texts[0] == "A film from Norway about nothing."
    assert all(text.startswith("A film from ") and text.endswith(" about nothing.") for text in group.texts)


def test_an_article_before_an_exchanged_word_fits_it() -> None:
    [group] = counterfactuals.of_found(["An Italian film."], 1)
    for text in group.texts:
        article, word = text.split()[:2]
        assert article == ("An" if word[0] in "AEIOU" else "A"), text


def test_names_that_are_watched_are_not_trained_on() -> None:
    assert names.watched().isdisjoint(name.lower() for name in names.first_names())
    assert len(names.countries()) == 197
