"""Rescoring, and the history that it leaves."""

import pytest
from flask import Flask
from flask.testing import FlaskClient, FlaskCliRunner
from sqlalchemy import text, update

from src import reviews
from src.extensions import db
from src.models import Sentiment
from src.reviews import rescoring
from src.sentiment_analyzer import Score
from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer
from test.builders import build_review, store_correction, store_review


@pytest.fixture
def old(app: Flask) -> list[int]:
    """Reviews with positive scores by older models; one is corrected."""
    sentences = ["A wonderful film.", "A terrible film.", "A dull, boring film."]
    with app.app_context():
        ids = [store_review(sentence=one, sentiment_score=0.9, model_version="old@1").id for one in sentences]
        ids.append(store_review(sentence="A fine film.", sentiment_score=0.5, model_version="older@1").id)
        store_correction(ids[1], "negative")
    return ids


def test_a_new_text_keeps_the_score_of_the_old_one(client: FlaskClient) -> None:
    first = client.post("/sentiments/", json={"sentence": "A wonderful film."}).get_json()
    address = f"/sentiments/{first['id']}"
    second = client.put(address, json={"sentence": "A terrible film."}).get_json()
    client.put(address, json={"sentence": "A dull film."})
    found = client.get(f"{address}/history").get_json()
    assert [one["sentence"] for one in found] == ["A terrible film.", "A wonderful film."]
    for earlier, record in zip(found, [second, first], strict=True):
        for name in ("sentence", "sentiment_score", "confidence", "model_version"):
            assert earlier[name] == record[name]
        assert earlier["scored_on"] == record["updated_on"]


def test_a_history_comes_page_by_page(client: FlaskClient, app: Flask) -> None:
    with app.app_context():
        review, other = store_review(), store_review()
        for number in range(60):
            text_of = {"sentence": f"Version {number}."}
            db.session.execute(update(Sentiment).where(Sentiment.id.in_([review.id, other.id])).values(text_of))
        db.session.commit()
        address = f"/sentiments/{review.id}/history"
    assert len(client.get(address).get_json()) == 50
    found, address = [], f"{address}?limit=20"
    while address:
        answer = client.get(address)
        found.append(answer.get_json())
        address = answer.headers.get("Link", "").partition(">")[0][1:]
    assert [len(page) for page in found] == [20, 20, 20]
    ids = [one["id"] for page in found for one in page]
    assert ids == sorted(set(ids), reverse=True)
    assert [one["sentence"] for page in found for one in page][:-1] == [f"Version {n}." for n in range(58, -1, -1)]
    for query in ("limit=0", "limit=501", "before=0", "q=fine"):
        assert client.get(f"/sentiments/{review.id}/history?{query}").status_code == 422


def test_a_review_that_never_changed_has_no_history(client: FlaskClient) -> None:
    address = client.post("/sentiments/", json={"sentence": "Fine."}).headers["Location"]
    assert client.get(f"{address}/history").get_json() == []
    assert client.get("/sentiments/9223372036854775807/history").status_code == 404


def test_rescoring_replaces_the_scores_of_other_versions_and_keeps_them_in_the_history(
    client: FlaskClient, runner: FlaskCliRunner, analyzer: SentimentAnalyzer, old: list[int]
) -> None:
    result = runner.invoke(args=["reviews", "rescore"])
    assert result.exit_code == 0, result.output
    assert "3 reviews, 2 flips, mean change " in result.output
    assert "1 reviews, 0 flips" in result.output
    records = client.get("/sentiments/").get_json()
    assert {record["model_version"] for record in records} == {analyzer.version}
    for record in records:
        [score] = analyzer.analyze([record["sentence"]])
        assert record["sentiment_score"] == pytest.approx(score.sentiment_score, abs=1e-5)
        assert (record["tokens"], record["windows"]) == (score.tokens, score.windows)
    assert client.get(f"/sentiments/{old[1]}").get_json()["correction"]["sentiment"] == "negative"
    [earlier] = client.get(f"/sentiments/{old[1]}/history").get_json()
    assert (earlier["sentiment_score"], earlier["model_version"]) == (0.9, "old@1")
    again = runner.invoke(args=["reviews", "rescore"])
    assert (again.exit_code, again.output) == (0, "")


def test_rescoring_can_be_limited_to_one_version(client: FlaskClient, runner: FlaskCliRunner, old: list[int]) -> None:
    result = runner.invoke(args=["reviews", "rescore", "--model-version", "older@1"])
    assert "1 reviews" in result.output
    assert len(client.get("/sentiments/?model_version=old@1").get_json()) == 3
    result = runner.invoke(args=["reviews", "rescore", "--model-version", "nobody@1"])
    assert "No review has a score by nobody@1." in result.output


def test_reviews_of_the_loaded_model_are_not_scored_again(
    client: FlaskClient, runner: FlaskCliRunner, analyzer: SentimentAnalyzer
) -> None:
    before = client.post("/sentiments/", json={"sentence": "A fine film."}).get_json()
    result = runner.invoke(args=["reviews", "rescore", "--model-version", analyzer.version])
    assert result.exit_code == 2
    assert "is the version of the loaded model. Name an earlier one, or omit the option." in result.output
    assert client.get(f"/sentiments/{before['id']}").get_json() == before


def test_rescoring_continues_after_an_interruption(
    app: Flask, analyzer: SentimentAnalyzer, old: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rescoring, "BATCH", 2)
    with app.app_context():
        assert next(reviews.rescore(db.session(), analyzer, "old@1")).reviews == 2
        assert reviews.outdated(db.session(), analyzer.version) == {"old@1": 1, "older@1": 1}
        assert [report.reviews for report in reviews.rescore(db.session(), analyzer, "old@1")] == [1]
        assert db.session.scalar(text("SELECT count(*) FROM score_history")) == 3


def test_a_review_that_changes_meanwhile_is_left_as_it_is(app: Flask, client: FlaskClient, old: list[int]) -> None:
    class Interrupted:
        version, calibrated, ready = "new@1", True, True

        def analyze(self, texts: list[str]) -> list[Score]:
            assert not db.session().in_transaction()  # a slow model holds no connection
            db.session.execute(text("UPDATE sentiments SET sentence = 'Another.' WHERE id = :id"), {"id": old[0]})
            db.session.execute(text("DELETE FROM sentiments WHERE id = :id"), {"id": old[1]})
            return [Score(sentiment_score=-0.5, confidence=0.75, tokens=3, windows=1) for _ in texts]

    with app.app_context():
        [report] = reviews.rescore(db.session(), Interrupted(), "old@1")
        assert (report.reviews, report.flips, report.mean_change) == (1, 1, pytest.approx(-1.4))
    assert client.get(f"/sentiments/{old[0]}").get_json()["model_version"] == "old@1"
    assert client.get(f"/sentiments/{old[2]}").get_json()["model_version"] == "new@1"


def test_a_flip_is_another_sentiment(app: Flask) -> None:
    """To and from neutral too, where the score may keep its sign; not every change is one."""

    class Neutral:
        version, calibrated, ready = "three@1", True, True

        def analyze(self, texts: list[str]) -> list[Score]:
            score = {"sentiment_score": 0.1, "confidence": 0.8, "p_neutral": 0.8, "warnings": ("unreadable",)}
            return [Score(**score, tokens=3, windows=1) for _ in texts]

    class TwoLabels:
        version, calibrated, ready = "two@1", True, True

        def analyze(self, texts: list[str]) -> list[Score]:
            return [Score(sentiment_score=0.2, confidence=0.6, tokens=3, windows=1) for _ in texts]

    with app.app_context():
        stored = [
            store_review(sentiment_score=score, p_neutral=p_neutral, model_version="old@1")
            for score, p_neutral in [(0.2, None), (-0.2, 0.1), (-0.2, 0.6), (0.0, 1.0)]
        ]
        [report] = reviews.rescore(db.session(), Neutral(), "old@1")
        assert (report.reviews, report.flips) == (4, 2)
        found = [reviews.find(db.session(), one.id) for one in stored]
        assert {(one.p_neutral, one.warnings) for one in found} == {(0.8, ("unreadable",))}
        history = [reviews.history(db.session(), one.id, 5).items[0] for one in stored]
        assert [one.p_neutral for one in history] == [None, 0.1, 0.6, 1.0]
        assert [one.sentiment for one in history] == ["positive", "negative", "neutral", "neutral"]
        [report] = reviews.rescore(db.session(), TwoLabels(), "three@1")
        assert (report.reviews, report.flips) == (4, 4)
        assert reviews.find(db.session(), stored[0].id).p_neutral is None
        comparison = reviews.compare(db.session(), "old@1", "three@1")
        assert comparison.table["positive"]["neutral"] == comparison.table["negative"]["neutral"] == 1
        assert (comparison.agreed, comparison.to_neutral, comparison.to_positive) == (2, 2, 0)


def test_long_reviews_are_scored_fewer_at_a_time(
    app: Flask, analyzer: SentimentAnalyzer, old: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rescoring, "BATCH_CHARACTERS", 35)
    with app.app_context():
        assert [report.reviews for report in reviews.rescore(db.session(), analyzer, "old@1")] == [2, 3]


def test_a_report_keeps_the_largest_changes() -> None:
    report = rescoring.Report()
    for review_id in range(30, 0, -1):
        after = (review_id * 7 % 31) / 100  # 0.01 to 0.30, in mixed order
        score = Score(sentiment_score=after, confidence=0.6, tokens=3, windows=1)
        report.add(build_review(id=review_id, sentiment_score=0.0), score)
    assert sorted(change.after for change in report.largest) == [n / 100 for n in range(21, 31)]
