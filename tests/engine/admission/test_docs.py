"""The tables of docs/admission.md name exactly the rules that the code decides by."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "admission.md").read_text(encoding="utf-8")
DECIDED = re.compile(r"decided\(\s*\"(\w+)\", \"(\w*)\"")
QUEUED = re.compile(r"_queued\(draft, book, \"(\w+)\"")


def decided_by_the_code() -> set[tuple[str, str]]:
    source = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "engine" / "admission").glob("*.py")
    )
    plain = {(rule, decision) for decision, rule in DECIDED.findall(source) if rule}
    return plain | {(rule, "queued") for rule in QUEUED.findall(source)}


def decided_by_the_page() -> set[tuple[str, str]]:
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| ([^|]*) \|", PAGE, re.MULTILINE)
    words = r"started|queued|held_back|dropped|expired|refused"
    return {
        (rule, decision)
        for rules, decisions in rows
        for rule in re.findall(r"\w+", rules)
        for decision in re.findall(rf"\b(?:{words})\b", re.sub(r"\(.*?\)", "", decisions))
    }


def test_every_rule_of_the_code_is_on_the_page_and_no_other() -> None:
    by_page = decided_by_the_page() - {("while_running", "started"), ("max_running", "started")}

    assert by_page == decided_by_the_code()
    assert len(by_page) == 19
