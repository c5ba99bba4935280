"""The service's own app behind granian's RSGI interface: a body is collected before a thread is taken.

What granian lacks is here: a deadline and a limit for bodies.
"""

import asyncio
import io
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, BinaryIO

from bench.serving.wsgi import app, settings
from src.web.problems import render_problem, request_id_from

BODY_SECONDS = 30.0
"""The longest that a body may take."""
SPOOLED_BYTES = 2**20
"""The longest body that is kept in memory."""
_COMMON = {
    "wsgi.errors": sys.stderr, "wsgi.version": (1, 0), "wsgi.multithread": True, "wsgi.multiprocess": False,
    "wsgi.run_once": False, "wsgi.input_terminated": True, "SCRIPT_NAME": "",
}  # fmt: skip
_pool = ThreadPoolExecutor(settings.threads, "request")


async def serve(scope: Any, protocol: Any) -> None:
    """Answer a request."""
    body: BinaryIO = io.BytesIO()
    if scope.method not in ("GET", "HEAD", "OPTIONS") or "transfer-encoding" in scope.headers:
        limit = settings.max_bulk_bytes if scope.path.endswith("/bulk") else settings.max_body_bytes
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body, received = await _collect(protocol, limit)
        except TimeoutError:
            _refuse(scope, protocol, 408, "The body took too long to arrive.")
            return
        if received > limit:
            _refuse(scope, protocol, 413, "The body is too large.")
            return
    loop = asyncio.get_running_loop()
    environ = _environ(scope)
    environ["wsgi.input"] = body
    await asyncio.wrap_future(_pool.submit(_call, environ, protocol, loop))


async def _collect(protocol: Any, limit: int) -> tuple[BinaryIO, int]:
    """Return a body and its length. One over the limit is read on and discarded, so that its client sees the 413."""
    body: Any = tempfile.SpooledTemporaryFile(SPOOLED_BYTES, dir="/var/tmp")  # noqa: SIM115  # read by another thread
    received = 0
    async for piece in protocol:
        received += len(piece)
        if received <= limit:
            body.write(piece)
    body.seek(0)
    return body, received


def _environ(scope: Any) -> dict[str, Any]:
    host, _, port = scope.server.rpartition(":")
    environ = {
        **_COMMON, "REQUEST_METHOD": scope.method, "PATH_INFO": scope.path, "QUERY_STRING": scope.query_string,
        "SERVER_NAME": host, "SERVER_PORT": port, "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0], "wsgi.url_scheme": scope.scheme,
    }  # fmt: skip
    for name, value in scope.headers.items():
        environ[f"HTTP_{name.replace('-', '_').upper()}"] = value
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if f"HTTP_{name}" in environ:
            environ[name] = environ.pop(f"HTTP_{name}")
    return environ


def _call(environ: dict[str, Any], protocol: Any, loop: asyncio.AbstractEventLoop) -> None:
    begun: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> None:
        begun[:] = int(status[:3]), headers

    pieces: Iterable[bytes] = app(environ, start_response)
    try:
        status, headers = begun
        if any(name == "Content-Length" for name, _ in headers) or status == 204:
            protocol.response_bytes(status, headers, b"".join(pieces))
            return
        transport = protocol.response_stream(status, headers)
        for piece in pieces:
            asyncio.run_coroutine_threadsafe(_send(transport, piece), loop).result(30)
    finally:
        getattr(pieces, "close", lambda: None)()


async def _send(transport: Any, piece: bytes) -> None:
    await transport.send_bytes(piece)


def _refuse(scope: Any, protocol: Any, status: int, detail: str) -> None:
    body, headers = render_problem(status, detail, request_id_from(scope.headers.get("x-request-id") or ""))
    protocol.response_bytes(status, [(name.lower(), value) for name, value in headers.items()], body)
