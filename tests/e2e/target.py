"""Something for playbooks to call: an HTTP server of our own that counts what reached it."""

import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


class Target:
    """Answers every request with `{"ok": true}` after `answer_after_s`; counts it when it comes in."""

    def __init__(self, answer_after_s: float) -> None:
        self.posts: Counter[str] = Counter()
        """How often each Idempotency-Key was posted: run/step/attempt."""
        self.gets = 0
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self, answer_after_s))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def count(self, key: str | None) -> None:
        """One more request; None: a GET."""
        with self._lock:
            if key is None:
                self.gets += 1
            else:
                self.posts[key] += 1

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(target: Target, answer_after_s: float) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            target.count(None)
            self._answer()

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            target.count(self.headers["Idempotency-Key"])
            self._answer()

        def _answer(self) -> None:
            time.sleep(answer_after_s)
            body = b'{"ok": true}'
            try:
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                self.close_connection = True  # who asked was killed meanwhile

        def log_message(self, *_: Any) -> None:
            """Nobody reads it."""

    return Handler
