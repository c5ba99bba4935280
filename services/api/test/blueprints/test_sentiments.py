"""The reviews as a REST resource."""

from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from src.sentiment_analyzer.score import Score
from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer
from test.builders import rescore_review, store_review

FIELDS = [
    "id", "sentence", "sentiment_score", "confidence", "sentiment", "probabilities", "tokens", "windows", "warnings",
    "model_version", "correction", "movie", "reference", "written_on", "metadata", "created_on", "updated_on",
]  # fmt: skip
VERSION_1 = {
    "/sentiments/{}": {
        "id", "sentence", "sentiment_score", "confidence", "sentiment", "tokens", "windows", "model_version",
        "correction", "created_on", "updated_on",
    },
    "/sentiments/{}/history": {"id", "sentence", "sentiment_score", "confidence", "model_version", "scored_on"},
    "/sentiments/summary": {
        "reviews", "positive", "negative", "mean_score", "histogram", "days", "accuracy", "truncated",
    },
    "/sentiments/comparison?old=old@1&new=model@0123456789ab": {
        "old", "new", "reviews", "agreed", "to_positive", "to_negative", "mean_change", "mean_absolute_change",
        "mean_confidence_change", "largest",
    },
}  # fmt: skip
"""The fields of responses before reviews could be neutral."""


@pytest.fixture
def ids(app: Flask) -> list[int]:
    """Five stored reviews, the oldest first."""
    with app.app_context():
        return [store_review(sentence=f"Film number {number}.").id for number in range(5)]


def test_a_posted_review_is_answered_with_its_record(client: FlaskClient, analyzer: SentimentAnalyzer) -> None:
    answer = client.post("/sentiments/", json={"sentence": "A wonderful film, the best of the year."})
    record = answer.get_json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/sentiments/{record['id']}"
    assert list(record) == FIELDS
    assert record["sentiment"] == "positive"
    assert 0.5 < record["sentiment_score"] <= 1
    probabilities = record["probabilities"]
    assert list(probabilities) == ["negative", "neutral", "positive"]
    assert sum(probabilities.values()) == pytest.approx(1)
    assert probabilities["positive"] - probabilities["negative"] == pytest.approx(record["sentiment_score"])
    assert record["confidence"] == pytest.approx(probabilities["positive"])
    assert (record["tokens"], record["windows"], record["warnings"]) == (10, 1, [])
    assert record["model_version"] == analyzer.version
    assert datetime.fromisoformat(record["created_on"]).utcoffset() == timedelta(0)


def test_a_bad_review_is_negative(client: FlaskClient) -> None:
    record = client.post("/sentiments/", json={"sentence": "A terrible, boring waste of two hours."}).get_json()
    assert record["sentiment"] == "negative"
    assert record["sentiment_score"] < -0.5
    assert record["confidence"] > 0.75


@pytest.mark.parametrize("sentence", ["The film opens on Friday.", "What time does it start?", "Hello."])
def test_a_text_without_an_opinion_is_neutral(client: FlaskClient, sentence: str) -> None:
    record = client.post("/sentiments/", json={"sentence": sentence}).get_json()
    assert record["sentiment"] == "neutral"
    assert record["confidence"] == pytest.approx(record["probabilities"]["neutral"])
    assert client.get(f"/sentiments/{record['id']}").get_json() == record
    assert client.get("/sentiments/?sentiment=neutral").get_json() == [record]


@pytest.mark.parametrize(
    ("sentence", "warnings"),
    [
        ("Ein langweiliger Film, der nie zu Ende geht, und die Schauspieler sind schlecht.", ["not_english"]),
        ("?!?! ...", ["unreadable"]),
        ("10/10", []),
    ],
)
def test_a_text_that_the_model_cannot_judge_has_a_warning_and_a_score(
    client: FlaskClient, sentence: str, warnings: list[str]
) -> None:
    record = client.post("/sentiments/", json={"sentence": sentence}).get_json()
    assert record["warnings"] == warnings
    assert client.get(f"/sentiments/{record['id']}").get_json() == record
    replaced = client.put(f"/sentiments/{record['id']}", json={"sentence": "A fine film."}).get_json()
    assert replaced["warnings"] == []


@pytest.mark.parametrize(("score", "sentiment"), [(0.6, "positive"), (0.0, "positive"), (-0.2, "negative")])
def test_a_review_that_a_model_with_two_labels_scored_has_no_probability_of_neutral(
    client: FlaskClient, app: Flask, score: float, sentiment: str
) -> None:
    with app.app_context():
        review = store_review(sentiment_score=score, confidence=(1 + abs(score)) / 2)
    record = client.get(f"/sentiments/{review.id}").get_json()
    assert record["sentiment"] == sentiment
    assert record["probabilities"] == {
        "negative": pytest.approx((1 - score) / 2), "neutral": None, "positive": pytest.approx((1 + score) / 2)
    }  # fmt: skip
    assert record["warnings"] is None


def test_a_model_with_two_labels_is_served_as_before(
    client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    score = Score(sentiment_score=0.1, confidence=0.55, tokens=4, windows=1)
    monkeypatch.setattr(app.extensions["analyzer"], "analyze", lambda texts: [score for _ in texts])
    record = client.post("/sentiments/", json={"sentence": "A fine film."}).get_json()
    assert (record["sentiment"], record["confidence"], record["probabilities"]["neutral"]) == ("positive", 0.55, None)
    assert client.get(f"/sentiments/{record['id']}").get_json() == record


@pytest.mark.parametrize("path", VERSION_1)
def test_no_field_of_version_1_is_taken_away(client: FlaskClient, app: Flask, path: str) -> None:
    with app.app_context():
        review = store_review(model_version="old@1")
        rescore_review(review.id, -0.2, p_neutral=0.1, model_version="model@0123456789ab")
    answer = client.get(path.format(review.id)).get_json()
    assert set(answer[0] if isinstance(answer, list) else answer) >= VERSION_1[path]


def test_the_history_has_the_probabilities_of_earlier_scores(client: FlaskClient, app: Flask) -> None:
    with app.app_context():
        review = store_review(sentiment_score=0.1, p_neutral=0.8)
        rescore_review(review.id, 0.5, model_version="two-labels@1")
        rescore_review(review.id, -0.9, model_version="two-labels@2")
    later, earlier = client.get(f"/sentiments/{review.id}/history").get_json()
    assert (later["sentiment"], later["probabilities"]) == (
        "positive", {"negative": 0.25, "neutral": None, "positive": 0.75}
    )  # fmt: skip
    assert earlier["sentiment"] == "neutral"
    assert earlier["probabilities"] == pytest.approx({"negative": 0.05, "neutral": 0.8, "positive": 0.15})


def test_a_stored_record_is_the_one_that_was_answered(client: FlaskClient) -> None:
    answer = client.post("/sentiments/", json={"sentence": "It has its moments."})
    found = client.get(answer.headers["Location"])
    assert found.status_code == 200
    assert found.get_json() == answer.get_json()
    assert client.get("/sentiments/").get_json() == [answer.get_json()]


@pytest.mark.parametrize(
    "sentence",
    [
        "  spaces kept \n",
        "<b>bold</b> &amp; <br />",
        "naïve 電影 🎬",
        "line\u2028separator",
        "right \u202e to left",
        "'; --",
    ],
)
def test_the_sentence_is_kept_exactly_as_sent(client: FlaskClient, sentence: str) -> None:
    record = client.post("/sentiments/", json={"sentence": sentence}).get_json()
    assert client.get(f"/sentiments/{record['id']}").get_json()["sentence"] == sentence


def test_the_slash_at_the_end_may_be_left_out(client: FlaskClient) -> None:
    answer = client.post("/sentiments", json={"sentence": "Fine."})
    assert answer.status_code == 201
    assert client.get("/sentiments").get_json() == [answer.get_json()]


def test_the_second_half_of_a_review_of_100_000_characters_moves_its_score(client: FlaskClient) -> None:
    praise, blame = ("A wonderful film. " * 6000)[:50_000], ("A terrible, boring film. " * 6000)[:50_000]
    praised = client.post("/sentiments/", json={"sentence": praise}).get_json()
    mixed = client.post("/sentiments/", json={"sentence": praise + blame}).get_json()
    assert mixed["windows"] > 20
    assert mixed["sentiment_score"] < praised["sentiment_score"] - 0.1


def test_the_list_is_newest_first_and_paged_by_key(client: FlaskClient, ids: list[int]) -> None:
    """Following the Link header visits every review once, also when new ones arrive meanwhile."""
    seen, address = [], "/sentiments/?limit=2"
    while address:
        answer = client.get(address)
        assert answer.status_code == 200
        seen += [record["id"] for record in answer.get_json()]
        link = answer.headers.get("Link")
        client.post("/sentiments/", json={"sentence": "A newcomer."})
        address = link[1 : link.index(">")] if link else None
        assert not link or link.endswith('>; rel="next"')
        assert not link or "limit=2" in link
    assert seen == ids[::-1]


def test_a_full_last_page_has_no_next(client: FlaskClient, ids: list[int]) -> None:
    assert "Link" not in client.get(f"/sentiments/?limit={len(ids)}").headers


def test_the_empty_list_is_an_empty_array(client: FlaskClient) -> None:
    answer = client.get("/sentiments/")
    assert (answer.status_code, answer.get_json()) == (200, [])


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "/limit"), ("limit=501", "/limit"), ("limit=ten", "/limit"), ("limit=²", "/limit"),
        ("limit=1_0", "/limit"), ("before=0", "/before"), ("before=9223372036854775808", "/before"),
        ("before=", "/before"), ("page=2", "/page"),
    ],
)  # fmt: skip
def test_a_bad_query_names_the_parameter(client: FlaskClient, query: str, pointer: str) -> None:
    answer = client.get(f"/sentiments/?{query}")
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.get_json()["errors"]] == [pointer]


def test_replacing_a_review_scores_the_new_text_and_moves_updated_on(client: FlaskClient) -> None:
    before = client.post("/sentiments/", json={"sentence": "A wonderful film."}).get_json()
    answer = client.put(f"/sentiments/{before['id']}", json={"sentence": "A terrible film."})
    after = answer.get_json()
    assert answer.status_code == 200
    assert (after["sentence"], after["sentiment"]) == ("A terrible film.", "negative")
    assert after["created_on"] == before["created_on"]
    assert datetime.fromisoformat(after["updated_on"]) > datetime.fromisoformat(before["updated_on"])
    assert client.get(f"/sentiments/{before['id']}").get_json() == after


def test_a_deleted_review_is_gone(client: FlaskClient) -> None:
    address = client.post("/sentiments/", json={"sentence": "Fine."}).headers["Location"]
    answer = client.delete(address)
    assert (answer.status_code, answer.data) == (204, b"")
    assert client.get(address).status_code == 404
    assert client.delete(address).status_code == 404


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_an_unknown_id_is_not_found(client: FlaskClient, method: str) -> None:
    body = {"json": {"sentence": "Fine."}} if method == "put" else {}
    answer = client.open("/sentiments/9223372036854775807", method=method, **body)
    assert answer.status_code == 404
    assert "9223372036854775807" in answer.get_json()["detail"]


@pytest.mark.parametrize("review_id", ["0", "-1", "+1", "1.0", "²", "abc", "9223372036854775808", "1" * 5000])
@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_an_id_that_no_review_can_have_is_not_valid(client: FlaskClient, method: str, review_id: str) -> None:
    body = {"json": {"sentence": "Fine."}} if method == "put" else {}
    answer = client.open(f"/sentiments/{review_id}", method=method, **body)
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["pointer"] == "/id"


@pytest.mark.parametrize(
    ("method", "path"), [("post", "/sentiments/"), ("get", "/sentiments/1"), ("delete", "/sentiments/1")]
)
def test_a_query_on_a_route_without_one_is_not_valid(client: FlaskClient, method: str, path: str) -> None:
    answer = client.open(f"{path}?force=1", method=method)
    assert answer.status_code == 422
    assert answer.get_json()["errors"] == [{"pointer": "/force", "detail": "Unknown parameter."}]


def test_each_operation_is_one_statement_but_a_new_text_also_drops_a_correction_and_is_read_again(
    client: FlaskClient, statements: list[str]
) -> None:
    address = client.post("/sentiments/", json={"sentence": "Fine."}).headers["Location"]
    client.get(address)
    client.get("/sentiments/")
    client.put(address, json={"sentence": "Finer."})
    client.delete(address)
    assert [statement.split()[0] for statement in statements] == [
        "INSERT", "SELECT", "SELECT", "UPDATE", "DELETE", "SELECT", "DELETE"
    ]  # fmt: skip
