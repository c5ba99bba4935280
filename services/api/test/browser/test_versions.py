"""Earlier scores on the page: the history of a review, and the comparison of two model versions."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from test.browser.conftest import accessibility_violations, post, rescore, send, wait_for_marks, wait_until_loaded
from test.service import Service

pytestmark = pytest.mark.browser

NEW = "model@new"


def store_two_versions(service: Service) -> list[dict[str, object]]:
    """Store four reviews; another model scores three of them, each differently; a person judges two as positive."""
    records = [post(service, f"A wonderful film, number {number}.") for number in range(4)]
    for record, score, p_neutral in zip(records[:3], (-0.5, 0.25, 0.5), (0.2, 0.6, 0.2), strict=True):
        rescore(service, record["id"], score, NEW, p_neutral)
    for record in records[:2]:
        send(service, "PUT", f"/sentiments/{record['id']}/correction", {"sentiment": "positive"})
    return records


def test_a_review_that_never_changed_shows_no_history_and_requests_none(page: Page, service: Service) -> None:
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    record = post(service, "A wonderful film.")
    page.goto(f"/?review={record['id']}")
    wait_for_marks(page)
    expect(page.locator("#record article")).not_to_contain_text("Earlier scores")
    assert not [address for address in requested if address.endswith("/history")]


def test_a_button_loads_the_next_page_of_a_long_history(page: Page, service: Service) -> None:
    record = post(service, "A wonderful film.")
    for number in range(51):
        rescore(service, record["id"], 0.5, f"model@{number}")
    page.goto(f"/?review={record['id']}")
    earlier = page.get_by_role("region", name="Earlier scores").get_by_role("listitem")
    expect(earlier).to_have_count(50)
    page.get_by_role("button", name="Older scores").click()
    expect(earlier).to_have_count(51)
    expect(earlier.nth(50)).to_contain_text(f"by {record['model_version']}")
    expect(page.get_by_role("button", name="Older scores")).to_have_count(0)


def test_the_history_shows_each_earlier_score_and_text(page: Page, service: Service) -> None:
    hostile = "A terrible film. <b>No</b> \u202e" + "x" * 400
    first = post(service, hostile)
    second = send(service, "PUT", f"/sentiments/{first['id']}", {"sentence": "A wonderful film."})
    rescore(service, first["id"], 0.125, "model@neutral", p_neutral=0.75)
    rescore(service, first["id"], 0.125, NEW)
    page.set_viewport_size({"width": 320, "height": 800})
    page.goto(f"/?review={first['id']}")
    earlier = page.get_by_role("region", name="Earlier scores").get_by_role("listitem")
    expect(earlier).to_have_count(3)
    expect(earlier.nth(0)).to_contain_text("+0.13 neutral confidence 75.0%")
    expect(earlier.nth(1)).to_contain_text(f"+{second['sentiment_score']:.2f} positive")
    expect(earlier.nth(1)).to_contain_text(f"by {second['model_version']}, scored {second['updated_on'][:10]}")
    expect(earlier.nth(1).get_by_text("Earlier text")).to_have_count(0)
    expect(earlier.nth(2)).to_contain_text(re.compile(r"\u2212\d\.\d\d negative"))
    expect(earlier.nth(2).locator(".sentence")).to_be_hidden()
    earlier.nth(2).get_by_text("Earlier text").press("Enter")
    expect(earlier.nth(2).locator(".sentence")).to_have_text(hostile)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_with_one_model_version_no_comparison_is_offered(page: Page, service: Service) -> None:
    post(service, "A wonderful film.")
    with page.expect_response("**/sentiments/versions"):
        page.goto("/")
    page.wait_for_load_state("networkidle")
    expect(page.get_by_text("Compare two model versions")).to_be_hidden()


def test_a_comparison_of_two_versions_has_an_address(page: Page, service: Service) -> None:
    records = store_two_versions(service)
    old = records[0]["model_version"]
    page.goto("/")
    page.get_by_text("Compare two model versions").click()
    compared = page.locator("#compared")
    expect(page.get_by_label("Old version")).to_have_value(NEW)  # not the version that scored the newest review
    expect(compared).to_contain_text("Both scored 3 reviews and agree on 1 (33%).")
    page.get_by_label("Old version").select_option(old)
    page.get_by_label("New version").select_option(NEW)
    expect(compared).to_contain_text("The new one changed 0 to + positive, 1 to = neutral and 1 to \u2212 negative.")
    expect(compared).to_contain_text(re.compile(r"Scores changed by \u2212\d\.\d{3} on average"))
    expect(compared).to_contain_text(f"{old}: right in 100% of 2 reviews that a person judged")
    expect(compared).to_contain_text(f"{NEW}: right in 0% of 2 reviews that a person judged")
    expect(compared).to_contain_text("The old version scored 4 reviews and the new one 3.")
    table = compared.get_by_role("region", name="Old sentiments (rows) and new ones (columns)").locator("tr")
    expect(table).to_have_text(
        [
            "+ positive= neutral\u2212 negative",
            "+ positive111",
            "= neutral000",
            "\u2212 negative000",
        ]
    )
    changes = compared.get_by_role("region", name="Largest changes").locator("tbody tr")
    expect(changes).to_have_count(3)
    expect(changes.first).to_contain_text("\u22120.50")
    compared.get_by_role("link", name=f"#{records[0]['id']}").click()
    expect(page.locator("#record .verdict")).to_contain_text("negative")
    address = page.url
    page.reload()
    expect(compared).to_contain_text("Both scored 3 reviews")
    assert page.url == address
    page.go_back()
    expect(page.locator("#record article")).to_have_count(0)
    expect(compared).to_contain_text("Both scored 3 reviews")
    page.get_by_text("Compare two model versions").click()
    expect(compared).to_be_hidden()
    expect(page).to_have_url(f"{service.address}/")  # the toggle event follows the click later


def test_a_comparison_uses_the_filters(page: Page, service: Service) -> None:
    records = store_two_versions(service)
    page.goto(f"/?sentiment=negative&old={records[0]['model_version']}&new={NEW}".replace("@", "%40"))
    expect(page.locator("#compared")).to_contain_text("Both scored 1 review and agree on 0 (0%).")
    page.get_by_label("Sentiment", exact=True).select_option("")
    expect(page.locator("#compared")).to_contain_text("Both scored 3 reviews")


def test_a_version_that_scored_nothing_is_reported(page: Page, service: Service) -> None:
    store_two_versions(service)
    page.goto(f"/?old=nobody%401&new={NEW}".replace("@", "%40"))
    expect(page.locator("#compared")).to_contain_text("old: Scored no stored review. See /sentiments/versions.")
    expect(page.get_by_label("Old version")).to_have_value("nobody@1")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_axe_reports_nothing_serious(browser: Browser, service: Service, width: int, scheme: str) -> None:
    records = store_two_versions(service)
    send(service, "PUT", f"/sentiments/{records[1]['id']}", {"sentence": "A terrible film."})
    context = browser.new_context(
        base_url=service.address, color_scheme=scheme, viewport={"width": width, "height": 800}
    )
    page = context.new_page()
    page.goto(f"/?review={records[1]['id']}&old={records[0]['model_version']}&new={NEW}")
    expect(page.get_by_role("table", name="Largest changes")).to_be_visible()
    page.get_by_text("Earlier text").first.click()
    wait_until_loaded(page)
    assert accessibility_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()
