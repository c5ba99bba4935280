"""Sentences made from frames."""

import re
from collections import Counter

from src.training import frames


def test_the_same_seed_makes_the_same_sentences() -> None:
    assert list(frames.sentences()) == list(frames.sentences())
    assert list(frames.sentences()) != list(frames.sentences(seed=1))


def test_every_slot_is_filled() -> None:
    assert not [sentence for sentence, _ in [*frames.sentences(), *frames.contrasts()] if "{" in sentence]


def test_no_sentence_is_made_twice() -> None:
    made = Counter(sentence for sentence, _ in [*frames.sentences(), *frames.contrasts()])
    assert [sentence for sentence, times in made.items() if times > 1] == []


def test_each_opinion_has_its_opposite() -> None:
    """A frame that stood on one side alone would teach its words instead of what they do."""
    praise, blame = (
        {row["frame"] for row in frames.table("frames.tsv") if row["target"] == target} for target in ("0.97", "0.03")
    )
    exchanged = {"{good}": "{bad}", "{bad}": "{good}", "weak": "{good}", "best": "worst", "better": "worse"}
    pattern = re.compile("|".join(map(re.escape, exchanged)))
    assert {pattern.sub(lambda match: exchanged[match[0]], frame) for frame in praise} == blame


def test_a_contrast_says_both_sides_with_the_same_slots() -> None:
    """Else a name or a country would be tied to one side."""
    for row in frames.table("contrasts.tsv"):
        slots = [sorted(re.findall("{(name|country|thing)}", row[side])) for side in ("praise", "blame")]
        assert slots[0] == slots[1], row


def test_no_contrast_is_a_sentence_that_is_measured_with() -> None:
    measured = {row["text"] for row in frames.table("hard_cases.tsv")}
    assert measured.isdisjoint(sentence for sentence, _ in frames.contrasts())


def test_as_many_contrasts_praise_as_blame() -> None:
    targets = Counter(target for _, target in frames.contrasts())
    assert 0.9 < targets[frames.PRAISE] / targets[frames.BLAME] < 1.1


def test_the_sentence_that_countries_are_measured_with_is_not_made() -> None:
    assert not [sentence for sentence, _ in frames.sentences() if "filmed in" in sentence]


def test_the_names_that_are_measured_with_are_not_trained_with() -> None:
    trained = {row["name"] for row in frames.table("names_trained.tsv")}
    assert trained.isdisjoint(row["name"] for row in frames.table("names_measured.tsv"))
