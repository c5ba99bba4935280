"""A request that arrives in pieces is enough as soon as the parser can read or refuse it, and no sooner."""

import pytest
from gunicorn.config import Config
from gunicorn.http.errors import ParseException
from gunicorn.http.parser import RequestParser

from src.server.arrival import HEADER_BYTES, PIECE_BYTES, Arrival

MOST = 1000
BODY = b'{"sentence": "A fine film."}'


def head(*fields: bytes) -> bytes:
    return b"\r\n".join([b"POST /sentiments/ HTTP/1.1", b"Host: x", *fields, b"", b""])


def chunk(part: bytes, extension: bytes = b"") -> bytes:
    return b"%x%s\r\n%s\r\n" % (len(part), extension, part)


LENGTH = b"Content-Length: %d" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked"
REQUESTS = {
    "without a body": head(),
    "with a length": head(LENGTH) + BODY,
    "with a length in another spelling": head(b"content-LENGTH:%d " % len(BODY)) + BODY,
    "of no bytes": head(b"Content-Length: 0"),
    "in chunks": head(CHUNKED) + chunk(BODY[:5]) + chunk(BODY[5:], b";a=b") + b"0\r\n\r\n",
    "in chunks, with a trailer": head(CHUNKED) + chunk(BODY) + b"0\r\nX-Sum: 1\r\n\r\n",
    "with a length of many digits": head(b"Content-Length: " + b"0" * 20 + b"%d" % len(BODY)) + BODY,
    "with two codings": head(b"Transfer-Encoding: gzip, chunked") + chunk(BODY) + b"0\r\n\r\n",
    "in a chunk of many digits": head(CHUNKED) + b"0" * 20 + chunk(BODY) + b"0\r\n\r\n",
    "in chunks that look like an end": head(CHUNKED) + chunk(b"0\r\n\r\n") + chunk(b"\r\n") + b"0\r\n\r\n",
}
REFUSED = {
    "two lengths": head(LENGTH, LENGTH),
    "a length and chunks": head(LENGTH, CHUNKED),
    "a length that is no number": head(b"Content-Length: +5"),
    "a malformed chunk": head(CHUNKED) + b"zz\r\n",
    "a chunk's line without an end": head(CHUNKED) + b"0" * 10_000,
    "bare line feeds": b"GET / HTTP/1.1\nHost: x\n\n",
}


@pytest.mark.parametrize("request_bytes", REQUESTS.values(), ids=REQUESTS)
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_request_is_enough_at_its_last_byte(request_bytes: bytes, size: int) -> None:
    arrival, seen = Arrival(MOST), 0
    while not arrival.enough:
        assert seen < len(request_bytes)
        arrival.add(request_bytes[seen : seen + size])
        seen += size
    assert seen >= len(request_bytes)
    assert arrival.data == request_bytes


@pytest.mark.parametrize("request_bytes", REFUSED.values(), ids=REFUSED)
def test_what_the_parser_refuses_is_not_waited_for(request_bytes: bytes) -> None:
    assert Arrival(MOST, request_bytes).enough
    requests = RequestParser(Config(), iter([request_bytes]), ("127.0.0.1", 1))
    with pytest.raises(ParseException):
        next(requests).body.read()


def test_a_header_without_an_end_is_found_out() -> None:
    arrival = Arrival(MOST, b"GET / HTTP/1.1\r\n")
    assert not arrival.has_endless_header
    arrival.add(b"x" * HEADER_BYTES)
    assert arrival.has_endless_header
    assert not Arrival(MOST, head()).has_endless_header


@pytest.mark.parametrize(
    "framing", [chunk(b"x", b";" + b"y" * 50), b"0\r\n" + b"X: y\r\n" * 20], ids=["chunks", "trailer"]
)
def test_framing_without_an_end_is_found_out(framing: bytes) -> None:
    arrival = Arrival(MOST, head(CHUNKED))
    while not arrival.has_endless_framing:
        assert not arrival.enough
        assert len(arrival.data) < 2 * MOST
        arrival.add(framing)


def test_a_body_of_small_chunks_is_counted_without_its_framing() -> None:
    arrival = Arrival(MOST, head(CHUNKED) + chunk(b"x" * 10) * (MOST // 10))
    assert not arrival.enough
    assert not arrival.has_endless_framing
    arrival.add(chunk(b"x"))
    assert arrival.enough


def test_a_header_is_read_in_a_time_that_does_not_explode_with_its_spaces() -> None:
    """Half a million of them: a pattern that tries them again and again takes longer than any test run."""
    assert Arrival(MOST, b"GET / HTTP/1.1\r\ncontent-length:" + b" " * 500_000 + b"\rx\r\n\r\n").enough


def test_a_body_that_is_too_long_is_not_waited_for() -> None:
    assert not Arrival(MOST, head(b"Content-Length: %d" % MOST)).enough
    assert Arrival(MOST, head(b"Content-Length: %d" % (MOST + 1))).enough
    long_chunk = Arrival(MOST, head(CHUNKED) + b"ffff\r\n")
    assert not long_chunk.enough
    long_chunk.add(b"x" * (MOST + 10))
    assert long_chunk.enough


def test_a_request_begins_with_what_came_behind_the_one_before() -> None:
    arrival = Arrival(MOST, b"GET / HTT")
    assert not arrival.enough
    arrival.add(b"P/1.1\r\nHost: x\r\n\r\n")
    assert arrival.enough


def test_a_client_earns_time_by_the_header_and_by_each_piece_of_the_body() -> None:
    arrival = Arrival(10 * PIECE_BYTES)
    assert not arrival.add(b"POST / HTTP/1.1\r\n")
    assert arrival.add(b"Content-Length: %d\r\n\r\n" % (3 * PIECE_BYTES))
    assert not arrival.add(b"x" * (PIECE_BYTES - 1))
    assert arrival.add(b"x")
    assert not arrival.add(b"x")


@pytest.mark.parametrize(
    ("request_bytes", "leaves_open"),
    [
        (head(LENGTH) + BODY, True),
        (head(), True),
        (head(LENGTH) + BODY + b"GET", False),
        (head(LENGTH, b"Connection: Close") + BODY, False),
        (head(LENGTH).replace(b"HTTP/1.1", b"HTTP/1.0") + BODY, False),
        (head(b"Content-Length: 100000"), False),
        (head(LENGTH, CHUNKED), False),
        (head(b"Content-Length : 37"), False),
        (head(b"X: y\nContent-Length: 37"), False),
        (head(b"Transfer-Encoding : chunked"), False),
        (head(b"X: y", b" Content-Length: 37"), False),
        (head(b"Content-Length\0: 37"), False),
        (head(CHUNKED) + chunk(BODY) + b"0\r\n\r\n", False),
    ],
)
def test_the_next_request_may_follow_one_that_is_whole_and_keeps_its_connection(
    request_bytes: bytes, *, leaves_open: bool
) -> None:
    arrival = Arrival(MOST, request_bytes)
    assert arrival.enough
    assert arrival.leaves_open is leaves_open


def test_only_a_client_that_has_sent_nothing_of_a_body_waits_to_be_told_to_go_on() -> None:
    expecting = head(LENGTH, b"Expect: 100-Continue")
    assert Arrival(MOST, expecting).expects_continue
    assert not Arrival(MOST, expecting + BODY[:1]).expects_continue
    assert not Arrival(MOST, head(LENGTH)).expects_continue
    assert not Arrival(MOST, expecting.replace(b"HTTP/1.1", b"HTTP/1.0")).expects_continue
    assert not Arrival(MOST, head(b"Content-Length: 100000", b"Expect: 100-continue")).expects_continue
