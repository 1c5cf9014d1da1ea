"""`pulsebook deadletter`: what is listed, shown, put back and dropped; one and many."""

import json

import pytest

from schemas.dead_letters import VALUE_BYTES_MAX, DeadLetterHandled
from schemas.topics import ALERTS, DEAD_LETTERS, RUN_JOURNAL
from tests.cli.conftest import Pulsebook, Served
from tests.console.samples import LETTER, with_fields

HEX = "value   8 bytes, in hexadecimal\nff 67 61 72 62 61 67 65"


def listed(pulsebook: Pulsebook, *options: str) -> list[dict[str, str]]:
    return [
        json.loads(line) for line in pulsebook("deadletter", "list", "--json", *options).stdout.splitlines()
    ]


def test_dead_letters_are_listed_and_shown_with_the_message_as_it_came(
    web: Served, pulsebook: Pulsebook
) -> None:
    assert pulsebook("deadletter", "list").stdout == "no dead letters are open\n"
    web.written(DEAD_LETTERS, "k", LETTER)
    (row,) = listed(pulsebook)
    shown = pulsebook("deadletter", "show", row["id"])
    assert shown.exit_code == 0
    for words in ("alerts/3/11", "reason  no JSON", "endpoint: demo", "given up by match", HEX):
        assert words in shown.stdout
    unknown = pulsebook("deadletter", "show", "0-999")
    assert unknown.exit_code == 1
    assert "there is no dead letter 0-999" in unknown.stderr


def test_a_redriven_letter_lies_on_its_topic_again_and_is_listed_with_all_only(
    web: Served, pulsebook: Pulsebook
) -> None:
    web.written(DEAD_LETTERS, "k", LETTER)
    (row,) = listed(pulsebook)

    done = pulsebook("deadletter", "redrive", row["id"], "--reason", "mended")

    assert done.exit_code == 0
    assert f"dead letter {row['id']}: redriven by local, lies at alerts/" in done.stdout
    assert [message.value for message in web.log.put if message.topic is ALERTS] == [LETTER.value]
    assert listed(pulsebook) == []
    assert [each["state"] for each in listed(pulsebook, "--all")] == ["redriven"]
    assert "redriven by local, lies at alerts/" in pulsebook("deadletter", "show", row["id"]).stdout

    twice = pulsebook("deadletter", "redrive", row["id"])
    assert twice.exit_code == 1
    assert "was redriven already, by local" in twice.stderr
    assert "--again" in twice.stderr
    assert pulsebook("deadletter", "redrive", row["id"], "--again").exit_code == 0
    assert len([message for message in web.log.put if message.topic is ALERTS]) == 2


def test_many_are_counted_first_and_then_redriven_the_oldest_first(web: Served, pulsebook: Pulsebook) -> None:
    web.written(
        DEAD_LETTERS,
        "k",
        with_fields(LETTER, value=b"one", reason="the registry is away"),
        with_fields(LETTER, value=b"two", reason="The Registry is away"),
        with_fields(LETTER, value=b"three"),
        with_fields(LETTER, value=b"x" * VALUE_BYTES_MAX, reason="registry"),
    )

    asked = pulsebook("deadletter", "redrive", "--matching", "registry")
    assert asked.exit_code == 1
    assert "3 open dead letters match; nothing was done: say --yes to redrive them" in asked.stderr
    assert web.log.put == []

    done = pulsebook("deadletter", "redrive", "--matching", "registry", "--topic", "alerts", "--yes")
    assert done.exit_code == 1
    assert [message.value for message in web.log.put if message.topic is ALERTS] == [b"one", b"two"]
    assert "cut at 800 KiB" in done.stdout
    assert done.stdout.endswith("2 of 3 redriven\n")
    assert len(listed(pulsebook)) == 2


def test_what_is_dropped_says_who_and_why(web: Served, pulsebook: Pulsebook) -> None:
    web.written(DEAD_LETTERS, "k", LETTER, with_fields(LETTER, topic=RUN_JOURNAL.name))

    dropped = pulsebook("deadletter", "drop", "--topic", "run-journal", "--reason", "told by hand", "--yes")

    assert dropped.exit_code == 0
    assert dropped.stdout.endswith("1 of 1 dropped\n")
    (record,) = (each for each in web.records(DEAD_LETTERS) if isinstance(each, DeadLetterHandled))
    assert (record.outcome, record.actor, record.reason) == ("dropped", "local", "told by hand")
    assert [each["topic"] for each in listed(pulsebook)] == ["alerts"]
    assert "2, 1 open" in pulsebook("status").stdout


@pytest.mark.parametrize("arguments", [(), ("0-1", "--topic", "alerts")])
def test_one_or_many_must_be_said(web: Served, pulsebook: Pulsebook, arguments: tuple[str, ...]) -> None:
    for verb in ("redrive", "drop"):
        done = pulsebook("deadletter", verb, *arguments)
        assert done.exit_code == 2
        assert "either an ID, or filters" in done.stderr


def test_where_no_letter_fits_that_is_said(web: Served, pulsebook: Pulsebook) -> None:
    done = pulsebook("deadletter", "drop", "--topic", "alerts", "--yes")
    assert (done.exit_code, done.stdout) == (0, "no such dead letters are open\n")
