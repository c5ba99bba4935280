"""Errors of loading a model and of scoring."""


class ModelError(Exception):
    """The model cannot be loaded. The message names the file and the remedy."""


class NotScored(Exception):
    """A review was not scored, for a reason that does not lie in the review; a retry may succeed."""


class QueueFull(NotScored):
    """The queue is full: another review would wait too long."""


class DeadlinePassed(NotScored):
    """The review was not scored before its deadline."""


class ScorerAway(NotScored):
    """The scorer process died, hung, or is being started."""


class ReviewFailed(Exception):
    """The review cannot be scored; a retry would fail too."""
