"""Sentences made from frames."""

from collections import Counter

from src.training import frames


def test_the_same_seed_makes_the_same_sentences() -> None:
    assert list(frames.sentences()) == list(frames.sentences())
    assert list(frames.sentences()) != list(frames.sentences(seed=1))


def test_every_slot_is_filled() -> None:
    assert not [sentence for sentence, _ in frames.sentences() if "{" in sentence]


def test_no_sentence_is_made_twice() -> None:
    assert max(Counter(sentence for sentence, _ in frames.sentences()).values()) == 1


def test_each_opinion_has_its_opposite() -> None:
    """A frame that stood on one side alone would teach its words instead of what they do."""
    sides: dict[str, set[str]] = {"0.03": set(), "0.97": set()}
    for row in frames.table("frames.tsv"):
        sides.get(row["target"], set()).add(row["frame"])
    mirrored = str.maketrans({"\1": "{bad}", "\2": "{good}"})
    opposites = {frame.replace("{good}", "\1").replace("{bad}", "\2").translate(mirrored) for frame in sides["0.97"]}
    words = {"best": "worst", "better": "worse", "Far better": "Far worse"}
    for praise, blame in words.items():
        opposites = {frame.replace(praise, blame) for frame in opposites}
    assert opposites == sides["0.03"]


def test_the_sentence_that_countries_are_measured_with_is_not_made() -> None:
    assert not [sentence for sentence, _ in frames.sentences() if "filmed in" in sentence]


def test_the_names_that_are_measured_with_are_not_trained_with() -> None:
    trained = {row["name"] for row in frames.table("names_trained.tsv")}
    assert trained.isdisjoint(row["name"] for row in frames.table("names_measured.tsv"))
