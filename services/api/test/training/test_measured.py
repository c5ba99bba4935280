"""The texts that measure the model."""

import csv
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

import src.training

MEASURED = Path(src.training.__file__).parent / "measured"
SENTIMENTS = {"negative", "neutral", "positive"}
COLUMNS = {
    "turns.tsv": ["kind", "label", "text"],
    "off_domain.tsv": ["kind", "text"],
    "foreign.tsv": ["language", "text"],
    "typed.tsv": ["typed", "accepted"],
    "identities.tsv": ["kind", "template"],
    "measured_names.tsv": ["origin", "gender", "name"],
}
TEXT = {"turns.tsv": "text", "off_domain.tsv": "text", "foreign.tsv": "text", "typed.tsv": "typed"}


def rows(name: str) -> list[dict[str, str]]:
    with (MEASURED / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE, strict=True))


def words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[^\W_]+(?:'[^\W_]+)*", text.casefold()))


def counts(name: str, column: str) -> Counter[str]:
    return Counter(row[column] for row in rows(name))


@pytest.mark.parametrize("name", COLUMNS)
def test_every_line_has_every_column(name: str) -> None:
    for line in (MEASURED / name).read_text(encoding="utf-8").splitlines():
        fields = line.split("\t")
        assert len(fields) == len(COLUMNS[name]), line
        assert all(field and field == field.strip() for field in fields), line
    assert list(rows(name)[0]) == COLUMNS[name]


@pytest.mark.parametrize("name", TEXT)
def test_no_text_is_given_twice(name: str) -> None:
    texts = [row[TEXT[name]] for row in rows(name)]
    # What has no words (emoji, stars, punctuation) differs by its characters.
    assert [text for text, times in Counter(words(text) or text for text in texts).items() if times > 1] == []


def test_at_most_two_sentences_share_a_frame() -> None:
    eights: Counter[tuple[str, ...]] = Counter()
    openings: Counter[tuple[str, ...]] = Counter()
    for row in rows("turns.tsv"):
        found = words(row["text"])
        eights.update({found[i : i + 8] for i in range(len(found) - 7)})
        openings[found[:4]] += 1
    assert [frame for frame, times in (eights + openings).items() if times > 2] == []


@pytest.mark.parametrize("name", ["off_domain.tsv", "foreign.tsv"])
def test_no_two_texts_share_eight_words(name: str) -> None:
    eights = Counter[tuple[str, ...]]()
    for row in rows(name):
        found = words(row["text"])
        eights.update({found[i : i + 8] for i in range(len(found) - 7)})
    assert [eight for eight, times in eights.items() if times > 1] == []


def test_turns_are_500_with_a_known_label_and_balanced_in_each_kind() -> None:
    kinds = counts("turns.tsv", "kind")
    assert kinds.total() == 500
    assert min(kinds[kind] for kind in ("negation", "double_negation", "comparison", "turn", "change")) >= 60
    assert kinds["mixed"] + kinds["conditional"] >= 60
    assert min(kinds.values()) >= 30
    labels = Counter((row["kind"], row["label"]) for row in rows("turns.tsv"))
    assert {label for _, label in labels} == SENTIMENTS
    assert {kind for kind, label in labels if label == "neutral"} == {"mixed"}
    assert all(labels[kind, "negative"] == labels[kind, "positive"] for kind in kinds)


def test_off_domain_is_300_of_roughly_even_kinds() -> None:
    kinds = counts("off_domain.tsv", "kind")
    assert kinds.total() == 300
    assert min(kinds.values()) >= 20
    assert max(kinds.values()) <= 35


def test_ten_full_reviews_in_each_of_eight_languages() -> None:
    assert counts("foreign.tsv", "language") == dict.fromkeys(("de", "fr", "es", "it", "pt", "ru", "zh", "hi"), 10)
    for row in rows("foreign.tsv"):
        if row["language"] == "zh":  # written without spaces: about two characters a word
            assert 80 <= len(row["text"]) <= 240, row["text"]
        else:
            assert 40 <= len(row["text"].split()) <= 120, row["text"]


def test_what_a_person_would_accept_is_known_and_decides_something() -> None:
    assert len(rows("typed.tsv")) >= 80
    for row in rows("typed.tsv"):
        accepted = row["accepted"].split(",")
        assert set(accepted) <= SENTIMENTS | {"unsure"}, row
        assert len(accepted) == len(set(accepted)), row
        assert len(SENTIMENTS.intersection(accepted)) < 3, row


def test_each_template_has_the_fields_of_its_kind_only() -> None:
    fields = {
        "country": {"country"},
        "name": {"name"},
        "religion": {"religion"},
        "nationality": {"nationality"},
        "pronoun": {"subject", "object", "possessive", "Subject", "Possessive"},
    }
    kinds = counts("identities.tsv", "kind")
    assert kinds["country"] == 20
    assert set(kinds) == set(fields)
    assert min(kinds.values()) >= 10
    for row in rows("identities.tsv"):
        found = set(re.findall(r"\{(\w+)\}", row["template"]))
        assert found, row
        assert found <= fields[row["kind"]], row
        # The word that is filled in may begin with a vowel or not.
        assert not [
            pair for pair in pairwise(row["template"].lower().split()) if pair[0] in {"a", "an"} and "{" in pair[1]
        ]


def test_25_names_of_each_of_eight_origins_of_both_genders() -> None:
    assert sorted(counts("measured_names.tsv", "origin").values()) == [25] * 8
    assert len(counts("measured_names.tsv", "name")) == 200
    genders = Counter((row["origin"], row["gender"]) for row in rows("measured_names.tsv"))
    assert sorted(genders.values()) == [12] * 8 + [13] * 8
    assert {gender for _, gender in genders} == {"female", "male"}
