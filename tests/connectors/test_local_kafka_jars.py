"""The jars' way into the cache, against a repository of our own on loopback: nothing here needs the
network.
"""

import hashlib
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from connectors.local_kafka_errors import ExtraMissing, JarAltered, JarsUnavailable, StartCancelled
from connectors.local_kafka_jars import KAFKA_VERSION, Jar, fetch_jars, pinned_jars

CONTENT = {f"part-{number}-1.0.jar": f"content of part {number}".encode() * 100 for number in range(5)}
JARS = tuple(
    Jar(hashlib.sha256(content).hexdigest(), len(content), f"org.example:{name.removesuffix('-1.0.jar')}:1.0")
    for name, content in CONTENT.items()
)


class Repository(ThreadingHTTPServer):
    """A Maven repository; `served` counts the jars it gave out, `content` is what it gives."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = dict(CONTENT)
        self.served: Counter[str] = Counter()
        self.held_back = threading.Event()
        self.held_back.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Repository

    def do_GET(self) -> None:
        name = self.path.rsplit("/", 1)[1]
        content = self.server.content.get(name)
        self.server.served[name] += 1
        self.send_response(404 if content is None else 200)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        self.server.held_back.wait(10)
        self.wfile.write(content or b"")

    def log_message(self, format: str, *arguments: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def repository() -> Iterator[Repository]:
    with Repository() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_the_pinned_jars_are_those_of_the_pinned_kafka() -> None:
    jars = pinned_jars()
    assert f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}" in {jar.coordinate for jar in jars}
    assert len({jar.filename for jar in jars}) == len(jars) > 40
    assert all(len(jar.sha256) == 64 and jar.size_bytes > 0 for jar in jars)


def test_what_is_missing_is_fetched_with_progress_and_only_once(
    tmp_path: Path, repository: Repository
) -> None:
    said: list[str] = []
    paths = fetch_jars(tmp_path, said.append, JARS, repository.url)
    assert [path.read_bytes() for path in paths] == list(CONTENT.values())
    assert said[0] == f"fetching Apache Kafka {KAFKA_VERSION}: 5 files, 0 MB, once"
    fetch_jars(tmp_path, said.append, JARS, repository.url)
    assert [repository.served[name] for name in CONTENT] == [1] * 5


def test_a_damaged_jar_in_the_cache_is_fetched_anew(tmp_path: Path, repository: Repository) -> None:
    paths = fetch_jars(tmp_path, lambda _: None, JARS, repository.url)
    damaged = bytearray(paths[2].read_bytes())
    damaged[7] ^= 1
    paths[2].write_bytes(damaged)
    paths[3].write_bytes(b"")
    fetch_jars(tmp_path, lambda _: None, JARS, repository.url)
    assert [path.read_bytes() for path in paths] == list(CONTENT.values())
    assert [repository.served[name] for name in CONTENT] == [1, 1, 2, 2, 1]


def test_an_altered_jar_is_named_and_never_kept(tmp_path: Path, repository: Repository) -> None:
    repository.content["part-4-1.0.jar"] = b"something else"
    with pytest.raises(JarAltered, match=r"^part-4-1\.0\.jar as fetched is not the pinned file"):
        fetch_jars(tmp_path, lambda _: None, JARS, repository.url)
    assert not list(tmp_path.rglob("part-4-*"))


def test_two_that_start_at_once_fetch_each_jar_once(tmp_path: Path, repository: Repository) -> None:
    with ThreadPoolExecutor(4) as pool:
        fetches = [pool.submit(fetch_jars, tmp_path, lambda _: None, JARS, repository.url) for _ in range(4)]
    assert all(fetch.result() == fetches[0].result() for fetch in fetches)
    assert [repository.served[name] for name in CONTENT] == [1] * 5


def test_a_jar_that_the_repository_does_not_have_is_one_sentence_with_the_way_out(
    tmp_path: Path, repository: Repository
) -> None:
    del repository.content["part-0-1.0.jar"]
    with pytest.raises(JarsUnavailable) as caught:
        fetch_jars(tmp_path, lambda _: None, JARS, repository.url)
    assert str(caught.value) == (
        f"could not fetch org.example:part-0:1.0, a part of Apache Kafka, from {repository.url} (the "
        "repository refuses it); behind a proxy set HTTPS_PROXY, with a Maven mirror set "
        "PULSEBOOK_MAVEN_URL, or name a Kafka of your own with --kafka HOST:PORT"
    )


def test_a_blocked_network_is_one_sentence_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(JarsUnavailable, match=r"\(Failed to establish a new connection.*--kafka HOST:PORT$"):
        fetch_jars(tmp_path, lambda _: None, JARS[:1], "http://127.0.0.1:1")


def test_a_fetch_that_is_called_off_ends_soon_and_leaves_whole_jars_or_none(
    tmp_path: Path, repository: Repository
) -> None:
    cancelled = threading.Event()
    repository.held_back.clear()
    threading.Timer(0.2, cancelled.set).start()
    threading.Timer(0.3, repository.held_back.set).start()
    started = time.monotonic()
    with pytest.raises(StartCancelled):
        fetch_jars(tmp_path, lambda _: None, JARS, repository.url, cancelled)
    assert time.monotonic() - started < 5
    assert not list(tmp_path.rglob("*.jar"))


def test_what_a_killed_fetch_left_behind_is_cleared(tmp_path: Path, repository: Repository) -> None:
    left_over = tmp_path / f"kafka-{KAFKA_VERSION}" / ".fetch-abc"
    left_over.mkdir(parents=True)
    fetch_jars(tmp_path, lambda _: None, JARS, repository.url)
    assert not left_over.exists()


def test_without_the_extra_the_way_to_get_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jgo.maven", None)
    with pytest.raises(ExtraMissing, match=r"pip install 'pulsebook\[local\]'.*--kafka"):
        fetch_jars(tmp_path, lambda _: None, JARS)
