"""A client's socket that keeps what its client does not read yet, so that no thread waits for slow readers."""

import contextlib
import socket
from typing import Any

UNREAD_BYTES = 2**18
"""A thread that streams a response, such as an export, waits for its client while more than this is unread."""


class ClientSocket(socket.socket):
    """A socket whose `sendall` returns before the client has read everything."""

    def __init__(self, accepted: socket.socket) -> None:
        """Take over an accepted socket."""
        super().__init__(accepted.family, accepted.type, accepted.proto, accepted.detach())
        self.unread = bytearray()
        """The bytes that the client is still to be sent."""
        self.keeps_next = False
        """True if the next piece is the header of a response, which is sent with the piece behind it."""

    def setblocking(self, flag: bool, /) -> None:  # noqa: FBT001  # as socket.setblocking
        """Change the mode unless it is that already: gunicorn sets it for each request, and each time costs a call."""
        if flag != self.getblocking():
            super().setblocking(flag)

    def sendall(self, data: bytes, flags: int = 0, /) -> None:  # type: ignore[override]  # of bytes alone
        """Send what the client takes now and keep the rest, however long: it is in memory already."""
        if self.keeps_next:
            self.keeps_next = False
            self.unread += data
            return
        if len(self.unread) > UNREAD_BYTES:
            waiting, self.unread = self.unread, bytearray()
            super().sendall(waiting, flags)
        self.unread += data
        self.deliver()

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        """Send a part of a file as `sendall` does: the kernel's way would wait for the client without a deadline."""
        file.seek(offset)
        data = file.read(-1 if count is None else count)
        self.sendall(data)
        return len(data)

    def deliver(self) -> None:
        """Send what the client takes now of what is kept."""
        with contextlib.suppress(BlockingIOError):
            while self.unread:
                del self.unread[: self.send(self.unread, socket.MSG_DONTWAIT)]

    def close(self) -> None:
        """Close the socket and drop what is kept, which the garbage collector might find late."""
        self.unread.clear()
        super().close()
