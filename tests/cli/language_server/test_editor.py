"""What an editor shows of playbooks: the schema of `playbook new` in a real YAML language server."""

import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from cli.init import PLAYBOOK as FIRST
from cli.playbook_editor import MODELINE
from tests.cli.conftest import Pulsebook
from tests.cli.language_server.client import LanguageServer, installed
from tests.engine.playbook.test_docs import EXAMPLES
from tests.engine.playbook.test_json_schema import SHIPPED

MISSING = [program for program in ("node", "npm") if shutil.which(program) is None]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        bool(MISSING), reason=f"no {' and no '.join(MISSING)} here: a language server needs it"
    ),
]
HEAD = f"{MODELINE}playbook: a\non: {{call: {{}}}}\n"
GOOD = [FIRST, *EXAMPLES, *(path.read_text() for path in SHIPPED)]


@pytest_asyncio.fixture
async def editor(
    pulsebook: Pulsebook, tmp_path: Path, kafka_cache_dir: Path
) -> AsyncIterator[tuple[LanguageServer, Path]]:
    """A server, and a folder with the schema in its place."""
    assert pulsebook("playbook", "new", "starter").exit_code == 0
    async with LanguageServer.running(installed(kafka_cache_dir), tmp_path) as server:
        yield server, tmp_path


def written(folder: Path, text: str, name: str = "book.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


async def test_right_playbooks_are_not_marked(editor: tuple[LanguageServer, Path]) -> None:
    server, folder = editor
    assert await server.opened(folder / "starter.yaml") == []
    assert len(GOOD) > 15
    for at, text in enumerate(GOOD):
        marked = await server.opened(written(folder, MODELINE + text, f"good-{at}.yaml"))
        assert [(text.partition("\n")[0], mark) for mark in marked] == []


WRONG = {
    "an unknown key": ("steps: [{exit: {}}]\ndescripton: x\n", 4, "descripton"),
    "an unknown key of a step": (
        "steps:\n  - id: a\n    action: log\n    retries: {attempts: 2}\n",
        6,
        "retries",
    ),
    "an unknown key deep inside": (
        "steps:\n  - id: a\n    action: log\n    retry:\n      atempts: 2\n",
        7,
        "atempts",
    ),
    "a wrong type": ("timeout: 30\nsteps: [{exit: {}}]\n", 3, "string"),
    "a duration that is none": ("timeout: 30 s\nsteps: [{exit: {}}]\n", 3, "A duration"),
    "an unknown action": ("steps:\n  - id: a\n    action: http.reqest\n", 5, "http.request"),
    "an unknown input of an action": (
        'steps:\n  - id: a\n    action: http.request\n    with:\n      url: "http://a"\n      methd: GET\n',
        8,
        "methd",
    ),
    "a missing input of an action": ("steps:\n  - id: a\n    action: http.request\n    with: {}\n", 6, "url"),
    "a wrong value of an input": (
        "steps:\n  - id: a\n    action: http.request\n    with: {url: x, method: FETCH}\n",
        6,
        "GET",
    ),
    "a word that is none of the choices": (
        "steps: [{exit: {}}]\nadmission:\n  while_running: wait\n",
        5,
        "queue",
    ),
    "a mistake in a step within steps": (
        "steps:\n  - id: a\n    foreach: alert.tag_list\n    as: tag\n    steps:\n"
        "      - id: b\n        repeat: {until: 'true', times: 3}\n        steps:\n"
        "          - parallel:\n              one:\n                - publish: {title: x, txt: y}\n",
        13,
        "txt",
    ),
    "a loop without a bound": (
        "steps:\n  - id: a\n    repeat: {until: 'true'}\n    steps: [{exit: {}}]\n",
        5,
        "times",
    ),
    "a step that says not what to do": ("steps:\n  - id: a\n", 4, "action"),
}


@pytest.mark.parametrize("name", WRONG)
async def test_a_mistake_is_marked_in_its_line_with_what_is_wrong(
    editor: tuple[LanguageServer, Path], name: str
) -> None:
    server, folder = editor
    text, line, said = WRONG[name]
    marked = await server.opened(written(folder, HEAD + text))
    assert [mark["range"]["start"]["line"] for mark in marked] == [line], marked
    assert re.search(said, marked[0]["message"])


async def offered(editor: tuple[LanguageServer, Path], text: str) -> set[str]:
    """What is offered where `|` stands."""
    server, folder = editor
    before, _, after = (HEAD + text).partition("|")
    path = written(folder, before + after)
    await server.opened(path)
    return await server.offered(path, before.count("\n"), len(before.rpartition("\n")[2]))


@pytest.mark.parametrize(
    ("text", "wanted", "unwanted"),
    [
        ("steps: [{exit: {}}]\n|\n", {"admission", "finally", "inputs", "timeout"}, {"steps", "action"}),
        ("steps:\n  - |\n", {"action", "publish", "foreach", "ask", "id", "if"}, {"on"}),
        ("steps:\n  - id: a\n    ask:\n      |\n", {"question", "choices", "on_timeout"}, {"steps", "title"}),
        (
            "steps:\n  - switch: alert.kind\n    cases:\n      metric:\n        - |\n",
            {"action", "switch", "wait"},
            {"playbook", "on"},
        ),
        ("steps:\n  - id: a\n    action: log\n    |\n", {"with", "retry", "on_unknown"}, {"id"}),
        ("steps:\n  - id: a\n    action: |\n", {"http.request", "datadog.post_event", "log"}, set()),
        (
            "steps:\n  - id: a\n    action: http.request\n    with:\n      |\n",
            {"url", "method", "headers"},
            {"title", "alert_type"},
        ),
        (
            "steps:\n  - id: a\n    action: http.request\n    with:\n      method: |\n",
            {"GET", "POST"},
            {"info"},
        ),
        ("steps: [{exit: {}}]\nadmission:\n  while_running: |\n", {"skip", "queue", "parallel"}, {"fail"}),
    ],
)
async def test_keys_and_values_are_offered_where_they_can_stand(
    editor: tuple[LanguageServer, Path], text: str, wanted: set[str], unwanted: set[str]
) -> None:
    found = await offered(editor, text)
    assert wanted - found == set()
    assert unwanted & found == set()


async def test_a_key_is_explained(editor: tuple[LanguageServer, Path]) -> None:
    server, folder = editor
    path = written(folder, f"{HEAD}steps:\n  - id: a\n    action: log\n    start_within: 1m\n")
    await server.opened(path)
    assert "Bound of the wait for a slot" in await server.shown(path, 6, 8)
