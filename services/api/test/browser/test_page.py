"""The page as people use it, in a real browser over the real service."""

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from test.browser.conftest import accessibility, ask, post
from test.service import Service

pytestmark = pytest.mark.browser

HOSTILE = {
    "markup": "<script>window.hacked = true</script><img src=x onerror='window.hacked = true'><b>Bold</b> &amp; fine.",
    "override": "A fine film \u202e reversed for ever and ever",
    "no space": "great" * 4000,
    "marks": "Gr" + "\u0301" * 300 + "eat film 🎬👩‍👩‍👧",
    "template": "{{ 7 * 7 }} ${7 * 7} A fine film.",
}


def score(page: Page, sentence: str) -> None:
    page.get_by_label("A movie review in English").fill(sentence)
    page.get_by_role("button", name="Score it").click()


def weighed(page: Page) -> None:
    expect(page.locator("#record .evidence")).to_contain_text("leaving each out")


def settled(page: Page) -> None:
    """The list and the summary have arrived."""
    expect(page.locator("#reviews[aria-busy]")).to_have_count(0)
    expect(page.locator("#summary")).to_have_attribute("aria-busy", "false")


def test_a_pasted_review_is_scored_and_the_words_that_carried_it_are_marked(page: Page) -> None:
    page.goto("/")
    expect(page.locator("#state")).to_contain_text("Nothing here yet")
    score(page, "A wonderful cast in a film about a boat.")
    weighed(page)
    record = page.locator("#record")
    expect(record.locator(".verdict")).to_contain_text("+ positive")
    expect(record.locator(".verdict")).to_contain_text(re.compile(r"confidence \d\d\.\d%"))
    expect(record.locator("mark.up.strong", has_text="wonderful")).to_be_visible()
    expect(record.locator("dd").nth(0)).to_have_text(re.compile(r"10 tokens in\s+1 window$"))
    expect(record.locator("dd").nth(1)).to_contain_text("model@")
    expect(page.locator("#reviews li")).to_have_count(1)
    expect(page.locator("#summary")).to_contain_text("1 review: + 1 positive (100%)")
    expect(page.get_by_label("A movie review in English")).to_have_value("")
    assert re.search(r"\?review=\d+$", page.url)


def test_what_cannot_be_scored_is_said_and_the_text_is_kept(page: Page) -> None:
    page.goto("/")
    score(page, " \u00a0 ")
    expect(page.locator("#error")).to_contain_text("Is empty or blank.")
    expect(page.get_by_label("A movie review in English")).to_have_value(" \u00a0 ")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_review_stays_text_in_its_own_box(page: Page, service: Service, name: str) -> None:
    record = post(service, HOSTILE[name])
    page.set_viewport_size({"width": 320, "height": 800})
    page.goto(f"/?review={record['id']}")
    settled(page)
    expect(page.locator("#record .evidence")).not_to_have_text("Weighing its words …")
    assert page.evaluate("window.hacked") is None
    assert (
        page.locator("#record script, #record img, #reviews script, #reviews img, #reviews b:not([data-field])").count()
        == 0
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    shown = page.locator("#reviews .sentence").inner_text()
    assert shown.rstrip("…") == HOSTILE[name][: len(shown.rstrip("…"))]
    assert page.locator("#reviews .sentence").evaluate("node => getComputedStyle(node).unicodeBidi") == "isolate"


def test_the_list_goes_on_as_one_scrolls(page: Page, service: Service) -> None:
    ids = [post(service, f"Film number {number}.")["id"] for number in range(120)]
    page.goto("/")
    settled(page)
    expect(page.locator("#reviews li").first).to_be_visible()
    while not page.locator("#state", has_text="That is all: 120 reviews.").count():
        page.mouse.wheel(0, 4000)
        expect(page.locator("#reviews[aria-busy]")).to_have_count(0)
    shown = page.locator("#reviews li").evaluate_all("items => items.map(item => Number(item.id.slice(7)))")
    assert shown == ids[::-1]


def test_every_state_has_an_address_and_the_back_button_leads_back(page: Page, service: Service) -> None:
    post(service, "A slow, dull film.")
    second = post(service, "A slow but wonderful film.")
    post(service, "A fast film.")
    page.goto("/")
    settled(page)
    page.get_by_label("Words").press_sequentially("slow", delay=20)
    expect(page.locator("#reviews li")).to_have_count(2)
    assert page.url.endswith("/?q=slow")
    page.get_by_label("Sentiment").select_option("positive")
    expect(page.locator("#reviews li")).to_have_count(1)
    page.get_by_role("link", name=f"#{second['id']}").click()
    weighed(page)
    assert page.url.endswith(f"/?q=slow&sentiment=positive&review={second['id']}")
    page.reload()
    weighed(page)
    expect(page.locator("#reviews li")).to_have_count(1)
    expect(page.locator("#summary")).to_contain_text("1 review:")
    page.go_back()
    expect(page.locator("#record article")).to_have_count(0)
    page.go_back()
    expect(page.locator("#reviews li")).to_have_count(2)
    expect(page.get_by_label("Sentiment")).to_have_value("")
    page.go_back()
    expect(page.locator("#reviews li")).to_have_count(3)
    expect(page.get_by_label("Words")).to_have_value("")
    page.go_forward()
    expect(page.locator("#reviews li")).to_have_count(2)


def test_filters_combine_and_can_be_cleared(page: Page, service: Service) -> None:
    post(service, "A wonderful film.")
    post(service, "A terrible film.")
    page.goto("/?min_confidence=0.6&since=2020-01-01")
    settled(page)
    expect(page.get_by_label("Stored since")).to_have_value("2020-01-01")
    page.get_by_label("Sentiment").select_option("negative")
    expect(page.locator("#reviews li")).to_have_count(1)
    page.get_by_label("before").fill("2021-01-01")
    expect(page.locator("#state")).to_contain_text("Nothing matches.")
    expect(page.locator("#summary")).to_be_hidden()
    page.get_by_role("link", name="Clear").click()
    expect(page.locator("#reviews li")).to_have_count(2)
    assert page.url.endswith("/")


def test_a_person_disagrees_with_one_click_and_takes_it_back(page: Page, service: Service) -> None:
    record = post(service, "A wonderful film.")
    page.goto(f"/?review={record['id']}")
    weighed(page)
    page.get_by_role("button", name="It is negative").click()
    expect(page.locator("#record .correction")).to_have_text(re.compile(r"a person says:\s+negative"))
    expect(page.locator("#reviews .correction")).to_be_visible()
    expect(page.locator("#summary")).to_contain_text("right in 0% of 1 that a person judged (95% interval 0% to 79%)")
    assert ask(service, "GET", f"/sentiments/{record['id']}")["correction"]["sentiment"] == "negative"
    page.get_by_role("button", name="Take that back").click()
    expect(page.locator("#record .correction")).to_be_hidden()
    expect(page.locator("#summary")).not_to_contain_text("Accuracy in use")
    page.get_by_role("button", name="It is positive, right").click()
    expect(page.locator("#summary")).to_contain_text("right in 100% of 1")


def test_offline_it_says_so_and_goes_on_when_it_is_back(page: Page, context: BrowserContext, service: Service) -> None:
    post(service, "A wonderful film.")
    page.goto("/")
    settled(page)
    context.set_offline(True)
    expect(page.locator("#offline")).to_be_visible()
    score(page, "A terrible film.")
    expect(page.locator("#error")).to_contain_text("You are offline.")
    context.set_offline(False)
    expect(page.locator("#offline")).to_be_hidden()
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#record .verdict")).to_contain_text("negative")
    assert len(ask(service, "GET", "/sentiments/")) == 2


def test_an_answer_that_is_lost_and_asked_for_again_leaves_one_review(page: Page, service: Service) -> None:
    page.goto("/")
    settled(page)

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route("**/sentiments/", lose, times=1)
    score(page, "A wonderful film.")
    expect(page.locator("#error")).to_contain_text("The service does not answer.")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#record .verdict")).to_contain_text("positive")
    assert len(ask(service, "GET", "/sentiments/")) == 1


def test_a_busy_service_is_said_with_the_time_to_wait(page: Page) -> None:
    """At the edge of the browser: making the real service refuse just this request is a matter of luck."""
    busy = {"title": "Service Unavailable", "status": 503, "detail": "Too many reviews wait."}
    page.route("**/sentiments/", lambda route: route.fulfill(status=503, json=busy, headers={"Retry-After": "1"}))
    page.goto("/")
    expect(page.locator("#state")).to_contain_text("Too many reviews wait. Try again in 1 s.")
    page.unroute_all()
    page.locator("#state").get_by_role("button", name="Try again").click()
    expect(page.locator("#state")).to_contain_text("Nothing here yet")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_axe_finds_nothing_serious(browser: Browser, service: Service, width: int, scheme: str) -> None:
    record = post(service, "A wonderful cast, a terrible script.")
    ask(service, "PUT", f"/sentiments/{record['id']}/correction", {"sentiment": "negative"})
    context = browser.new_context(
        base_url=service.address, color_scheme=scheme, viewport={"width": width, "height": 800}
    )
    page = context.new_page()
    page.goto(f"/?review={record['id']}")
    settled(page)
    weighed(page)
    page.locator("details summary").first.click()
    assert accessibility(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def test_the_keyboard_is_enough(page: Page, service: Service) -> None:
    record = post(service, "A terrible film.")
    page.goto("/")
    settled(page)
    page.get_by_label("A movie review in English").focus()
    page.keyboard.type("A wonderful film.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    weighed(page)
    expect(page.locator("#record article")).to_be_focused()
    while page.evaluate("document.activeElement.textContent") != f"#{record['id']}":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#record .verdict")).to_contain_text("negative")


def test_all_of_it_but_marks_and_charts_works_without_scripts(browser: Browser, service: Service) -> None:
    for number in range(51):
        post(service, f"A slow film, number {number}.")
    context = browser.new_context(base_url=service.address, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    score(page, "A wonderful film.")
    expect(page.locator("#record .verdict")).to_contain_text("+ positive")
    page.get_by_label("Words").fill("slow")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("#reviews li")).to_have_count(50)
    page.get_by_role("link", name="Older reviews").click()
    assert page.locator("#reviews li").count() >= 1
    page.locator("#reviews a").first.click()
    expect(page.locator("#record .sentence")).to_contain_text("slow film")
    context.close()


@pytest.mark.parametrize("path", ["/static/main.js", "/static/style.css"])
def test_a_new_version_of_the_page_is_never_mixed_with_an_old_one(page: Page, path: str) -> None:
    answer = page.request.get(path)
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["etag"]


def test_a_search_in_an_address_is_read_as_it_is(page: Page, service: Service) -> None:
    post(service, "A great cast, and slow.")
    post(service, "A cast that is great.")
    page.goto("/?q=" + quote('"great cast" -boring'))
    settled(page)
    expect(page.locator("#reviews li")).to_have_count(1)
    expect(page.get_by_label("Words")).to_have_value('"great cast" -boring')
