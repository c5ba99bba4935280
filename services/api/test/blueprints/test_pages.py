"""The page without JavaScript."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from test.builders import store_review

HTML = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def test_the_page_shows_a_form_and_the_latest_50_reviews(client: FlaskClient, app: Flask) -> None:
    with app.app_context():
        ids = [store_review(sentence=f"Film {number}.").id for number in range(51)]
    answer = client.get("/", headers=HTML)
    page = answer.get_data(as_text=True)
    assert answer.mimetype == "text/html"
    assert 'method="post" action="/"' in page
    assert [int(shown) for shown in re.findall(r'id="review-(\d+)"', page)] == ids[:0:-1]


def test_a_submitted_form_is_scored_stored_and_shown(client: FlaskClient) -> None:
    answer = client.post("/", data={"sentence": "A wonderful film."}, headers=HTML)
    assert answer.status_code == 303
    page = client.get(answer.headers["Location"], headers=HTML).get_data(as_text=True)
    assert "A wonderful film." in page
    assert "+ positive" in page


def test_text_of_a_review_is_never_markup(client: FlaskClient) -> None:
    hostile = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'"
    client.post("/", data={"sentence": hostile})
    answer = client.get("/", headers=HTML)
    page = answer.get_data(as_text=True)
    assert page.count("<script") == 1
    assert "<img" not in page
    assert "&lt;script&gt;" in page
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_an_invalid_text_is_explained_beside_it(client: FlaskClient) -> None:
    answer = client.post("/", data={"sentence": " \t "}, headers=HTML)
    assert answer.status_code == 422
    assert "Is empty or blank." in answer.get_data(as_text=True)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://[", "http://localhost.evil.example"])
def test_a_form_on_another_site_is_refused(client: FlaskClient, origin: str) -> None:
    answer = client.post("/", data={"sentence": "Fine."}, headers={"Origin": origin})
    assert answer.status_code == 403
    assert client.get("/sentiments/").get_json() == []


def test_the_form_on_this_site_is_taken(client: FlaskClient) -> None:
    assert client.post("/", data={"sentence": "Fine."}, headers={"Origin": "http://localhost"}).status_code == 303


def test_the_page_takes_the_filters_of_the_list_and_ignores_empty_fields(client: FlaskClient, app: Flask) -> None:
    with app.app_context():
        slow = store_review(sentence="A slow film.", sentiment_score=-0.9).id
        store_review(sentence="A slow film.", sentiment_score=0.9)
        store_review(sentence="A fast film.", sentiment_score=-0.9)
    answer = client.get("/?q=slow&sentiment=negative&since=&min_confidence=&corrected=", headers=HTML)
    page = answer.get_data(as_text=True)
    assert re.findall(r'id="review-(\d+)"', page) == [str(slow)]
    assert 'value="slow"' in page
    assert f'href="/?q=slow&amp;sentiment=negative&amp;review={slow}"' in page


def test_filters_without_a_field_of_their_own_stay_when_the_form_is_sent(client: FlaskClient, app: Flask) -> None:
    with app.app_context():
        movie_id = store_review(movie="Alien", metadata={"stars": 4}).movie_id
    page = client.get(f"/?movie={movie_id}&metadata.stars=4&written_since=&sentiment=positive", headers=HTML).get_data(
        as_text=True
    )
    assert f'<input name="movie" type="hidden" value="{movie_id}">' in page
    assert '<input name="metadata.stars" type="hidden" value="4">' in page
    assert 'name="written_since"' not in page
    assert page.count('name="sentiment"') == 1


def test_older_reviews_are_a_link_away(client: FlaskClient, app: Flask) -> None:
    with app.app_context():
        ids = [store_review(sentence=f"Slow film {number}.").id for number in range(51)]
    page = client.get("/?q=slow", headers=HTML).get_data(as_text=True)
    assert f'href="/?q=slow&amp;before={ids[1]}"' in page
    older = client.get(f"/?q=slow&before={ids[1]}", headers=HTML).get_data(as_text=True)
    assert re.findall(r'id="review-(\d+)"', older) == [str(ids[0])]


def test_a_review_is_opened_by_its_address(client: FlaskClient, app: Flask) -> None:
    with app.app_context():
        review = store_review(sentence="A slow film. " * 100, model_version="model@abc", windows=7)
    page = client.get(f"/?review={review.id}", headers=HTML).get_data(as_text=True)
    [record] = re.findall(r'<div id="record".*?</article>', page, re.DOTALL)
    assert "A slow film. " * 100 in record
    assert "model@abc" in record
    assert '<span data-field="windows">7 windows</span>' in record


def test_an_unknown_review_is_reported_on_the_page(client: FlaskClient) -> None:
    answer = client.get("/?review=9223372036854775807", headers=HTML)
    assert answer.status_code == 404
    assert "Review 9223372036854775807 does not exist." in answer.get_data(as_text=True)


@pytest.mark.parametrize("query", ["since=soon", "review=x", "sentiment=glad", "force=1", "q=%00"])
def test_an_invalid_filter_is_reported_on_the_page(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/?{query}", headers=HTML)
    assert answer.status_code == 422
    assert f'role="alert">{query.split("=", maxsplit=1)[0]}: ' in answer.get_data(as_text=True)


def test_a_client_that_prefers_json_can_filter_too(client: FlaskClient, app: Flask) -> None:
    with app.app_context():
        store_review(sentence="A slow film.")
        store_review(sentence="A fast film.")
    assert client.get("/?q=slow").get_json() == client.get("/sentiments/?q=slow").get_json()
    assert client.get("/?review=1").status_code == 422


@pytest.mark.parametrize("accept", ["application/json", "*/*", ""])
def test_a_client_that_does_not_prefer_html_gets_the_list(client: FlaskClient, accept: str) -> None:
    client.post("/sentiments/", json={"sentence": "Fine."})
    answer = client.get("/", headers={"Accept": accept})
    assert answer.get_json() == client.get("/sentiments/").get_json()
    assert answer.headers["Vary"] == "Accept"


def test_the_documentation_works_without_another_host(client: FlaskClient) -> None:
    page = client.get("/docs").get_data(as_text=True)
    assets = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(assets) >= 3
    assert "/static/icon.svg" in assets
    for asset in assets:
        assert asset.startswith("/")
        with client.get(asset) as answer:
            assert answer.status_code == 200


def test_a_file_outside_the_documentation_is_not_served(client: FlaskClient) -> None:
    assert client.get("/docs/assets/../__init__.py").status_code == 404
