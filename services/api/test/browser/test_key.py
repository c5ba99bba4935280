"""The page of a service that asks for a key."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from src.web.authentication import new_key
from test.browser.conftest import accessibility
from test.service import Service

pytestmark = pytest.mark.browser
KEY, DIGEST = new_key()


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that one person may use."""
    service = Service(tmp_path_factory.mktemp("locked"), API_KEYS=f"alice:{DIGEST}")
    service.start()
    yield service
    service.stop()


def test_it_asks_once_and_keeps_the_key_for_the_tab(browser: Browser, locked: Service) -> None:
    context = browser.new_context(base_url=locked.address)
    page = context.new_page()
    page.goto("/")
    asked = page.get_by_label("One of its API keys")
    expect(asked).to_be_visible()
    expect(page.get_by_label("A movie review in English")).to_be_hidden()
    assert accessibility(page) == []
    asked.fill("wrong")
    page.get_by_role("button", name="Open").click()
    expect(page.locator("#key .error")).to_have_text("That key opens nothing here.")
    asked.fill(KEY)
    page.get_by_role("button", name="Open").click()
    page.get_by_label("A movie review in English").fill("A wonderful film.")
    page.get_by_role("button", name="Score it").click()
    expect(page.locator("#record .verdict")).to_contain_text("positive")
    page.reload()
    expect(page.locator("#record .verdict")).to_contain_text("positive")
    expect(page.locator("#reviews li")).to_have_count(1)
    other = context.new_page()
    other.goto("/")
    expect(other.get_by_label("One of its API keys")).to_be_visible()
    context.close()


@pytest.mark.parametrize("mistyped", ["{}\u200b", "\u201c{}\u201d", "{} {}", " "])
def test_what_no_header_can_carry_is_refused_like_any_wrong_key(
    browser: Browser, locked: Service, mistyped: str
) -> None:
    page = browser.new_context(base_url=locked.address).new_page()
    page.goto("/")
    asked = page.get_by_label("One of its API keys")
    asked.fill(mistyped.replace("{}", KEY))
    page.get_by_role("button", name="Open").click()
    expect(page.locator("#key .error")).to_have_text("That key opens nothing here.")
    asked.fill(f" {KEY} ")
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_label("A movie review in English")).to_be_visible()
    page.context.close()


def test_no_form_is_shown_before_it_can_send_the_key(browser: Browser, locked: Service) -> None:
    page = browser.new_context(base_url=locked.address, java_script_enabled=False).new_page()
    page.goto("/")
    expect(page.get_by_role("link", name="API documentation")).to_be_visible()
    expect(page.get_by_label("A movie review in English")).to_be_hidden()
    expect(page.get_by_label("Reviews", exact=True)).to_be_hidden()
    page.context.close()
