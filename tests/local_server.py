"""A web server on this computer that behaves as a test tells it to."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote


@dataclass
class Server:
    """Files by path; `troubles` by path are used up first, one a request."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    troubles: dict[str, list[int | str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    kind: str = "application/zip"
    go_on: threading.Event = field(default_factory=threading.Event)


@contextmanager
def serve() -> Iterator[Server]:
    told = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.answer(body=False)

        def do_GET(self):
            self.answer(body=True)

        def answer(self, body):
            path = unquote(self.path)
            told.asked.append(f"{self.command} {path}")
            trouble = told.troubles.get(path) or [200]
            what = trouble.pop(0)
            if what == "silent":
                told.go_on.wait(20)
                return
            if what == 200 and path not in told.files:
                what = 404
            if what == "elsewhere":
                self.send_response(302)
                self.send_header("Location", told.files[path].decode())
                self.end_headers()
                return
            if isinstance(what, int) and what != 200:
                self.send_error(what)
                return
            content = told.files[path]
            self.send_response(200)
            self.send_header("Content-Type", told.kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if not body:
                return
            if what == 200:
                self.wfile.write(content)
                return
            self.wfile.write(content[: len(content) // 2])
            self.wfile.flush()
            if what == "stall":
                told.go_on.wait(20)
            self.connection.close()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        told.address = f"http://127.0.0.1:{server.server_port}"
        run = partial(server.serve_forever, poll_interval=0.01)
        threading.Thread(target=run, daemon=True).start()
        yield told
        told.go_on.set()
        server.shutdown()
