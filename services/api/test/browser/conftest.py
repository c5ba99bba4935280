"""A real service, and a real Chromium that looks at it."""

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
MILLISECONDS = 15_000  # until something that is waited for is there, on a machine that does other work too
expect.set_options(timeout=MILLISECONDS)


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service as `make run` starts it."""
    service = Service(tmp_path_factory.mktemp("browser"))
    service.start()
    yield service
    service.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, as the machine has it."""
    if CHROMIUM is None:
        pytest.skip("There is no Chromium.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        )
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser, service: Service) -> Iterator[BrowserContext]:
    """A window of its own, over an empty table."""
    empty(service)
    context = browser.new_context(base_url=service.address, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(MILLISECONDS)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, service: Service) -> Iterator[Page]:
    """A tab that complained of nothing and asked no other host, or the test fails."""
    page, faults = context.new_page(), list[str]()

    def complained(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            faults.append(message.text)

    def asked(request: Request) -> None:
        if not request.url.startswith(service.address):
            faults.append(f"asked {request.url}")

    page.on("console", complained)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", asked)
    yield page
    assert faults == []


def empty(service: Service) -> None:
    """Delete every review."""
    while records := ask(service, "GET", "/sentiments/?limit=500"):
        for record in records:
            ask(service, "DELETE", f"/sentiments/{record['id']}")


def post(service: Service, sentence: str) -> dict[str, Any]:
    """Store a review and return its record."""
    record: dict[str, Any] = ask(service, "POST", "/sentiments/", {"sentence": sentence})
    return record


def ask(service: Service, method: str, path: str, body: object = None) -> Any:
    """Ask the API."""
    request = urllib.request.Request(
        service.address + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def accessibility(page: Page) -> list[str]:
    """Return what axe finds serious or critical."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {node['html'][:120]} {node['failureSummary'][:300]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


def rescore(service: Service, review_id: int, score: float, version: str) -> None:
    """Score a review again as another model would. Scoring with two real ones takes another minute."""
    engine = create_engine(EmbeddedPostgres(service.instance).url)
    statement = "UPDATE sentiments SET sentiment_score = :score, confidence = :sure, model_version = :version"
    values = {"score": score, "sure": (1 + abs(score)) / 2, "version": version, "id": review_id}
    with engine.begin() as connection:
        connection.execute(text(f"{statement} WHERE id = :id"), values)
    engine.dispose()
