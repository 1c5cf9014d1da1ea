"""A real Chromium that lays out a page of ours, and says where things came to stand.

The page is served as it came, in a frame of the width that is asked for; a script in the frame around it
measures. Chromium is that of the machine: `chromium`, or Google's `google-chrome`.
"""

import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PROGRAM = next((found for name in NAMES if (found := shutil.which(name))), None)
_WAIT_S = 60
_AROUND = """<!doctype html><meta charset="utf-8"><body style="margin: 0">
<iframe id="page" src="/page" style="border: 0; width: WIDTHpx; height: 4000px"></iframe>
<pre id="measured"></pre>
<script>
const frame = document.getElementById("page")
frame.onload = () => {
  const page = frame.contentDocument
  document.getElementById("measured").textContent = JSON.stringify((page => MEASURE)(page))
}
</script>"""


def measured(page: str, folder: Path, width: int, measure: str) -> Any:
    """What `measure`, an expression of JavaScript about `page` (a document), comes to at that width."""
    around = _AROUND.replace("WIDTH", str(width)).replace("MEASURE", measure)
    with _serving({"/": (around, {}), "/page": (page, {})}) as url:
        dom = _chromium(folder, "--dump-dom", url).stdout
    found = re.search(r'<pre id="measured">(.+?)</pre>', dom, re.S)
    assert found, dom[-2_000:]
    return json.loads(found[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))


def complaints(page: str, headers: Mapping[str, str], folder: Path) -> list[str]:
    """What Chromium's console says of the page under its own headers: refusals of its policy, errors."""
    with _serving({"/": (page, headers)}) as url:
        log = _chromium(folder, "--enable-logging=stderr", "--dump-dom", url).stderr
    return [line for line in log.splitlines() if "CONSOLE" in line]


def _chromium(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    assert PROGRAM is not None
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run")
    return subprocess.run(
        [PROGRAM, *options, f"--user-data-dir={folder}", "--virtual-time-budget=5000", *arguments],
        capture_output=True,
        text=True,
        timeout=_WAIT_S,
        check=True,
    )


@contextmanager
def _serving(pages: Mapping[str, tuple[str, Mapping[str, str]]]) -> Iterator[str]:
    """These pages with their headers, on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body, headers = pages.get(self.path, ("", {}))
            self.send_response(200 if self.path in pages else 404)
            for name, value in {"Content-Type": "text/html; charset=utf-8", **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
