"""Sentences that this project wrote: without an opinion, with one, and with one that is turned round.

`words/sentences.tsv`, `frames.tsv`, `pairs.tsv` and `contrasts.tsv` have a frame or two a line, whose slots are filled
at random from the lists beside them, so that no country, name or religion is tied to a side. Ratings, emoji and
keyboard noise are made here.
"""

import hashlib
import itertools
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from string import Formatter

from src.training import names, tables

Target = tuple[float, float, float]
"""P(negative), P(neutral), P(positive)."""

PRAISE: Target = (0.01, 0.03, 0.96)
BLAME: Target = (0.96, 0.03, 0.01)
NEUTRAL: Target = (0.03, 0.94, 0.03)
MIXED: Target = (0.12, 0.76, 0.12)
EVENT: Target = (0.10, 0.80, 0.10)
_KINDS = {"plain": NEUTRAL, "mixed": MIXED, "event": EVENT}

FILLINGS = 40
"""The most fillings of a frame; equal sentences are kept once."""
HELD_OUT = 0.08
"""Share of the frames whose sentences are never trained on, to see how well others than the trained ones are read."""

SUBJECTS = ("country", "nationality", "name", "religion")
"""The slots that no score may follow from."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A written sentence, its target and its kind."""

    text: str
    target: Target
    kind: str
    held_out: bool


@dataclass(frozen=True, slots=True)
class Frame:
    """A sentence with slots. `key` says which frames are held out together."""

    text: str
    target: Target
    kind: str
    key: str

    @property
    def held_out(self) -> bool:
        """Return whether its sentences are kept from training."""
        return _draw(self.key) < HELD_OUT


def frames() -> list[Frame]:
    """Return all frames, those of a pair one after the other."""
    made = [Frame(row["frame"], _KINDS[row["kind"]], row["kind"], row["frame"]) for row in tables.rows("sentences.tsv")]
    for row in tables.rows("frames.tsv"):
        target = {"0.5": NEUTRAL, "0.97": PRAISE, "0.03": BLAME}[row["target"]]
        made.append(Frame(row["frame"], target, "plain" if target == NEUTRAL else "turn", row["frame"]))
    for name in ("pairs.tsv", "contrasts.tsv"):
        for row in tables.rows(name):
            made.append(Frame(row["praise"], PRAISE, "turn", row["praise"]))
            made.append(Frame(row["blame"], BLAME, "turn", row["praise"]))
    return made


def fillings() -> dict[str, Sequence[str]]:
    """Return the fillings of each slot."""
    slots: dict[str, list[str]] = {}
    for row in tables.rows("fillings.tsv"):
        slots.setdefault(row["slot"], []).append(row["filling"])
    judgements = tables.rows("judgements.tsv") + 3 * tables.rows("opinions.tsv")
    qualities = tables.rows("qualities.tsv")
    return {
        **slots,
        "country": names.countries(),
        "nationality": tables.lines("nationalities.txt"),
        "name": names.first_names(),
        "thing": tables.lines("things.txt"),
        "good": [row["good"] for row in judgements],
        "bad": [row["bad"] for row in judgements],
        "fine": [row["good"] for row in qualities],
        "poor": [row["bad"] for row in qualities],
    }


def fill(frame: str, slots: dict[str, Sequence[str]], draw: random.Random) -> str:
    """Return the frame with each slot filled at random."""
    parts = Formatter().parse(frame)
    text = "".join(text + (draw.choice(slots[slot]) if slot else "") for text, slot, _, _ in parts)
    return re.sub(r"\b([Aa]) (?=[aeiouAEIOU])", r"\1n ", text)


def written(seed: int = 0) -> Iterator[Sentence]:
    """Yield all written sentences; the same ones for the same seed."""
    draw = random.Random(seed)  # noqa: S311  # a sample, not a secret
    slots = fillings()
    for frame in frames():
        made = {_varied(fill(frame.text, slots, draw), draw) for _ in range(FILLINGS)}
        yield from (Sentence(text, frame.target, frame.kind, frame.held_out) for text in sorted(made))
    for kind, makers in (("rating", ratings), ("emoji", emoji), ("noise", noise)):
        for text, target in sorted(set(makers(draw, slots))):
            yield Sentence(text, target, kind, _draw(text) < HELD_OUT)


def _varied(text: str, draw: random.Random) -> str:
    """Return the text as some people type it: without the last full stop, or with more than one mark."""
    if text.endswith(".") and draw.random() < 0.3:
        return text[:-1]
    if text.endswith(".") and draw.random() < 0.05:
        return text[:-1] + draw.choice(("!", "...", "!!", " ."))
    return re.sub("n't", " n't", text) if "n't" in text and draw.random() < 0.05 else text


def of_share(share: float) -> Target:
    """Return the target of a rating, as its share of the most that can be given."""
    points = (
        (0.30, (0.96, 0.03, 0.01)),
        (0.40, (0.78, 0.19, 0.03)),
        (0.50, (0.30, 0.56, 0.14)),
        (0.60, (0.13, 0.60, 0.27)),
        (0.70, (0.04, 0.24, 0.72)),
        (0.80, (0.01, 0.05, 0.94)),
    )
    if share <= points[0][0]:
        return points[0][1]
    for (low, before), (high, after) in itertools.pairwise(points):
        if share <= high:
            return _between(before, after, (share - low) / (high - low))
    return points[-1][1]


_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_RATINGS = (
    "{n}/{m}", "{n} / {m}", "{n}/{m}.", "{n} out of {m}", "{n} out of {m}.", "{w} out of {v}", "Rating: {n}/{m}",
    "I give it {n}/{m}", "I give it {n} out of {m}.", "I'd give it a {n}/{m}.", "{n} of {m}", "My score: {n}/{m}",
    "{n}/{m} from me", "Overall {n}/{m}", "a solid {n}/{m}", "{title}: {n}/{m}", "{title} {n}/{m}",
    "I rate {title} {n} out of {m}.", "It gets {w} out of {v} from me.", "{n} points out of {m}", "score {n}/{m}",
    "Verdict: {n}/{m}", "{n}/{m} stars",
)  # fmt: skip
_STARS = ("{n} out of {m} stars", "{n} of {m} stars", "{n}/{m} stars", "{w} out of {v} stars", "{n} stars out of {m}",
          "{row}", "{row} {title}", "{title} {row}", "{title}: {n} out of {m} stars", "I give it {n} out of {m} stars.",
          "{w} stars", "{n} stars", "{n} stars.", "{n} star rating", "I gave it {w} stars.")  # fmt: skip


_GRADES = {"A+": 1.0, "A": 0.95, "A-": 0.9, "B+": 0.8, "B": 0.74, "B-": 0.68, "C+": 0.6, "C": 0.5, "C-": 0.43,
           "D+": 0.35, "D": 0.3, "D-": 0.2, "F": 0.0}  # fmt: skip
_VERDICTS = (
    ("thumbs up", PRAISE), ("two thumbs up", PRAISE), ("thumbs up from me", PRAISE), ("thumbs down", BLAME),
    ("two thumbs down", BLAME), ("a big thumbs down", BLAME), ("10/10 would watch again", PRAISE),
    ("0/10 would not watch again", BLAME), ("zero stars", BLAME), ("no stars", BLAME), ("not even one star", BLAME),
    ("minus one star", BLAME), ("-1/10", BLAME), ("11/10", PRAISE), ("12 out of 10", PRAISE), ("5 stars!!!", PRAISE),
    ("one star", BLAME), ("1 star", BLAME), ("1 star.", BLAME), ("five stars", PRAISE), ("full marks", PRAISE),
    ("top marks", PRAISE), ("I wish I could give it zero stars.", BLAME), ("0 stars if I could", BLAME),
    ("I wish I could give it more than 10", PRAISE), ("five stars are not enough", PRAISE),
    ("one star is too many", BLAME), ("one star too many", BLAME),
)  # fmt: skip


def ratings(draw: random.Random, slots: dict[str, Sequence[str]]) -> Iterator[tuple[str, Target]]:
    """Yield ratings in all notations, alone and after a sentence of the same opinion."""
    for most, forms in ((10, _RATINGS), (5, _STARS), (5, _RATINGS), (4, _STARS[:6]), (100, _RATINGS[:4])):
        for form in forms:
            for number in range(0, most + 1, 5 if most == 100 else 1):
                yield from _rated(form, number, most, draw, slots)
    for grade, share in _GRADES.items():
        for form in ("Grade: {}", "grade {}", "I give it a {}.", "I'd give it a {}", "a {} film", "{title}: {}"):
            yield form.replace("{title}", draw.choice(slots["title"])).format(grade), of_share(share)
    for number in range(0, 101, 4):
        for form in ("{}%", "{} percent", "{} %", "My rating is {}%", "Score: {}%", "{} points of 100"):
            yield form.format(number), _between(of_share(number / 100), NEUTRAL, 0.5)
    yield from _VERDICTS


def _rated(
    form: str, number: int, most: int, draw: random.Random, slots: dict[str, Sequence[str]]
) -> Iterator[tuple[str, Target]]:
    values = {"n": number, "m": most, "w": number, "v": most, "title": draw.choice(slots["title"])}
    if most <= 10:
        values |= {"w": _NUMBERS[number], "v": _NUMBERS[most]}
        values["row"] = draw.choice(("★", "★", "⭐")) * number + "☆" * (most - number)
    text = form.format(**values)
    yield text, of_share(number / most)
    half = number + 0.5
    if most == 5 and number < most and "{n}" in form and draw.random() < 0.5:
        yield form.format(**{**values, "n": half}), of_share(half / most)
    if draw.random() < 0.5 and number / most >= 0.8:
        yield f"{fill('The {part} is {good}.', slots, draw)} {text}", PRAISE
    if draw.random() < 0.5 and number / most <= 0.3:
        yield f"{fill('The {part} is {bad}.', slots, draw)} {text}", BLAME
    if draw.random() < 0.2:
        yield f"{fill('I watched {title} on {weekday}.', slots, draw)} {text}", of_share(number / most)


def _between(one: Target, other: Target, share: float) -> Target:
    """Return the target that lies `share` of the way from one to the other."""
    negative, neutral, positive = (a + share * (b - a) for a, b in zip(one, other, strict=True))
    return negative, neutral, positive


_GLAD = "😍 🥰 😊 😀 😁 😄 😃 👍 ❤️ 💕 💖 🎉 👏 🙌 💯 🤩 😎 😻 🥇 🏆 🙂 ☺️ 😋 🤗 😂 🤣 ♥️ 👌 🫶 🔥 😘".split()
_CROSS = "😡 😠 🤬 👎 😤 😒 🙄 🤮 🤢 💩 😞 😩 😫 😖 ☹️ 🙁 😴 🥱 💔 🤦 😣 😾 🗑️ 😕 🤡 😵 😬".split()
_PLAIN = ("😐 😶 🤔 🍿 🎬 🎥 📽️ 🎞️ 📺 🎭 👀 🎟️ 🚗 🏠 📅 ☕ 🍕 🐶 🌍 🇫🇷 🇯🇵 🇳🇬 🤷 🎵 📖 🕒 🚂 🌧️ 🪑 📎 🐱 🍎 ⚽ 💻 📱 🗺️ "
          "🎸 🚪 🌳 🧀 🇧🇷 🇩🇪 🇮🇳 🚀 🐟").split()  # fmt: skip
_CRYING: Target = (0.42, 0.40, 0.18)


def emoji(draw: random.Random, slots: dict[str, Sequence[str]]) -> Iterator[tuple[str, Target]]:
    """Yield emoji alone, in rows, and at the end of sentences."""
    facts = [frame.text for frame in frames() if frame.kind == "plain" and len(frame.text) > 25 and not frame.held_out]
    for signs, target, opinion in ((_GLAD, PRAISE, "{good}"), (_CROSS, BLAME, "{bad}"), (_PLAIN, NEUTRAL, None)):
        for sign in signs:
            yield sign, target
            yield sign * 2, target
            yield sign * 3, target
            yield f"{sign} {sign}", target
            yield sign + draw.choice(signs), target
            yield sign + draw.choice(signs) + draw.choice(signs), target
            for _ in range(6):
                fact = fill(draw.choice(facts), slots, draw)
                yield f"{fact} {sign}", _between(target, NEUTRAL, 0.25)
                yield fill(f"{{title}} {sign}", slots, draw), target
            if opinion:
                for form in ("It was " + opinion, "The {part} is " + opinion + ".", opinion, "so " + opinion):
                    yield f"{fill(form, slots, draw)} {sign}", target
            else:
                for form, side in _SIDES:
                    yield f"{fill(form, slots, draw)} {sign}", side
    for sign in ("😢", "😭", "😱", "🥺"):
        for row in (sign, sign * 2, sign * 3):
            yield row, _CRYING
    for text, target in ((":)", PRAISE), (":-)", PRAISE), (":D", PRAISE), ("<3", PRAISE), (":(", BLAME), (":-(", BLAME),
                         (":/", (0.5, 0.45, 0.05)), (":|", NEUTRAL)):  # fmt: skip
        yield text, _between(target, NEUTRAL, 0.3)


_SIDES = (
    ("It was {good}", PRAISE), ("It was {bad}", BLAME), ("The {part} is {good}.", PRAISE),
    ("The {part} is {bad}.", BLAME),
)  # fmt: skip
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "1234567890")


def noise(draw: random.Random, slots: dict[str, Sequence[str]]) -> Iterator[tuple[str, Target]]:
    """Yield keys struck at random, and words in no order."""
    for _ in range(500):
        row = draw.choice(_ROWS)
        yield "".join(draw.choice(row) for _ in range(draw.randint(2, 12))), NEUTRAL
        start = draw.randrange(len(row) - 2)
        yield row[start : start + draw.randint(2, 7)] * draw.randint(1, 3), NEUTRAL
        yield draw.choice("abcdefghijklmnopqrstuvwxyz?!.,-x") * draw.randint(1, 9), NEUTRAL
        letters = "abcdefghijklmnopqrstuvwxyz"
        pieces = ("".join(draw.choice(letters) for _ in range(draw.randint(1, 8))) for _ in range(draw.randint(1, 5)))
        yield " ".join(pieces), NEUTRAL
        yield " ".join(draw.choice(slots["plainword"]) for _ in range(draw.randint(2, 7))), NEUTRAL
        yield str(draw.randrange(10 ** draw.randint(1, 8))), NEUTRAL


def _draw(text: str) -> float:
    """Return a number in [0, 1) that follows from the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64
