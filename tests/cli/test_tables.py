"""Tables: ids whole whatever the width, one line a row where no person looks on."""

import json

import pytest

from cli.tables import show_rows

ID = "r-kin5y6oign37ta6ebmplj65j"
MESSAGE = "the health page answered 500 again and again, " * 5
ROWS = [{"run_id": ID, "status": "failed", "started_at_ms": 1_795_348_800_123, "message": MESSAGE}]
COLUMNS = ("run_id", "status", "started_at_ms", "message")


def shown(capsys: pytest.CaptureFixture[str], **more: object) -> list[str]:
    show_rows([{**ROWS[0], **more}], COLUMNS, False, "none")
    return capsys.readouterr().out.splitlines()


def test_in_a_pipe_every_row_is_one_whole_line(capsys: pytest.CaptureFixture[str]) -> None:
    header, row = shown(capsys)
    assert header.split() == ["run", "id", "status", "started", "at", "message"]
    assert row.split()[0] == ID
    assert row.endswith(MESSAGE.strip())


@pytest.mark.parametrize("width", ["20", "60", "100", "200"])
def test_on_a_terminal_texts_fold_and_ids_do_not(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: str
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", width)
    lines = shown(capsys)
    assert len(lines) > 2
    assert sum(ID in line for line in lines) == 1
    assert sum("failed" in line for line in lines) == 1


def test_a_value_of_several_lines_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    _, row = shown(capsys, message="one\ntwo\x1b[31m  three")
    assert row.endswith("one two\ufffd[31m three")


def test_what_looks_like_markup_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    _, row = shown(capsys, message="[bold]x[/]", run_id="[red]y")
    assert "[bold]x[/]" in row
    assert "[red]y" in row


def test_values_are_told_as_people_write_them(capsys: pytest.CaptureFixture[str]) -> None:
    row = {"enabled": True, "matched": ["a", "b"], "labels": {"k": 1}, "owner": None, "at_ms": None}
    show_rows([row], tuple(row), False, "none")
    assert capsys.readouterr().out.splitlines()[1].split() == ["yes", "a,", "b", '{"k":', "1}"]


def test_for_machines_every_row_is_a_document_with_all_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    show_rows([{**ROWS[0], "more": 1}], COLUMNS, True, "none")
    assert json.loads(capsys.readouterr().out) == {**ROWS[0], "more": 1}


def test_no_rows_are_told_in_words_and_to_machines_not_at_all(capsys: pytest.CaptureFixture[str]) -> None:
    show_rows([], COLUMNS, False, "no runs yet")
    show_rows([], COLUMNS, True, "no runs yet")
    assert capsys.readouterr().out == "no runs yet\n"
