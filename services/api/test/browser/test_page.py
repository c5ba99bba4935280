"""The page in a real browser, over a running service."""

import re
from collections.abc import Sequence
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect

from test.browser.conftest import accessibility_violations, post, rescore, send, wait_for_marks, wait_until_loaded
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


def test_a_submitted_review_is_scored_and_its_words_are_marked(page: Page) -> None:
    page.goto("/")
    expect(page.locator("#state")).to_contain_text("No reviews yet. Score the first one above.")
    score(page, "A wonderful cast in a film about a boat.")
    wait_for_marks(page)
    record = page.locator("#record")
    expect(record.locator(".verdict")).to_contain_text("+ positive")
    expect(record.locator(".verdict")).to_contain_text(re.compile(r"confidence \d\d\.\d%"))
    expect(record.locator(".probabilities li")).to_have_text(
        [re.compile(r"\+ positive\s+\d\d\.\d%"), re.compile("= neutral"), re.compile("\u2212 negative")]
    )
    expect(record.locator("mark.up.strong", has_text="wonderful")).to_be_visible()
    expect(record.locator("dd").nth(0)).to_have_text(re.compile(r"10 tokens in\s+1 window$"))
    expect(record.locator("dd").nth(1)).to_contain_text("model@")
    expect(page.locator("#reviews li")).to_have_count(1)
    expect(page.locator("#summary")).to_contain_text("1 review: 1 positive (100%), 0 neutral (0%), 0 negative (0%)")
    expect(page.get_by_label("A movie review in English")).to_have_value("")
    assert re.search(r"\?review=\d+$", page.url)


def test_a_review_without_an_opinion_is_neutral_and_the_filter_finds_it(page: Page, service: Service) -> None:
    post(service, "A wonderful film.")
    page.goto("/")
    score(page, "The film is 120 minutes long.")
    expect(page.locator("#record .evidence")).to_have_text("No single word changes the score by 0.02 or more.")
    expect(page.locator("#record .verdict.neutral")).to_contain_text("= neutral")
    page.get_by_label("Sentiment", exact=True).select_option("neutral")
    expect(page.locator("#reviews li")).to_have_count(1)
    expect(page.locator("#reviews .verdict.neutral")).to_contain_text("= neutral")
    expect(page.locator("#summary .counts")).to_contain_text("1 review: 0 positive (0%), 1 neutral (100%)")


def test_the_probabilities_add_up_and_are_the_same_without_javascript(browser: Browser, service: Service) -> None:
    """A third each would be 99.9% if each was rounded alone. Of a model with two labels, none is shown for neutral."""
    two, three = (post(service, "A film.")["id"] for _ in range(2))
    rescore(service, two, 0.25, "model@two")
    rescore(service, three, 0.0, "model@three", p_neutral=1 / 3)
    for javascript in (True, False):
        context = browser.new_context(base_url=service.address, java_script_enabled=javascript)
        page = context.new_page()
        for review, shares in ((two, ["62.5%", "37.5%"]), (three, ["33.4%", "33.3%", "33.3%"])):
            page.goto(f"/?review={review}")
            expect(page.locator("#record .probabilities li:visible b")).to_have_text(shares)
            expect(page.locator("#record [data-field=confidence]")).to_have_text(shares[0])
            expect(page.locator(f"#review-{review} [data-field=confidence]")).to_have_text(shares[0])
        context.close()


@pytest.mark.parametrize("javascript", [True, False])
def test_warnings_are_shown_in_words(browser: Browser, service: Service, *, javascript: bool) -> None:
    german = "Ein furchtbar langweiliger Film, den ich niemandem empfehlen kann."
    context = browser.new_context(base_url=service.address, java_script_enabled=javascript)
    page = context.new_page()
    page.goto("/")
    for sentence, warning in (
        (german, "This text does not seem to be English. The answer may mean little."),
        ("?!?!", "The model cannot read most of this text. The answer may mean little."),
        ("A wonderful film.", None),
    ):
        score(page, sentence)
        first_word = sentence.split()[0]  # by now the words may be marked, with numbers between them
        expect(page.locator("#record .sentence")).to_contain_text(first_word)
        shown = [] if warning is None else [re.compile(warning.replace(" ", r"\s+"))]
        for place in ("#record", "#reviews li:first-child"):
            expect(page.locator(f"{place} .warning:visible")).to_have_text(shown)
    context.close()


def test_a_blank_review_shows_an_error_and_stays_in_the_form(page: Page) -> None:
    page.goto("/")
    score(page, " \u00a0 ")
    expect(page.locator("#error")).to_contain_text("Is empty or blank.")
    expect(page.get_by_label("A movie review in English")).to_have_value(" \u00a0 ")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_review_is_shown_as_text_inside_its_box(page: Page, service: Service, name: str) -> None:
    record = post(service, HOSTILE[name])
    page.set_viewport_size({"width": 320, "height": 800})
    page.goto(f"/?review={record['id']}")
    wait_until_loaded(page)
    expect(page.locator("#record .evidence")).not_to_have_text("Measuring what each part contributes …")
    assert page.evaluate("window.hacked") is None
    assert (
        page.locator("#record script, #record img, #reviews script, #reviews img, #reviews b:not([data-field])").count()
        == 0
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    shown = page.locator("#reviews .sentence").inner_text()
    assert shown.rstrip("…") == HOSTILE[name][: len(shown.rstrip("…"))]
    assert page.locator("#reviews .sentence").evaluate("node => getComputedStyle(node).unicodeBidi") == "isolate"


def test_scrolling_loads_the_next_pages_of_the_list(page: Page, service: Service) -> None:
    ids = [post(service, f"Film number {number}.")["id"] for number in range(120)]
    page.goto("/")
    wait_until_loaded(page)
    expect(page.locator("#reviews li").first).to_be_visible()
    while not page.locator("#state", has_text="End of the list: 120 reviews.").count():
        page.mouse.wheel(0, 4000)
        expect(page.locator("#reviews[aria-busy]")).to_have_count(0)
    shown = page.locator("#reviews li").evaluate_all("items => items.map(item => Number(item.id.slice(7)))")
    assert shown == ids[::-1]


def test_every_state_has_an_address_and_the_back_button_restores_it(page: Page, service: Service) -> None:
    post(service, "A slow, dull film.")
    second = post(service, "A slow but wonderful film.")
    post(service, "A fast film.")
    page.goto("/")
    wait_until_loaded(page)
    page.get_by_label("Words").press_sequentially("slow", delay=20)
    expect(page.locator("#reviews li")).to_have_count(2)
    assert page.url.endswith("/?q=slow")
    page.get_by_label("Sentiment", exact=True).select_option("positive")
    expect(page.locator("#reviews li")).to_have_count(1)
    page.get_by_role("link", name=f"#{second['id']}").click()
    wait_for_marks(page)
    assert page.url.endswith(f"/?q=slow&sentiment=positive&review={second['id']}")
    page.reload()
    wait_for_marks(page)
    expect(page.locator("#reviews li")).to_have_count(1)
    expect(page.locator("#summary")).to_contain_text("1 review:")
    page.go_back()
    expect(page.locator("#record article")).to_have_count(0)
    page.go_back()
    expect(page.locator("#reviews li")).to_have_count(2)
    expect(page.get_by_label("Sentiment", exact=True)).to_have_value("")
    page.go_back()
    expect(page.locator("#reviews li")).to_have_count(3)
    expect(page.get_by_label("Words")).to_have_value("")
    page.go_forward()
    expect(page.locator("#reviews li")).to_have_count(2)


def test_filters_combine_and_can_be_cleared(page: Page, service: Service) -> None:
    post(service, "A wonderful film.")
    post(service, "A terrible film.")
    page.goto("/?min_confidence=0.6&since=2020-01-01")
    wait_until_loaded(page)
    expect(page.get_by_label("Stored since")).to_have_value("2020-01-01")
    page.get_by_label("Sentiment", exact=True).select_option("negative")
    expect(page.locator("#reviews li")).to_have_count(1)
    page.get_by_label("before").fill("2021-01-01")
    expect(page.locator("#state")).to_contain_text("No review matches. Remove a word or a filter.")
    expect(page.locator("#summary")).to_be_hidden()
    page.get_by_role("link", name="Clear").click()
    expect(page.locator("#reviews li")).to_have_count(2)
    assert page.url.endswith("/")


def test_a_person_corrects_a_review_and_withdraws_the_correction(page: Page, service: Service) -> None:
    record = post(service, "A wonderful film.")
    page.goto(f"/?review={record['id']}")
    wait_for_marks(page)
    page.get_by_role("button", name="Wrong, it is negative").click()
    expect(page.locator("#record .correction")).to_have_text(re.compile(r"a person says:\s+negative"))
    expect(page.locator("#reviews .correction")).to_be_visible()
    expect(page.locator("#summary")).to_contain_text(
        "right in 0% of 1 review that a person judged (95% confidence interval 0% to 79%)"
    )
    assert send(service, "GET", f"/sentiments/{record['id']}")["correction"]["sentiment"] == "negative"
    page.get_by_role("button", name="Withdraw").click()
    expect(page.locator("#record .correction")).to_be_hidden()
    expect(page.locator("#summary")).not_to_contain_text("Accuracy in use")
    page.get_by_role("button", name="Right, it is positive").click()
    expect(page.locator("#summary")).to_contain_text("right in 100% of 1")
    page.get_by_role("button", name="Wrong, it is neutral").click()
    expect(page.locator("#record .correction")).to_have_text(re.compile(r"a person says:\s+neutral"))
    expect(page.get_by_role("button", name="Wrong, it is neutral")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", name="Right, it is positive")).to_have_attribute("aria-pressed", "false")
    expect(page.locator("#summary")).to_contain_text("right in 0% of 1")


def test_the_page_reports_that_it_is_offline_and_recovers(
    page: Page, context: BrowserContext, service: Service
) -> None:
    post(service, "A wonderful film.")
    page.goto("/")
    wait_until_loaded(page)
    context.set_offline(True)
    expect(page.locator("#offline")).to_be_visible()
    score(page, "A terrible film.")
    expect(page.locator("#error")).to_contain_text("You are offline.")
    context.set_offline(False)
    expect(page.locator("#offline")).to_be_hidden()
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#record .verdict")).to_contain_text("negative")
    assert len(send(service, "GET", "/sentiments/")) == 2


def test_a_retry_after_a_lost_response_stores_one_review(page: Page, service: Service) -> None:
    page.goto("/")
    wait_until_loaded(page)

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route("**/sentiments/", lose, times=1)
    score(page, "A wonderful film.")
    expect(page.locator("#error")).to_contain_text("The service did not respond. Check that it is running.")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#record .verdict")).to_contain_text("positive")
    assert len(send(service, "GET", "/sentiments/")) == 1


def test_a_busy_service_is_reported_with_the_time_to_wait(page: Page) -> None:
    """The response is simulated in the browser, because the service refuses a certain request only by luck."""
    busy = {"title": "Service Unavailable", "status": 503, "detail": "Too many requests. Try again."}
    page.route("**/sentiments/", lambda route: route.fulfill(status=503, json=busy, headers={"Retry-After": "1"}))
    page.goto("/")
    expect(page.locator("#state")).to_contain_text("Too many requests. Try again in 1 s.")
    page.unroute_all()
    page.locator("#state").get_by_role("button", name="Try again").click()
    expect(page.locator("#state")).to_contain_text("No reviews yet. Score the first one above.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_axe_reports_nothing_serious(browser: Browser, service: Service, width: int, scheme: str) -> None:
    for sentence in ("The film is 120 minutes long.", "Ein furchtbar langweiliger Film.", "?!?!", "A wonderful film."):
        post(service, sentence)
    record = post(service, "A wonderful cast, a terrible script.")
    send(service, "PUT", f"/sentiments/{record['id']}/correction", {"sentiment": "negative"})
    context = browser.new_context(
        base_url=service.address, color_scheme=scheme, viewport={"width": width, "height": 800}
    )
    page = context.new_page()
    page.goto(f"/?review={record['id']}")
    wait_until_loaded(page)
    wait_for_marks(page)
    page.locator("details summary").first.click()
    assert accessibility_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def test_the_page_works_with_the_keyboard_alone(page: Page, service: Service) -> None:
    record = post(service, "A terrible film.")
    page.goto("/")
    wait_until_loaded(page)
    page.get_by_label("A movie review in English").focus()
    page.keyboard.type("A wonderful film.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    wait_for_marks(page)
    expect(page.locator("#record article")).to_be_focused()
    while page.evaluate("document.activeElement.textContent") != f"#{record['id']}":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#record .verdict")).to_contain_text("negative")


def test_scoring_searching_and_paging_work_without_javascript(browser: Browser, service: Service) -> None:
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
def test_static_files_are_revalidated_so_that_no_old_script_meets_a_new_page(page: Page, path: str) -> None:
    response = page.request.get(path)
    assert response.headers["cache-control"] == "no-cache"
    assert response.headers["etag"]


def test_a_search_in_an_address_is_applied_verbatim(page: Page, service: Service) -> None:
    post(service, "A great cast, and slow.")
    post(service, "A cast that is great.")
    page.goto("/?q=" + quote('"great cast" -boring'))
    wait_until_loaded(page)
    expect(page.locator("#reviews li")).to_have_count(1)
    expect(page.get_by_label("Words")).to_have_value('"great cast" -boring')


def test_a_long_review_is_shortened_in_the_list_and_whole_when_opened(page: Page, service: Service) -> None:
    sentence = "A wonderful film. " * 40 + "The end."
    record = post(service, sentence)
    page.goto(f"/?review={record['id']}")
    wait_until_loaded(page)
    expect(page.locator("#reviews .sentence")).to_have_text(sentence[:600] + "…")
    expect(page.locator("#record .sentence")).to_contain_text("The end.")


def test_a_time_in_an_address_survives_a_change_of_another_filter(page: Page, service: Service) -> None:
    post(service, "A wonderful film.")
    page.goto("/?since=2020-01-01T12:30:00Z")
    wait_until_loaded(page)
    expect(page.get_by_label("Stored since")).to_have_value("2020-01-01")
    page.get_by_label("Sentiment", exact=True).select_option("positive")
    expect(page).to_have_url(re.compile(r"since=2020-01-01T12%3A30%3A00Z"))


def test_a_link_to_a_review_opens_another_tab_with_the_usual_key(page: Page, service: Service) -> None:
    record = post(service, "A wonderful film.")
    page.goto("/")
    wait_until_loaded(page)
    with page.context.expect_page() as opened:
        page.get_by_role("link", name=f"#{record['id']}").click(modifiers=["ControlOrMeta"])
    assert opened.value.url.endswith(f"/?review={record['id']}")
    expect(page.locator("#record article")).to_have_count(0)


def test_an_error_that_is_no_problem_document_is_reported_by_its_status(page: Page) -> None:
    page.route("**/sentiments/", lambda route: route.fulfill(status=502, body="<h1>Bad gateway</h1>"))
    page.goto("/")
    expect(page.locator("#state")).to_contain_text("The service responded with status 502.")


def test_the_charts_draw_and_list_the_figures_of_the_summary(page: Page) -> None:
    """The response is simulated, because the service cannot have stored reviews 129 days ago."""
    histogram = [{"from": -1 + number / 10, "to": -0.9 + number / 10, "reviews": 0} for number in range(20)]
    histogram[3]["reviews"], histogram[19]["reviews"] = 2, 4
    days = [
        {"day": "2026-01-01", "positive": 1, "neutral": 0, "negative": 0},
        {"day": "2026-01-02", "positive": 2, "neutral": 1, "negative": 2},
        {"day": "2026-05-10", "positive": 2, "neutral": 0, "negative": 0},
    ]
    summary = {"reviews": 8, "positive": 5, "neutral": 1, "negative": 2, "mean_score": 0.25, "truncated": True}
    body = {**summary, "days": days, "histogram": histogram, "accuracy": []}
    page.route("**/sentiments/summary", lambda route: route.fulfill(json=body))
    page.goto("/")
    wait_until_loaded(page)
    section = page.locator("#summary")
    expect(section).to_contain_text("8 reviews: 5 positive (63%), 1 neutral (12%), 2 negative (25%), mean score +0.25.")
    expect(section).to_contain_text("These figures cover the newest 100,000")
    over_time, by_score = section.locator("figure").nth(0), section.locator("figure").nth(1)
    expect(over_time.locator("figcaption")).to_have_text("Over time, by 3 days (UTC)")
    rows = over_time.locator("tbody tr").all_text_contents()
    assert (len(rows), rows[0], rows[-1]) == (44, "2026-01-01312", "2026-05-10200")
    assert [heights(over_time, kind)[:2] for kind in ("positive", "neutral", "negative")] == [[60, 0], [20, 0], [40, 0]]
    assert (heights(by_score, "any")[3], heights(by_score, "any")[19]) == (60, 120)
    expect(by_score.get_by_role("img")).to_have_accessible_name(
        "Reviews by score; the tallest bar, 4, is from +0.9 to +1.0"
    )


@pytest.mark.parametrize(
    ("counts", "shares"), [((5, 0, 3), (63, 0, 37)), ((1, 1, 1), (34, 33, 33)), ((2, 3, 2), (29, 43, 28))]
)
def test_the_shares_in_the_summary_add_up_to_100(page: Page, counts: Sequence[int], shares: Sequence[int]) -> None:
    figures = dict(zip(("positive", "neutral", "negative"), counts, strict=True))
    bins = [{"from": -1 + number / 10, "to": -0.9 + number / 10, "reviews": 1} for number in range(20)]
    body = {"reviews": sum(counts), **figures, "mean_score": 0, "truncated": False, "histogram": bins}
    page.route("**/sentiments/summary", lambda route: route.fulfill(json={**body, "days": [], "accuracy": []}))
    page.goto("/")
    texts = page.locator("#summary .counts span")
    expect(texts).to_have_text(
        [f"{figures[name]} {name} ({share}%)" for name, share in zip(figures, shares, strict=True)]
    )


def heights(figure: Locator, kind: str) -> list[float]:
    """Return the heights of a chart's bars."""
    heights: list[float] = figure.locator(f"rect.{kind}").evaluate_all(
        "bars => bars.map(bar => Number(bar.getAttribute('height')))"
    )
    return heights
