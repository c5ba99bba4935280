"""The service's own app for servers that do not read gunicorn.conf.py, with the same logs and metrics.

With GEVENT=1 the driver of PostgreSQL waits cooperatively.
"""

import os

if os.environ.get("GEVENT"):
    from psycogreen.gevent import patch_psycopg

    patch_psycopg()

from src.config import Settings
from src.server import logs

settings = Settings.from_env()
logs.configure(settings.log_level)

from src.wsgi import app  # noqa: E402  # importing it connects to the scorer; its log lines need the configuration

__all__ = ["app", "settings"]
