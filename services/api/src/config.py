"""Settings, read from the environment when `Settings.from_env` is called and not on import."""

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import click
from environs import Env
from marshmallow import validate
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from src.sentiment_analyzer import cpus

ROOT = Path(__file__).resolve().parent.parent
"""services/api, the folder of `model/`, `migrations/` and `instance/`."""

POOL_MAX = 80
"""The most database connections of the service. PostgreSQL's default limit is 100, of which it keeps 3 for itself."""
COMMAND_CONNECTIONS = 10
"""The database connections that are left to commands."""

OWNER = re.compile("[A-Za-z0-9._-]{1,40}")
"""The pattern of a key owner's name: shorter than a key, so that a key is never taken for a name."""
_DIGEST = re.compile("[0-9a-f]{64}")

T = TypeVar("T")


def _web_workers() -> int:
    """Return a third of the cores: a short review takes as long in a web process as in the scorer, a long one less."""
    return max(1, min(8, cpus.available() // 3))


class ConfigError(click.ClickException):
    """An invalid setting. The message names the variable; `flask` commands show it without a traceback."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of the service; `.env.example` lists the variables with their defaults."""

    database_url: URL | None = None
    """None means the embedded PostgreSQL in `instance_path`."""
    instance_path: Path = ROOT / "instance"
    model_path: str = str(ROOT / "model")
    host: str = "127.0.0.1"
    port: int = 5051
    web_workers: int = field(default_factory=_web_workers)
    """The processes that answer requests. They share one scorer, `threads`, `queue` and the database connections."""
    threads: int = 96
    """The number of requests handled at once, and of database connections, up to `POOL_MAX`."""
    queue: int = 64
    """The most reviews that wait to be scored or are being scored; a further one is refused with 503. Keep it below
    `threads`, so that threads remain to refuse it and to answer other requests."""
    scoring_seconds: int = 10
    """The longest wait of a review for its score."""
    max_body_bytes: int = 2 * 1024 * 1024
    """The limit of a request body; in a bulk request, of each record."""
    max_bulk_bytes: int = 64 * 1024 * 1024
    """The limit of the body of a bulk request."""
    max_sentence_chars: int = 100_000
    log_level: str = "INFO"
    require_durability: bool = True
    """Whether a database that may lose what it has committed counts as not ready."""
    api_keys: Mapping[str, str] = field(default_factory=dict)
    """Owners' names by the SHA-256 of their keys, in hexadecimal. Without keys the service is open."""

    @classmethod
    def from_env(cls) -> "Settings":
        """Read the environment.

        :raises ConfigError: a variable is invalid.
        """
        env, default = Env(), cls()

        def read(name: str, value: T, parse: Callable[[str], T]) -> T:
            """Return the variable as `parse` reads it. An empty one is unset: Compose passes unset ones on as empty."""
            if not env.str(name, ""):
                return value
            try:
                return parse(name)
            except ValueError as error:  # environs' errors are ValueErrors
                raise ConfigError(f"{name}: {error}") from error

        def integer(name: str, value: int, low: int, high: int) -> int:
            return read(name, value, lambda name: env.int(name, validate=validate.Range(low, high)))

        return cls(
            database_url=read("DATABASE_URL", default.database_url, lambda name: _database_url(env.str(name))),
            instance_path=read("INSTANCE_PATH", default.instance_path, lambda name: env.path(name).absolute()),
            model_path=read("MODEL_PATH", default.model_path, env.str),
            host=read("HOST", default.host, env.str),
            port=integer("PORT", default.port, 1, 65_535),
            web_workers=integer("WEB_WORKERS", default.web_workers, 1, POOL_MAX // 4),
            threads=integer("THREADS", default.threads, 1, 1000),
            queue=integer("QUEUE", default.queue, 1, 100_000),
            scoring_seconds=integer("SCORING_SECONDS", default.scoring_seconds, 1, 3600),
            max_body_bytes=integer("MAX_BODY_BYTES", default.max_body_bytes, 1, 2**30),
            max_bulk_bytes=integer("MAX_BULK_BYTES", default.max_bulk_bytes, 1, 2**40),
            max_sentence_chars=integer("MAX_SENTENCE_CHARS", default.max_sentence_chars, 1, 10**7),
            api_keys=read("API_KEYS", default.api_keys, lambda name: _api_keys(env.str(name))),
            require_durability=read("REQUIRE_DURABILITY", default.require_durability, env.bool),
            log_level=read("LOG_LEVEL", default.log_level, lambda name: logging.getLevelName(env.log_level(name))),
        )

    @property
    def threads_of_worker(self) -> int:
        """The number of requests that each web process handles at once."""
        return -(-self.threads // self.web_workers)

    @property
    def queue_of_worker(self) -> int:
        """The most reviews that wait in each web process: fewer than its threads, where `queue` is below `threads`."""
        return -(-self.queue // self.web_workers)

    @property
    def pool_of_worker(self) -> int:
        """The database connections that the threads of each web process share. The watchdog has one more."""
        return min(self.threads_of_worker, POOL_MAX // self.web_workers - 1)

    @property
    def connections(self) -> int:
        """The most database connections of all web processes."""
        return self.web_workers * (self.pool_of_worker + 1)

    @property
    def bind(self) -> str:
        """The address to listen on, `host:port`; an IPv6 host is in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def flask_config(self, database_url: URL) -> dict[str, Any]:
        """Return the configuration of Flask and its extensions."""
        return {
            "API_KEYS": self.api_keys,
            "MAX_CONTENT_LENGTH": self.max_body_bytes,
            "MAX_FORM_MEMORY_SIZE": self.max_body_bytes,
            "MAX_BULK_BYTES": self.max_bulk_bytes,
            "MAX_SENTENCE_CHARS": self.max_sentence_chars,
            "REQUIRE_DURABILITY": self.require_durability,
            "SQLALCHEMY_DATABASE_URI": database_url,
            "SQLALCHEMY_ENGINE_OPTIONS": {
                "pool_size": self.pool_of_worker,
                "max_overflow": 0,
                "pool_timeout": 5,
                "pool_pre_ping": True,
                "hide_parameters": True,  # else an error message would carry a review into the log
                "connect_args": {
                    "connect_timeout": 2,
                    "application_name": "sentiments",
                    # work_mem: sorts, and bitmaps of common words, which beyond it name pages instead of rows.
                    "options": "-c timezone=UTC -c statement_timeout=30s -c work_mem=16MB",
                    # Notice within seconds, not TCP's minutes, that the database's machine is down.
                    "tcp_user_timeout": 10_000,
                    "keepalives_idle": 10,
                    "keepalives_interval": 3,
                    "keepalives_count": 3,
                },
            },
            "API_TITLE": "Sentiments",
            "API_VERSION": "1",
            "OPENAPI_VERSION": "3.1.0",
            "OPENAPI_URL_PREFIX": "/",
            "OPENAPI_SWAGGER_UI_PATH": "/docs",
            "OPENAPI_SWAGGER_UI_URL": "/docs/assets/",
        }


def _api_keys(value: str) -> dict[str, str]:
    """Return names by digest, from `name:digest` separated by commas. A name may have several keys, old and new."""
    keys = {}
    for number, entry in enumerate(value.split(","), 1):
        name, colon, digest = entry.strip().partition(":")
        if not name or not _DIGEST.fullmatch(digest):
            # The entry may be a key, which must reach neither terminal nor log.
            which = f"the entry of {name}" if colon and OWNER.fullmatch(name) else f"entry {number}"
            raise ConfigError(f"API_KEYS: {which} is not NAME:SHA256; `flask keys new NAME` prints such an entry")
        keys[digest] = name
    return keys


def _database_url(value: str) -> URL:
    """Return the URL with psycopg2 as its driver: SQLAlchemy 2.1 reads plain `postgresql://` as psycopg 3."""
    try:
        url = make_url(value)
    except ArgumentError as error:
        raise ConfigError("DATABASE_URL is not a URL: set it to postgresql://user:password@host:5432/name") from error
    if url.drivername not in ("postgres", "postgresql", "postgresql+psycopg2"):
        raise ConfigError(f"DATABASE_URL names {url.drivername}, but only PostgreSQL is supported: postgresql://...")
    return url.set(drivername="postgresql+psycopg2")
