"""The log of the scorer process: JSON lines, by the standard library alone."""

import json
import logging
import traceback
from datetime import UTC, datetime


class JsonFormatter(logging.Formatter):
    """Log records as JSON lines, with the keys of the service's own log.

    An exception is logged as its type and its last frames. Its message may quote a review, so it is left out.
    """

    FRAMES = 8

    def format(self, record: logging.LogRecord) -> str:
        """Return one line without its line break."""
        line: dict[str, object] = {
            "event": record.getMessage(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z"),
        }
        if record.exc_info and (error := record.exc_info[1]):
            frames = [
                f"{frame.f_code.co_filename}:{number} {frame.f_code.co_name}"
                for frame, number in traceback.walk_tb(error.__traceback__)
            ]
            line["exception"] = {"error": type(error).__name__, "where": frames[-self.FRAMES :]}
        return json.dumps(line)


def log_as_json() -> None:
    """Write log records of level INFO and above, and warnings, to standard error as JSON lines."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level="INFO", handlers=[handler], force=True)
    logging.captureWarnings(True)  # noqa: FBT003  # takes no keyword
