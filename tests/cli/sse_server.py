"""A server of Server-Sent Events that breaks off as a web process does that is restarted."""

import json
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


class Breaking:
    """Answers its n-th request with the n-th list of events, then closes; an int is a status instead.

    `asked`: the Last-Event-ID of each request.
    """

    def __init__(self, *answers: Sequence[tuple[str, str, Any]] | int) -> None:
        self.asked: list[str | None] = []
        self._answers = list(answers)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append(self.headers["Last-Event-ID"])
                answer = server._answers.pop(0)
                self.send_response(answer if isinstance(answer, int) else 200)
                self.end_headers()
                for event_id, name, data in () if isinstance(answer, int) else answer:
                    lines = [f"id: {event_id}"] if event_id else []
                    lines += [f"event: {name}", f"data: {json.dumps(data)}", "", ""]
                    self.wfile.write("\n".join([": a comment", "", *lines]).encode())

            def log_message(self, *_: Any) -> None:
                """Nobody reads it."""

        return Handler
