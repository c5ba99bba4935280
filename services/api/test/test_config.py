"""Settings, read from the environment."""

import re

import pytest
from sqlalchemy.engine import URL

from src.config import ROOT, ConfigError, Settings

NAMES = re.findall(r'"([A-Z_]+)", default', (ROOT / "src/config.py").read_text())


def test_without_variables_the_defaults_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    assert Settings.from_env() == Settings()


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.setenv(name, "")
    assert Settings.from_env() == Settings()


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_every_scheme_of_postgresql_uses_psycopg2(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
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
def test_an_invalid_value_raises_an_error_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=name):
        Settings.from_env()


def test_env_example_and_operating_md_list_every_variable_that_is_read() -> None:
    example, document = (ROOT.parent.parent / ".env.example").read_text(), (ROOT / "docs/operating.md").read_text()
    assert len(NAMES) == len(Settings.__dataclass_fields__)
    for name in [*NAMES, "TEST_DATABASE_URL", "DATA_DIR"]:
        assert re.search(rf"^(# )?{name}=", example, re.MULTILINE), name
        assert f"`{name}`" in document, name


@pytest.mark.parametrize(("threads", "connections"), [(20, 20), (96, 79)])
def test_each_thread_has_a_connection_within_postgresql_s_limit(threads: int, connections: int) -> None:
    url = URL.create("postgresql+psycopg2")
    options = Settings(threads=threads).flask_config(url)["SQLALCHEMY_ENGINE_OPTIONS"]
    assert options["pool_size"] + options["max_overflow"] == connections


@pytest.mark.parametrize(("host", "bind"), [("127.0.0.1", "127.0.0.1:5051"), ("::1", "[::1]:5051")])
def test_an_ipv6_host_is_in_brackets(host: str, bind: str) -> None:
    assert Settings(host=host).bind == bind
