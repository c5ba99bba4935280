"""The page of a service that requires an API key."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from src.web.authentication import new_key
from test.browser.conftest import accessibility_violations
from test.service import Service, serving

pytestmark = pytest.mark.browser
KEY, DIGEST = new_key()


@pytest.fixture(scope="module")
def locked(migrated_instance: Path) -> Iterator[Service]:
    """A service with one API key."""
    with serving(migrated_instance, API_KEYS=f"alice:{DIGEST}") as service:
        yield service


def test_the_page_prompts_once_and_keeps_the_key_for_the_tab(browser: Browser, locked: Service) -> None:
    context = browser.new_context(base_url=locked.address)
    page = context.new_page()
    page.goto("/")
    field = page.get_by_label("Your API key")
    expect(field).to_be_visible()
    expect(page.get_by_label("A movie review in English")).to_be_hidden()
    assert accessibility_violations(page) == []
    field.fill("wrong")
    page.get_by_role("button", name="Use this key").click()
    expect(page.locator("#key .error")).to_have_text("This key is not accepted. Check it and try again.")
    field.fill(KEY)
    page.get_by_role("button", name="Use this key").click()
    page.get_by_label("A movie review in English").fill("A wonderful film.")
    page.get_by_role("button", name="Score it").click()
    expect(page.locator("#record .verdict")).to_contain_text("positive")
    page.reload()
    expect(page.locator("#record .verdict")).to_contain_text("positive")
    expect(page.locator("#reviews li")).to_have_count(1)
    other = context.new_page()
    other.goto("/")
    expect(other.get_by_label("Your API key")).to_be_visible()
    context.close()


@pytest.mark.parametrize("mistyped", ["{}\u200b", "\u201c{}\u201d", "{} {}", " "])
def test_a_key_that_no_header_can_carry_is_refused_like_any_wrong_key(
    browser: Browser, locked: Service, mistyped: str
) -> None:
    page = browser.new_context(base_url=locked.address).new_page()
    page.goto("/")
    field = page.get_by_label("Your API key")
    field.fill(mistyped.replace("{}", KEY))
    page.get_by_role("button", name="Use this key").click()
    expect(page.locator("#key .error")).to_have_text("This key is not accepted. Check it and try again.")
    field.fill(f" {KEY} ")
    page.get_by_role("button", name="Use this key").click()
    expect(page.get_by_label("A movie review in English")).to_be_visible()
    page.context.close()


def test_without_javascript_no_form_is_shown_since_none_can_send_the_key(browser: Browser, locked: Service) -> None:
    page = browser.new_context(base_url=locked.address, java_script_enabled=False).new_page()
    page.goto("/")
    expect(page.get_by_role("link", name="API documentation")).to_be_visible()
    expect(page.get_by_label("A movie review in English")).to_be_hidden()
    expect(page.get_by_label("Reviews", exact=True)).to_be_hidden()
    page.context.close()
