"""Something for playbooks to call: an HTTP server of our own that counts what reaches it, and can be in a
mood.

Every request is on record before it is answered, by its Idempotency-Key (run/step/attempt) where it has one.
"""

import json
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from tests.chaos.history import Call

Mood = Literal["well", "slow", "failing", "resetting", "garbage", "late", "refusing"]
LONG = "/long"
SLOW_S = 1.2
LATE_S = 3.0
"""Longer than any step of the bench waits."""
_LINGER_NOT = struct.pack("ii", 1, 0)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever asked was killed meanwhile, or was reset by us."""


class Target:
    """Answers every request with `{"ok": true}` after `answer_after_s`, as long as its mood is well.

    `log`: a file that gets a line for each call, before it is answered.
    """

    def __init__(self, answer_after_s: float = 0.0, log: Path | None = None) -> None:
        self.posts: Counter[str] = Counter()
        """How often each Idempotency-Key was sent."""
        self.gets = 0
        self.calls: list[Call] = []
        self.mood: Mood = "well"
        self.moody_only: Collection[str] = ()
        """Methods that feel the mood; none named: all. `refusing` is felt by all."""
        self.answer_after_s = answer_after_s
        self.long_s = 1.0
        """How long a call takes whose path begins with `/long`."""
        self._log = None if log is None else log.open("a", buffering=1)
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._port = self._server.server_port
        self._thread = self._serve()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def take_on(self, mood: Mood) -> None:
        """From now on. `refusing`: nobody listens on the port."""
        if (mood == "refusing") != (self.mood == "refusing"):
            if mood == "refusing":
                self._stop()
            else:
                self._server = _Server(("127.0.0.1", self._port), _handler(self))
                self._thread = self._serve()
        self.mood = mood

    def count(self, key: str | None, method: str, path: str) -> None:
        """One more request. `key` None: it has none."""
        call = Call(key or "", method, path, time.time_ns() // 1_000_000)
        with self._lock:
            if key is None:
                self.gets += 1
            else:
                self.posts[key] += 1
                self.calls.append(call)
            if self._log is not None:
                self._log.write(json.dumps([call.key, call.method, call.path, call.at_ms, self.mood]) + "\n")

    def _serve(self) -> threading.Thread:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        return thread

    def _stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.mood != "refusing":
            self._stop()
        if self._log is not None:
            self._log.close()


def _handler(target: Target) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _handle(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            target.count(self.headers["Idempotency-Key"], self.command, self.path)
            time.sleep(target.long_s if self.path.startswith(LONG) else target.answer_after_s)
            feels = not target.moody_only or self.command in target.moody_only
            mood: Mood = target.mood if feels else "well"
            answers: dict[Mood, Callable[[], None]] = {
                "slow": lambda: time.sleep(SLOW_S),
                "late": lambda: time.sleep(LATE_S),
                "resetting": self._reset,
                "garbage": self._garbage,
            }
            answers.get(mood, lambda: None)()
            if mood not in ("resetting", "garbage"):
                self._answer(500 if mood == "failing" else 200)

        do_GET = do_POST = do_PUT = do_DELETE = _handle

        def _answer(self, status: int) -> None:
            body = b'{"ok": true}' if status == 200 else b"broken"
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                self.close_connection = True  # who asked was killed meanwhile

        def _reset(self) -> None:
            self.close_connection = True
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
            self.connection.close()

        def _garbage(self) -> None:
            self.close_connection = True
            self.wfile.write(b"\x00\xff no HTTP at all\r\n\r\n")

        def log_message(self, *_: Any) -> None:
            """Nobody reads it."""

    return Handler
