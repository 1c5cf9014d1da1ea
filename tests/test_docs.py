"""What the documents point at exists: files, and the tests that the page on reliability names."""

import ast
import json
import re
from functools import lru_cache
from pathlib import Path

from cli.endpoint import payload
from connectors.actions.registry import specs
from engine.alert.normalising import normalise
from engine.playbook.canonical import digest
from engine.playbook.reading import read
from schemas.alerts import Alert

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md")])
_LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")
_ROOMS = "schemas|engine|connectors|streams|executor|console|cli|tests|benchmarks|docs"
_FILE = re.compile(rf"`((?:{_ROOMS})/[\w/.-]+\.\w+)`")
_TEST = re.compile(r"`([\w/]+\.py)::(\w+)`")


@lru_cache
def named_tests(file: Path) -> frozenset[str]:
    tree = ast.parse(file.read_text())
    return frozenset(
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    )


def test_every_link_between_the_documents_leads_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in PAGES
        for target in _LINK.findall(page.read_text())
        if not (page.parent / target).exists()
    ]
    assert not broken


def test_every_file_that_a_document_names_exists() -> None:
    missing = [
        f"{page.relative_to(ROOT)}: {name}"
        for page in PAGES
        for name in set(_FILE.findall(page.read_text()))
        if not (ROOT / name).exists() and not re.search("NAME|NNNN", name)
    ]
    assert not missing


def test_every_row_of_the_failure_matrix_names_tests_that_exist() -> None:
    text = (ROOT / "docs" / "reliability.md").read_text()
    promised = text.index("## Bad input")
    rows = [
        line
        for line in text[promised:].splitlines()
        if line.startswith("| ") and not line.endswith("| shown by |")
    ]
    assert len(rows) > 30
    assert [row for row in rows if not _TEST.search(row.rsplit("|", 2)[1])] == []
    missing = [
        f"{file}::{name}"
        for file, name in _TEST.findall(text)
        if not (ROOT / "tests" / file).exists() or name not in named_tests(ROOT / "tests" / file)
    ]
    assert not missing


def test_every_decision_is_listed_under_its_own_title() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = (folder / "README.md").read_text()
    for page in folder.glob("[0-9]*.md"):
        assert f"[{page.name[:4]}]({page.name})" in listed
        assert page.read_text().startswith(f"# {page.name[:4]} ")
        marks = re.findall(r"^(?:## |\*\*)(Context|Choice|Consequences)", page.read_text(), re.M)
        assert marks == ["Context", "Choice", "Consequences"], page.name


def test_the_first_five_minutes_show_what_these_playbooks_print_and_nothing_shortened() -> None:
    text = (ROOT / "README.md").read_text()
    printed = "".join(
        text[text.index("## The first five minutes") : text.index("From here:")].split("```")[1::2]
    )
    assert "…" not in printed and "..." not in printed
    revisions = dict(re.findall(r"playbook ([\w-]+): applied, revision (\w{12})", printed))
    for path in (ROOT / "playbooks").glob("*.yaml"):
        playbook = read(path.read_text(), path.name, specs()).playbook
        assert playbook is not None
        assert revisions.pop(playbook.name) == digest(playbook)[:12]
        for clause in re.findall(rf"  {playbook.name}: not matched: when: `(.+)` is false", printed):
            assert clause in path.read_text()
    assert revisions == {}
    assert printed.count("not matched: when: ") == 2


def test_the_payload_of_the_first_five_minutes_is_the_recommended_one_filled_in() -> None:
    body = (ROOT / "docs" / "example-alert.json").read_bytes()
    recommended = json.loads(payload())
    assert set(json.loads(body)) == set(recommended)
    assert set(json.loads(body)["metadata"]) == set(recommended["metadata"])
    assert b'"$' not in body
    alert = normalise(body, "application/json")
    assert isinstance(alert, Alert)
    assert alert.transition == "Triggered"
