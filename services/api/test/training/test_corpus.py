"""The texts that are trained on, and those that are held out."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from src.training import corpus, counterfactuals, encoder, sentences
from src.training.corpus import Text
from src.training.stream import Corpus


def texts(*rows: tuple[str, str], kind: str = "phrase") -> list[Text]:
    """Return texts of (source, text)."""
    made = [Text(source, row, text, kind=kind) for row, (source, text) in enumerate(rows)]
    for text in made:
        text.words = corpus.words_of(text.text)
    return made


@pytest.fixture
def hold_out(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that decides which texts are held out: those that contain a word."""

    def only(word: str) -> None:
        monkeypatch.setattr(corpus, "_draw", lambda text: 0.0 if word in text else 1.0)

    return only


def test_a_held_out_sentence_takes_all_its_parts_with_it_in_both_sources(hold_out: Callable[[str], None]) -> None:
    found = texts(
        ("sst5_phrases", "a quiet and moving film"), ("sst2", "moving film"), ("sst5_phrases", "quiet"),
        ("sst5_phrases", "a loud film"), ("sst2", "a film"), ("sst2", "moving"),
    )  # fmt: skip
    hold_out("quiet")
    assert corpus.mark_sentences(found) == 1
    assert [text.held_out for text in found] == [True, True, True, False, False, True]


def test_a_sentence_is_a_phrase_that_is_part_of_no_longer_one(hold_out: Callable[[str], None]) -> None:
    found = texts(("sst2", "moving film"), ("sst2", "a moving film"), ("sst2", "moved film"))
    hold_out("nothing")
    corpus.mark_sentences(found)
    assert [text.kind for text in found] == ["phrase", "sentence", "sentence"]


def test_an_edited_review_and_its_original_are_held_out_together(hold_out: Callable[[str], None]) -> None:
    start, end = "one two three four five six seven eight", "which is all that there is to say today"
    found = texts(("imdb", f"{start} a wonderful film {end}"), ("imdb", f"another review of a film {end[:9]}"),
                  ("cad_new", f"{start} a terrible film {end}"), kind="review")  # fmt: skip
    for text, target in zip(found, (corpus.BY_LABEL[1], corpus.BY_LABEL[1], corpus.BY_LABEL[0]), strict=True):
        text.target = target
    hold_out("cad:")
    assert corpus.mark_pairs(found) == 1
    assert [text.held_out for text in found] == [True, False, True]
    assert found[0].note == found[2].note == "pair2"


def test_reviews_with_the_same_label_are_no_pair(hold_out: Callable[[str], None]) -> None:
    found = texts(("imdb", "one two three four five six seven eight good"),
                  ("cad_new", "one two three four five six seven eight great"), kind="review")  # fmt: skip
    for text in found:
        text.target = corpus.BY_LABEL[1]
    hold_out("nothing")
    corpus.mark_pairs(found)
    assert [text.note for text in found] == ["", ""]


def test_short_texts_overlap_when_they_are_equal_or_share_eight_words() -> None:
    shared = "one two three four five six seven eight"
    found = texts(("imdb", "A dull film!"), ("imdb", f"so {shared}, he said"), ("imdb", "a new text"))
    assert corpus.overlapping(found, ["a dull film", f"{shared} nine"]) == [True, True, False]


def test_long_reviews_may_quote_the_same_phrase() -> None:
    quote = "one two three four five six seven eight"
    [review] = texts(("imdb", f"{quote} {'word ' * corpus.LONG_TEXT}"))
    assert corpus.overlapping([review], [quote]) == [False]
    assert corpus.overlapping([review], [review.words]) == [True]


@pytest.mark.parametrize(
    ("source", "row", "likeliest"),
    [("sst5_phrases", {"label5": 2}, 1), ("sst5_phrases", {"label5": 1}, 0), ("sst2", {"label": 1}, 2),
     ("imdb", {"rating": 2, "label": 0}, 0), ("yts_unlabelled", {"rating": 5, "label": None}, 1),
     ("pl_scale_middle", {"rating01": 0.55}, 1), ("pl_scale", {"rating01": 0.95}, 2),
     ("subj_unlabelled", {"kind": "objective"}, 1), ("rt_critics", {"label": 0}, 0)],
)  # fmt: skip
def test_each_kind_of_label_becomes_three_probabilities(source: str, row: corpus.Row, likeliest: int) -> None:
    target = corpus.target_of(source, row)
    assert target is not None
    assert sum(target) == pytest.approx(1)
    assert int(np.argmax(target)) == likeliest


def test_subjective_sentences_have_no_label() -> None:
    assert corpus.target_of("subj_unlabelled", {"kind": "subjective"}) is None


def test_half_stars_lie_between_whole_ones() -> None:
    assert corpus.by_stars(8.5) == pytest.approx(np.mean([corpus.STARS[8], corpus.STARS[9]], axis=0))


def test_nothing_that_is_held_out_overlaps_what_is_trained_on() -> None:
    found = corpus.found()
    held = [text.words for text in found if text.held_out and text.kind != "phrase"]
    assert held
    assert not any(corpus.overlapping([text for text in found if not text.held_out], held))
    assert [text.text for text in corpus.held_out()] == [text.text for text in found if text.held_out]


def test_the_corpus_holds_out_frames_and_has_every_kind_of_item(small_corpus: Corpus) -> None:
    kinds = Counter(corpus.KINDS[kind] for kind in small_corpus.kind)
    assert set(kinds) >= set(corpus.KINDS) - {"phrase", "segment"}, "the sample is small"
    written = small_corpus.is_kind("written")
    assert 0 < small_corpus.held_out[written].mean() < 0.4
    assert (small_corpus.target[small_corpus.is_kind("snippet")].sum(axis=1) > 0.99).any()


def test_she_and_he_are_one_token() -> None:
    [one], [other] = (
        corpus.tokenize(texts(("imdb", text)), encoder.load_tokenizer())
        for text in ("He loves her and himself.", "She loves his and herself.")
    )
    assert one.tolist() == other.tolist()


def test_reviews_are_cut_into_sentences_clauses_and_pairs_of_sentences() -> None:
    stop, comma, word = 1012, 1010, 5000
    review = np.array([word] * 6 + [stop] + [word] * 5 + [comma] + [word] * 6 + [stop], np.uint16)
    parts = corpus.cut_reviews([review], (stop,), (), frozenset(), 0).tolist()
    assert parts == [[0, 0, 7], [0, 7, 13], [0, 7, 5], [0, 13, 7], [0, 0, 20]]


def test_the_committed_lists_hold_out_the_same_frames_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentences, "FILLINGS", 1)
    first, second = list(sentences.written()), list(sentences.written())
    assert first == second
    held = [frame for frame in sentences.frames() if frame.held_out]
    assert 0.04 < len(held) / len(sentences.frames()) < 0.12


def test_building_writes_a_summary(corpus_folder: Path) -> None:
    assert (corpus_folder / "summary.json").exists()
    assert counterfactuals.SIZE == 4
