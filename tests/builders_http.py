"""A real HTTP server on loopback that behaves, or misbehaves, path by path, and counts what it serves."""

from __future__ import annotations

import hashlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import TCPServer, ThreadingMixIn

LONG_AGO = "Mon, 05 Jan 2026 10:00:00 GMT"
PIECE = 1 << 14


@dataclass(frozen=True)
class Page:
    """What stands at a path, and how it is served.

    `content` may be several versions: the first request gets the first one, the last one stays. `statuses` are
    answered before anything else, a request each. `cut_after` ends the connection after so many bytes of a body,
    in the first `cuts` requests (None: in all). `origin_has` is a file whose origin lost its end: it is announced
    whole, and no byte after that is ever sent. `if_range` and `conditions` are whether If-Range, and If-None-Match
    or If-Modified-Since, are heeded. `most` is how many bytes a range brings at once. `pace` is a pause in seconds
    after every `piece` bytes.
    """

    content: bytes | Path | Sequence[bytes] = b""
    statuses: Sequence[int] = ()
    cut_after: int | None = None
    cuts: int | None = 1
    origin_has: int | None = None
    ranges: bool = True
    most: int | None = None
    if_range: bool = True
    conditions: bool = True
    etag: str | None = ""
    modified: str | None = LONG_AGO
    chunked: bool = False
    length: bool = True
    redirect: str | None = None
    head: bool = False
    pace: float = 0.0
    piece: int = PIECE
    headers: Mapping[str, str] = field(default_factory=dict)

    def version(self, number: int) -> bytes:
        """The content that the request of this number gets, from 0."""
        if isinstance(self.content, bytes):
            return self.content
        if isinstance(self.content, Path):
            return self.content.read_bytes()
        return self.content[min(number, len(self.content) - 1)]

    def validators(self, content: bytes) -> dict[str, str]:
        """ETag (made from the content where none is given) and Last-Modified; None leaves a header out."""
        etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"' if self.etag == "" else self.etag
        found = {"ETag": etag, "Last-Modified": self.modified}
        return {name: value for name, value in found.items() if value is not None}


@dataclass
class Request:
    """A request that came in, what it was answered, and how many bytes of a body it was given so far."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    served: int = 0
    status: int = 0


@dataclass
class Site:
    """The server while it runs. Pages may be added and changed at any time."""

    base: str
    port: int
    pages: dict[str, Page]
    requests: list[Request] = field(default_factory=list)

    def url(self, path: str, query: str = "") -> str:
        """The address of a page."""
        return f"{self.base}{path}" + (f"?{query}" if query else "")

    def of(self, path: str) -> list[Request]:
        """The requests for a path, in order."""
        return [request for request in self.requests if request.path == path]

    def served(self, path: str) -> int:
        """The bytes of bodies that were sent for a path."""
        return sum(request.served for request in self.of(path))


@contextmanager
def serving(
    pages: Mapping[str, Page | bytes | Path], *, certificate: tuple[Path, Path] | None = None
) -> Iterator[Site]:
    """Serve pages by path (`/bbb.mp4`); plain bytes or a file are a page that behaves.

    `certificate` is a file with a certificate and one with its key: then it is https.
    """
    made = {path: page if isinstance(page, Page) else Page(page) for path, page in pages.items()}
    server = _Server(("127.0.0.1", 0), _Handler, bind_and_activate=True)
    port = server.server_address[1]
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.site = Site(f"http{'s' if certificate else ''}://127.0.0.1:{port}", port, made)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingMixIn, TCPServer):
    """Each connection has a thread of its own; one that hangs does not hold up the end of a test."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64
    site: Site

    def handle_error(self, request, client_address):
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format, *args):  # noqa: A002 - the name that the base class gives it
        """Nothing on the terminal of the tests."""

    def do_HEAD(self):
        self._answer()

    def do_GET(self):
        self._answer()

    def send_response(self, code, message=None):
        """Note what is answered."""
        self.request_now.status = code
        super().send_response(code, message)

    def _answer(self):
        path, _, query = self.path.partition("?")
        number = len(self.server.site.of(path))
        request = Request(self.command, path, query, dict(self.headers.items()))
        self.server.site.requests.append(request)
        self.request_now = request
        page = self.server.site.pages.get(path)
        with suppress(ConnectionError, ssl.SSLError):
            if page is None:
                self._plain(404)
            elif number < len(page.statuses):
                self._plain(page.statuses[number])
            elif self.command == "HEAD" and not page.head:
                self._plain(403)
            elif page.redirect is not None:
                self._redirect(page, request)
            else:
                self._file(page, page.version(number), request, number)

    def _plain(self, status, **headers):
        self.send_response(status, "Said The Server")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _redirect(self, page, request):
        body = page.version(0)
        self.send_response(302)
        self.send_header("Location", page.redirect)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self._send(page, body, request, None)

    def _file(self, page, content, request, number):
        validators = page.validators(content)
        if page.conditions and self._not_modified(validators):
            self._plain(304, **validators)
            return
        start, end, status = self._range(page, content, validators)
        if status == 416:
            self._plain(416, Content_Range=f"bytes */{len(content)}")
            return
        headers = {**validators, **self._framing(page, end - start)}
        if status == 206:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(content)}"
        self.send_response(status)
        for name, value in {**headers, **page.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        there = content[start : min(end, page.origin_has if page.origin_has is not None else end)]
        cut = page.cut_after if page.cuts is None or number < page.cuts else None
        self._send(page, there, request, cut)
        if len(there) < end - start or not (page.length or page.chunked):
            self._hang_up()

    def _not_modified(self, validators):
        etag = self.headers.get("If-None-Match")
        if etag is not None:
            return etag.removeprefix("W/") == validators.get("ETag", "").removeprefix("W/")
        since = self.headers.get("If-Modified-Since")
        return since is not None and since == validators.get("Last-Modified")

    def _range(self, page, content, validators):
        """First byte, the one after the last, and the status."""
        asked = self.headers.get("Range", "")
        condition = self.headers.get("If-Range")
        current = condition is None or not page.if_range or condition in validators.values()
        if not (page.ranges and asked and current):
            return 0, len(content), 200
        first, _, last = asked.removeprefix("bytes=").partition("-")
        start, end = int(first), min(int(last) + 1 if last else len(content), len(content))
        if page.most is not None:
            end = min(end, start + page.most)
        return (start, end, 206) if start < len(content) else (0, 0, 416)

    def _framing(self, page, size):
        if page.chunked:
            return {"Transfer-Encoding": "chunked"}
        return {"Content-Length": str(size)} if page.length else {"Connection": "close"}

    def _send(self, page, body, request, cut):
        allowed = body if cut is None else body[:cut]
        for start in range(0, len(allowed), page.piece):
            piece = allowed[start : start + page.piece]
            request.served += len(piece)
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if page.chunked else piece)
            time.sleep(page.pace)
        if len(allowed) < len(body):
            self._hang_up()
        elif page.chunked:
            self.wfile.write(b"0\r\n\r\n")

    def _hang_up(self):
        """End the connection so that all that was sent still arrives."""
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)


def waits_until(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Whether something becomes true soon."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True
