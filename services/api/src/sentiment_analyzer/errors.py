"""What can go wrong before the first review is scored."""


class ModelError(Exception):
    """The model cannot be used; the message says which file is at fault and what to do about it."""


class NotScored(Exception):
    """A review was not scored, for a reason that is not its own; trying again later may help."""


class QueueFull(NotScored):
    """So many reviews wait already that another one would wait too long."""


class DeadlinePassed(NotScored):
    """The review waited too long."""


class ScorerAway(NotScored):
    """The scorer died, hung, or is being started again."""


class ReviewFailed(Exception):
    """Scoring this review failed, and would again."""
