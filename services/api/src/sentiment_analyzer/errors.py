"""What can go wrong before the first review is scored."""


class ModelError(Exception):
    """The model cannot be used; the message says which file is at fault and what to do about it."""
