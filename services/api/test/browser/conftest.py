"""Fixtures for browser tests: a running service, and Chromium."""

import json
import shutil
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright
from sqlalchemy import create_engine, text

from src.database.embedded import EmbeddedPostgres
from test.service import Service

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
MILLISECONDS = 15_000  # generous, because the machine may be busy
expect.set_options(timeout=MILLISECONDS)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The Chromium that is installed on this machine."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        )
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser, service: Service) -> Iterator[BrowserContext]:
    """A browser context of its own, over an empty table."""
    context = browser.new_context(base_url=service.address, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(MILLISECONDS)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, service: Service) -> Iterator[Page]:
    """A tab. The test fails if it logs an error or a warning, or sends a request to another host."""
    page, faults = context.new_page(), list[str]()

    def check_console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            faults.append(message.text)

    def check_host(request: Request) -> None:
        if not request.url.startswith(service.address):
            faults.append(f"request to {request.url}")

    page.on("console", check_console)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", check_host)
    yield page
    assert faults == []


def post(service: Service, sentence: str) -> dict[str, Any]:
    """Store a review and return its record."""
    record: dict[str, Any] = send(service, "POST", "/sentiments/", {"sentence": sentence})
    return record


def send(service: Service, method: str, path: str, body: object = None) -> Any:
    """Send a request to the API and return the body of its response."""
    request = urllib.request.Request(
        service.address + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as response:
        content = response.read()
    return json.loads(content) if content else None


def wait_until_loaded(page: Page) -> None:
    """Wait until the list and the summary are shown."""
    expect(page.locator("#reviews[aria-busy]")).to_have_count(0)
    expect(page.locator("#summary")).to_have_attribute("aria-busy", "false")


def wait_for_marks(page: Page) -> None:
    """Wait until the words of the open review are marked."""
    expect(page.locator("#record .evidence")).to_contain_text("leaving each out")


def accessibility_violations(page: Page) -> list[str]:
    """Return the violations that axe rates serious or critical."""
    from axe_playwright_python.sync_playwright import Axe

    violations = Axe().run(page).response["violations"]
    return [
        f"{violation['id']}: {node['html'][:120]} {node['failureSummary'][:300]}"
        for violation in violations
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


def rescore(service: Service, review_id: int, score: float, version: str, p_neutral: float | None = None) -> None:
    """Store a score of another model version. Starting a second real model would add a minute.

    :param p_neutral: None for a model with two labels.
    """
    either = 1 - (p_neutral or 0)
    engine = create_engine(EmbeddedPostgres(service.instance).url)
    columns = {
        "sentiment_score": score,
        "confidence": max((either + abs(score)) / 2, p_neutral or 0),
        "p_neutral": p_neutral,
        "model_version": version,
    }
    statement = f"UPDATE sentiments SET {', '.join(f'{name} = :{name}' for name in columns)} WHERE id = :id"
    with engine.begin() as connection:
        connection.execute(text(statement), {**columns, "id": review_id})
    engine.dispose()
