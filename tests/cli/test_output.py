"""Sentences, times and durations as people read them; documents as machines do."""

import datetime
import json

import pytest

from cli.output import document, fail, moment, say, short_moment, span, styled, warn

NOON_MS = 1_795_348_800_123


@pytest.mark.parametrize(
    ("duration_ms", "text"),
    [(None, ""), (0, "0 ms"), (999, "999 ms"), (1_000, "1.0 s"), (59_940, "59.9 s"), (302_000, "5 min 2 s")],
)
def test_a_duration_is_told_in_its_own_unit(duration_ms: int | None, text: str) -> None:
    assert span(duration_ms) == text


def test_a_moment_is_told_in_local_time_to_the_millisecond() -> None:
    at = datetime.datetime.fromtimestamp(NOON_MS / 1000, tz=datetime.UTC).astimezone()
    assert moment(NOON_MS) == at.strftime("%Y-%m-%d %H:%M:%S.123")
    assert moment(None) == ""


def test_a_glance_needs_the_day_only_where_it_is_not_today() -> None:
    now_ms = int(datetime.datetime.now(datetime.UTC).timestamp() * 1000)
    assert short_moment(now_ms) == moment(now_ms)[11:19]
    assert short_moment(86_400_000) == moment(86_400_000)[5:19]


def test_what_looks_like_markup_in_a_title_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    say("[bold]not bold[/] :smile:")
    assert capsys.readouterr().out == "[bold]not bold[/] :smile:\n"


def test_a_title_cannot_command_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    say("a\x1b[2Jb\x9bc\rd")
    warn("e\x07f")
    said = capsys.readouterr()
    assert said.out == "a\ufffd[2Jb\ufffdc\ufffdd\n"
    assert said.err == "e\ufffdf\n"


def test_a_long_line_stays_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    say("word " * 100)
    assert capsys.readouterr().out.count("\n") == 1


def test_a_failure_goes_to_standard_error_and_ends_with_its_code(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Exception) as ended:
        fail("no such thing", 3)
    assert getattr(ended.value, "exit_code", None) == 3
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "no such thing\n")


def test_a_document_is_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"title": "two\nlines, ünïcode", "at_ms": 1}
    document(value)
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert json.loads(out) == value


def test_a_status_without_a_style_is_shown_as_it_is() -> None:
    assert styled("succeeded") == "[green]succeeded[/]"
    assert styled("[odd]") == r"\[odd]"
