"""Dealing with a dead letter: putting its message back where it came from, or saying that nothing more is to
be done. Either is recorded behind the letter.

One letter at a time in this process, and each until the read model knows of it: a second redrive sees the
first. The message goes first, its record second: what fails in between leaves a letter that looks open, not a
message that is lost. Two web processes may put one letter back at once: that leads to nothing twice, see
docs/decisions/0065.
"""

import asyncio
import logging
import sqlite3
import time
from dataclasses import dataclass

from console.api.asking import model_of
from console.fetching import fetched
from console.parts import Parts
from console.problems import Problem
from console.read_model.letters import handlings, letter_row
from console.writing import READ_BACK_S, NotDurable, as_it_came_durably
from schemas import codec
from schemas.alerts import AlertReceived
from schemas.dead_letters import VALUE_BYTES_MAX, DeadLetter, DeadLetterHandled
from schemas.errors import SchemasError
from schemas.outgoing import AsItCame
from schemas.redriven import HEADER, Redriven, first_place, marked, named
from schemas.topics import ADMISSIONS, ALERTS, DEAD_LETTERS, RUN_INBOX

log = logging.getLogger("pulsebook.web")

BACK_TO = {topic.name: topic for topic in (ALERTS, ADMISSIONS, RUN_INBOX)}
"""Topics of inputs. The others hold what happened: nothing is put into them by hand."""
LOOK_EVERY_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What is to be done with which letter, by whom. `again`: also if somebody dealt with it before."""

    partition: int
    offset: int
    actor: str
    reason: str
    again: bool

    @property
    def letter_id(self) -> str:
        return f"{self.partition}-{self.offset}"


async def redrive(parts: Parts, ask: Ask) -> DeadLetterHandled:
    """Put the message back onto the topic and with the key and headers it came from. Raises Problem."""
    async with parts.letters:
        letter = await _open_letter(parts, ask)
        message = _message(letter, ask)
        try:
            sent = await as_it_came_durably(parts, message)
        except SchemasError as error:
            raise Problem(422, f"the dead letter {ask.letter_id} cannot be redriven: {error}") from error
        handled = DeadLetterHandled(
            partition=ask.partition,
            offset=ask.offset,
            outcome="redriven",
            actor=ask.actor,
            at_ms=_now_ms(),
            reason=ask.reason,
            topic=letter.topic,
            to_partition=sent.partition,
            to_offset=sent.offset,
        )
        try:
            await _record(parts, letter, handled)
        except NotDurable as error:
            place = f"{letter.topic}/{sent.partition}/{sent.offset}"
            raise Problem(
                503,
                f"the message was put back as {place}, but that could not be recorded: the dead letter "
                f"{ask.letter_id} still counts as open; drop it once the broker answers",
            ) from error
        return handled


async def drop(parts: Parts, ask: Ask) -> DeadLetterHandled:
    """Record that nothing more is to be done about the letter. Raises Problem, NotDurable."""
    async with parts.letters:
        letter = await _open_letter(parts, ask)
        handled = DeadLetterHandled(
            partition=ask.partition,
            offset=ask.offset,
            outcome="dropped",
            actor=ask.actor,
            at_ms=_now_ms(),
            reason=ask.reason,
        )
        await _record(parts, letter, handled)
        return handled


async def letter_at(parts: Parts, partition: int, offset: int) -> tuple[DeadLetter, int]:
    """A letter from its topic, and when it was written (epoch ms). Raises Problem."""
    name = f"{partition}-{offset}"
    record = await fetched(parts, DEAD_LETTERS, partition, offset)
    if record is None or not record.value:
        raise unknown(name)
    try:
        letter = codec.decode(record.value)
    except SchemasError as error:
        raise Problem(404, f"the dead letter {name} cannot be read: {error}") from error
    if not isinstance(letter, DeadLetter):
        raise unknown(name)
    return letter, record.at_ms


def unknown(letter_id: str) -> Problem:
    """404, with what may be the matter."""
    return Problem(404, f"there is no dead letter {letter_id[:40]}, or it is no longer kept")


async def _open_letter(parts: Parts, ask: Ask) -> DeadLetter:
    """The letter, if it may be dealt with. Raises Problem."""

    def look(connection: sqlite3.Connection) -> tuple[bool, list[DeadLetterHandled]]:
        row = letter_row(connection, ask.partition, ask.offset)
        return row is not None, handlings(connection, ask.partition, ask.offset)

    known, before = await model_of(parts).query(look)
    if not known:
        raise unknown(ask.letter_id)
    if before and not ask.again:
        last = before[-1]
        raise Problem(
            409,
            f"the dead letter {ask.letter_id} was {last.outcome} already, by {last.actor}; "
            "to do it all the same, say `again` (--again)",
            outcome=last.outcome,
            actor=last.actor,
            handled_at_ms=last.at_ms,
        )
    return (await letter_at(parts, ask.partition, ask.offset))[0]


def _message(letter: DeadLetter, ask: Ask) -> AsItCame:
    """What is put back. Raises Problem where that cannot be, or would lead nowhere."""
    why_not = cannot_be_redriven(letter)
    if why_not:
        raise Problem(422, f"the dead letter {ask.letter_id} cannot be redriven: {why_not}")
    origin = first_place((letter.topic, letter.partition, letter.offset), letter.headers)
    mark = Redriven(
        at_ms=_now_ms(),
        by=ask.actor,
        letter=named((DEAD_LETTERS.name, ask.partition, ask.offset)),
        origin=named(origin),
    )
    headers = {**letter.headers, HEADER: marked(mark)}
    return AsItCame(BACK_TO[letter.topic], letter.key, letter.value, tuple(headers.items()))


def cannot_be_redriven(letter: DeadLetter) -> str:
    """Why a letter cannot go back, with what to do instead; empty when it can."""
    if letter.topic not in BACK_TO:
        return (
            f"it came from {letter.topic}, which says what happened and takes no inputs; "
            "drop it when it is dealt with"
        )
    if len(letter.value or b"") >= VALUE_BYTES_MAX:
        return (
            f"its value was cut at {VALUE_BYTES_MAX // 1024} KiB when it was set aside, and half a "
            f"message must not go back; while {letter.topic} keeps it, the whole one is at "
            f"{letter.topic}/{letter.partition}/{letter.offset}"
        )
    if letter.topic == ALERTS.name and _was_never_an_alert(letter):
        return (
            "its body could not be read when the webhook came, and is not read anew; send it again in a form "
            "that can be (`pulsebook alert send FILE`)"
        )
    return ""


def _was_never_an_alert(letter: DeadLetter) -> bool:
    try:
        received = codec.decode(letter.value)
    except SchemasError:
        return False
    return isinstance(received, AlertReceived) and received.alert is None


async def _record(parts: Parts, letter: DeadLetter, handled: DeadLetterHandled) -> None:
    """Write it behind the letter, and wait until this process's read model knows. Raises NotDurable."""
    value = codec.encode(handled)
    sent = await as_it_came_durably(parts, AsItCame(DEAD_LETTERS, letter.key, value, (), handled.partition))
    model = model_of(parts)
    try:
        async with asyncio.timeout(READ_BACK_S):
            while not await model.query(
                lambda connection: sent.offset in _written_at(connection, handled.partition, handled.offset)
            ):
                await asyncio.sleep(LOOK_EVERY_S)
    except TimeoutError:
        log.warning("dead-letters/%d/%d was written, but not read back", sent.partition, sent.offset)


def _written_at(connection: sqlite3.Connection, partition: int, offset: int) -> set[int]:
    rows = connection.execute(
        'SELECT handled_offset FROM letters_handled WHERE partition = ? AND "offset" = ?', (partition, offset)
    )
    return {row["handled_offset"] for row in rows}


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
