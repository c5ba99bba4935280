"""A request that is arriving: what is there of it, and if that is enough for a thread to begin.

The framing is read only to know when to stop waiting (RFC 9112, sections 6 and 7). gunicorn's parser reads the same
bytes again and decides what they mean. So whatever the parser refuses is enough here, and what it takes is waited for.
"""

import re

HEADER_BYTES = 2**20
"""The most bytes to wait for a header's end in, which is more than gunicorn's parser takes."""
PIECE_BYTES = 2**16
"""A client must send so much of a body in the time that it has for the header."""
_LENGTH_DIGITS = 15
"""A body whose length has more digits is too long to wait for, and so to count."""
_LINE_BYTES = 8192
"""The most bytes to wait for the end of a chunk's first line in."""
_FRAMING = re.compile(rb"\r\n(content-length|transfer-encoding):([^\r\n]*)", re.IGNORECASE)
_STRICT = re.compile(rb"[A-Z]+ [^\s\0]+ HTTP/1\.1\r\n(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\r\n\0]*\r\n)+\r\n")
"""A header in which the parser would find nothing to refuse or to read in another way."""
_CLOSE = re.compile(rb"\r\nconnection:[^\r\n]*close", re.IGNORECASE)
_EXPECT = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*\r\n", re.IGNORECASE)
_CHUNK = re.compile(rb"0*([0-9a-fA-F]{1,15})[ \t]*(?:;[^\r\n]*)?\Z")


class Arrival:
    """The bytes of a request that a client has sent so far."""

    __slots__ = (
        "_at", "_chunked", "_end", "_framing", "_in_trailer", "_most_body", "_pieces", "_whole", "data", "enough",
    )  # fmt: skip

    def __init__(self, most_body: int, data: bytes = b"") -> None:
        """Begin with the bytes that came behind the request before.

        :param most_body: bytes of the longest body to wait for. A view reads a longer one, or refuses it.
        """
        self._most_body = most_body
        self.data = bytearray()
        self.enough = False
        """True if the request is whole, if it is too long to wait for, or if the parser will refuse it."""
        self._whole = False
        self._end = 0  # of the header, 0 before it is found
        self._at = 0  # of the body's end, or of the next chunk
        self._chunked = self._in_trailer = False
        self._framing = 0  # the bytes around the chunks, up to `_at`
        self._pieces = 0
        self.add(data)

    def add(self, data: bytes) -> bool:
        """Take what has been received; tell whether the client has earned more time."""
        seen = len(self.data)
        self.data += data
        if not self._end:
            return self._find_header(seen)
        self._find_end()
        before, self._pieces = self._pieces, (len(self.data) - self._end) // PIECE_BYTES
        return self._pieces > before

    @property
    def has_endless_header(self) -> bool:
        """True if the header is longer than any that the parser takes. The parser would wait for more of it."""
        return not self._end and len(self.data) > HEADER_BYTES

    @property
    def has_endless_framing(self) -> bool:
        """True if the bytes around the chunks are more than any body that is waited for."""
        return self._framing > self._most_body

    @property
    def expects_continue(self) -> bool:
        """True if the client waits for "100 Continue" before it sends the body. HTTP/1.0 does not know that."""
        if self.enough or not 0 < self._end == len(self.data):
            return False
        return self.data[: self.data.find(b"\r\n")].endswith(b" HTTP/1.1") and bool(_EXPECT.search(self.data))

    @property
    def leaves_open(self) -> bool:
        """True if the next request can follow, though nobody parses this one: it is whole, and nothing is behind it."""
        if not self._whole or self._at != len(self.data):
            return False
        return bool(_STRICT.fullmatch(self.data, 0, self._end)) and not _CLOSE.search(self.data, 0, self._end)

    def _find_header(self, seen: int) -> bool:
        found = self.data.find(b"\r\n\r\n", max(0, seen - 3))
        if found < 0:
            self.enough = self.data.find(b"\n\n", max(0, seen - 1)) >= 0
            return False
        self._end = self._at = found + 4
        framing: dict[bytes, list[bytes]] = {}
        for name, value in _FRAMING.findall(self.data, 0, self._end):
            framing.setdefault(name.lower(), []).append(value.strip(b" \t"))
        match framing:
            case {b"content-length": [length], **others} if length.isdigit() and not others:
                digits = length.lstrip(b"0")
                self.enough = len(digits) > _LENGTH_DIGITS or int(digits or b"0") > self._most_body
                self._at += 0 if self.enough else int(digits or b"0")
            case {b"transfer-encoding": _, **others} if not others:
                self._chunked = True  # whatever other codings there are, which the parser takes or refuses
            case _:
                self._whole, self.enough = not framing, True  # without a body, or ambiguous
        self._find_end()
        return True

    def _find_end(self) -> None:
        if not self.enough:
            self._whole = not self._chunked and len(self.data) >= self._at
            ended = self._find_chunks() if self._chunked else self._whole
            body = min(self._at, len(self.data)) - self._end - self._framing
            self.enough = ended or body > self._most_body

    def _find_chunks(self) -> bool:
        """Go from chunk to chunk; tell whether the last one has come, or one that is malformed."""
        while self._at <= len(self.data) and not self._in_trailer:
            end = self.data.find(b"\r\n", self._at, self._at + _LINE_BYTES)
            if end < 0:
                return len(self.data) - self._at > _LINE_BYTES
            size = _CHUNK.match(self.data[self._at : end])
            if size is None:
                return True
            length = int(size[1], 16)
            self._in_trailer = length == 0
            behind = end + 4 if length else end
            self._framing += behind - self._at
            self._at = behind + length
        return self._in_trailer and self._find_trailer()

    def _find_trailer(self) -> bool:
        """Look for an empty line in what has not been searched. It may be the rest of the last chunk's line."""
        found = self.data.find(b"\r\n\r\n", self._at)
        searched = max(self._at, len(self.data) - 3)
        self._framing += searched - self._at
        self._at = searched
        return found >= 0
