"""gunicorn's logger, whose lines are the service's: JSON, and without a word of a review."""

import logging

from gunicorn import glogging
from gunicorn.config import Config

_QUOTING = ("Invalid request from ip=", "Error handling request %s")
"""How the messages begin that quote a request, in which a review may be; `write_problem` logs what becomes of it."""


class Logger(glogging.Logger):  # type: ignore[misc]  # gunicorn has no type hints
    """What gunicorn.conf.py names."""

    def setup(self, cfg: Config) -> None:
        """Hand what gunicorn logs to the handler of `logs.configure`."""
        super().setup(cfg)
        self.error_log.propagate = True
        self.error_log.addFilter(_quotes_nothing)


def _quotes_nothing(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith(_QUOTING)
