"""Settings."""

import pytest

from src.config import ROOT, ConfigError, Settings


def test_the_defaults_need_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "MODEL_PATH", "HOST", "PORT", "THREADS", "LOG_LEVEL", "INSTANCE_PATH"):
        monkeypatch.delenv(name, raising=False)
    assert Settings.from_env() == Settings()


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose passes on variables that are not set as empty ones."""
    for name in ("DATABASE_URL", "MODEL_PATH", "HOST", "PORT", "THREADS", "MAX_BODY_BYTES", "LOG_LEVEL"):
        monkeypatch.setenv(name, "")
    assert Settings.from_env() == Settings()


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_every_spelling_of_postgresql_is_read_as_psycopg2(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    monkeypatch.setenv("DATABASE_URL", f"{scheme}://user:p%40ss@db:5432/sentiments")
    url = Settings.from_env().database_url
    assert url is not None
    assert (url.drivername, url.password, url.host) == ("postgresql+psycopg2", "p@ss", "db")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "sqlite:///x.db"), ("DATABASE_URL", "nonsense"), ("PORT", "0"), ("PORT", "http"),
        ("THREADS", "0"), ("MAX_BODY_BYTES", "-1"), ("LOG_LEVEL", "LOUD"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=name):
        Settings.from_env()


def test_env_example_lists_every_variable_that_is_read() -> None:
    example = (ROOT.parent.parent / ".env.example").read_text()
    source = (ROOT / "src/config.py").read_text()
    import re

    for name in re.findall(r'"([A-Z][A-Z_]+)"', source.split("def flask_config")[0]):
        if name != "INFO":
            assert re.search(rf"^#? ?{name}=", example, re.MULTILINE), name
