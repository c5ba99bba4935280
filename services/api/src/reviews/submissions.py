"""Reviews as clients send them, before they are scored and stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias, TypedDict

from src.reviews.movies import MovieName

OwnReference: TypeAlias = tuple[str, str]
"""The owner of an API key, empty without one, and the owner's reference."""
Metadata: TypeAlias = Mapping[str, str | int | float | bool | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A review to be scored and stored."""

    sentence: str
    movie: MovieName | None = None
    reference: str | None = None
    """The client's own id of the review."""
    written_on: datetime | None = None
    metadata: Metadata | None = None
    owner: str = ""
    """The name of the client's API key; empty without one."""

    @property
    def own_reference(self) -> OwnReference | None:
        """The reference with its owner, which together are unique."""
        return None if self.reference is None else (self.owner, self.reference)


class Details(TypedDict, total=False):
    """Changes of a review that do not affect its score. A missing member is kept as it is; None removes it."""

    movie: MovieName | None
    written_on: datetime | None
    metadata: Metadata | None
