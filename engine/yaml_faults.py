"""What the YAML library says of a broken file, in words that help its writer. No YAML library here."""

from engine.yaml_values import Mark, YamlFault, mark_at

_QUOTE = "put the whole text in quotes"
_CANNOT_START = "cannot start any token"


def library_fault(problem: str, at: Mark, context: str, context_at: Mark, text: str) -> YamlFault:
    """`problem` at `at`, met while doing `context` that began at `context_at`."""
    line = text.split("\n")[at.line - 1] if at.line <= text.count("\n") + 1 else ""
    here = line[at.column - 1 :]
    before = line[: at.column - 1]
    if _CANNOT_START in problem:
        return _cannot_start(here[:1], at)
    if "mapping values are not allowed" in problem:
        return _colon(before, at, text)
    if "unexpected end of stream" in problem and "quoted" in context:
        return YamlFault("this quote is not closed", "close it; a quote inside is written twice", context_at)
    if "but found '<scalar>'" in problem and before.rstrip()[-1:] in ("'", '"'):
        fix = "put all of it in the other kind of quotes, or below a `|`"
        return YamlFault("text that begins with a quote ends at the next one, and more follows", fix, at)
    if "flow" in context and "but got" in problem:
        return _flow(here, before, at, context_at)
    if "could not find expected ':'" in problem:
        return YamlFault("a key without its `:`", "write `key: value`", context_at)
    if "expected <block end>" in problem or "expected the node content" in problem:
        return YamlFault(
            "this does not fit here", "check the indentation, and brackets and quotes before it", at
        )
    if "undefined alias" in problem:
        return YamlFault("this `*` names an anchor that does not exist", _QUOTE, at)
    if "unknown escape" in problem:
        return YamlFault(
            "an unknown escape in double quotes", r"write `\\` for one backslash, or use '…'", at
        )
    return YamlFault(f"this is not YAML: {problem}", "see https://yaml.org", at)


def character_fault(text: str, index: int) -> YamlFault:
    """A control character, or half a surrogate pair."""
    mark = mark_at(text, index)
    return YamlFault("a character that YAML does not allow", "remove it, or escape it in double quotes", mark)


def _cannot_start(character: str, at: Mark) -> YamlFault:
    if character == "\t":
        return YamlFault("a tab where YAML wants spaces", "indent with spaces", at)
    return YamlFault(f"a value cannot begin with {character}", _QUOTE, at)


def _colon(before: str, at: Mark, text: str) -> YamlFault:
    if ":" in before:
        return YamlFault("a `:` followed by a blank inside plain text", _QUOTE, at)
    above = text.split("\n")[at.line - 2] if at.line > 1 else ""
    if above.strip():
        return YamlFault(
            "a key does not fit here", "check the indentation, and that the line above has its `:`", at
        )
    return YamlFault("a `:` that does not fit here", _QUOTE, at)


def _flow(here: str, before: str, at: Mark, context_at: Mark) -> YamlFault:
    if here.startswith("{") and before.endswith("$"):
        return YamlFault("`${{ }}` inside { } or [ ]", "put the text that holds it in quotes", at)
    if not here:
        return YamlFault("this bracket is not closed", "close it", context_at)
    return YamlFault(
        "text that does not fit inside { } or [ ]", "put it in quotes, or separate it with a comma", at
    )
