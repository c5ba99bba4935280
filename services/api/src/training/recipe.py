"""How the shipped model is made, as data: in stages, each a recipe of its own."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Recipe:
    """Every choice that changes the weights that a stage of training ends with. The defaults are the first stage's."""

    after: str | None = None
    """The stage whose weights this one starts from; the pretrained encoder's if None."""
    sources: tuple[str, ...] = ("sst2", "rt_critics", "imdb", "cad_new")
    held_out: float = 0.02
    """Share of the labelled data that is never trained on: it fits the temperature and guides choices."""
    max_tokens: int = 128
    """Longer texts are cut, special tokens included, to their beginning or their end."""
    ends_by_row: bool = False
    """The end is read of every other text instead of in every other epoch."""
    epochs: int = 2
    batch_size: int = 48
    """The most texts that are read in one step."""
    batch_tokens: int | None = None
    """The most tokens, padding included, that are read in one step."""
    learning_rate: float = 8e-5
    warmup: float = 0.06
    """Share of the steps over which the learning rate rises; then it falls to zero linearly."""
    weight_decay: float = 0.01
    gradient_norm: float = 1.0
    dropout: float = 0.1
    attention_dropout: float = 0.0
    """Zero for speed: on two cores a step of 48 x 128 tokens took 1.8 s without it and 2.5 s with 0.1."""
    label_smoothing: float = 0.0
    """Targets are drawn this much towards one half: Szegedy et al. (2015), https://arxiv.org/abs/1512.00567."""
    swaps: bool = False
    """Countries, names and pronouns are exchanged in half of the texts (`swaps`)."""
    seed: int = 7

    def learning_rate_at(self, step: int, steps: int) -> float:
        """Return the learning rate of step `step` of `steps`, counted from 0."""
        warmup = max(1, round(self.warmup * steps))
        if step < warmup:
            return self.learning_rate * (step + 1) / warmup
        return self.learning_rate * (steps - step) / max(1, steps - warmup)


STAGES = {
    "short": Recipe(),
    "long": Recipe(
        after="short",
        sources=("imdb_ratings", "yts_imdb", "pl_scale", "cad_new", "rt_critics", "sst5_phrases", "plots", "frames"),
        max_tokens=256,
        ends_by_row=True,
        epochs=1,
        batch_size=64,
        batch_tokens=4096,
        learning_rate=5e-5,
        dropout=0.0,
        label_smoothing=0.05,
        swaps=True,
    ),
    "phrases": Recipe(
        sources=(
            "sst2",
            "sst5_phrases",
            "rt_critics",
            "pl_scale",
            "cad_new",
            "cad_new",
            "plots",
            "frames",
            "contrasts",
        ),
        ends_by_row=True,
        epochs=1,
        batch_size=64,
        swaps=True,
    ),
}
"""Recipes by name; the model is a mean of what they end with."""
SHARES = {"short": 0.2, "long": 0.5, "phrases": 0.3}
"""How much of each is in that mean, chosen on held-out texts (the model card has the others that were tried)."""
