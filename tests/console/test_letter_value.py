"""What lies in a dead letter is shown so that a person can read it, and nothing of it is lost."""

import json

from console.letter_value import readable
from schemas.alerts import AlertReceived
from schemas.codec import encode


def test_text_is_shown_as_it_came() -> None:
    assert readable(b'{"title": "caf\xc3\xa9"\n') == ("text", '{"title": "café"\n', "")


def test_bytes_that_are_no_text_and_what_would_upset_a_terminal_are_hexadecimal() -> None:
    assert readable(b"\xff\x00\x1b") == ("binary", "ff 00 1b", "")
    assert readable(b"red \x1b[31m").form == "binary"


def test_a_record_is_shown_by_its_fields_and_an_alerts_body_as_text() -> None:
    shown = readable(encode(AlertReceived(alert_id="a-1", endpoint="demo", received_at_ms=1, raw=b"garbage")))
    assert (shown.form, shown.record) == ("record", "AlertReceived")
    assert json.loads(shown.text)["raw"] == "garbage"


def test_a_body_that_is_no_text_stays_whole() -> None:
    shown = readable(
        encode(AlertReceived(alert_id="a-1", endpoint="demo", received_at_ms=1, raw=b"\xff\xfe"))
    )
    assert json.loads(shown.text)["raw"] == "//4="


def test_a_message_without_a_value_says_so() -> None:
    assert readable(None) == ("nothing", "", "")
