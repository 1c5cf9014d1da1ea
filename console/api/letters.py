"""/api/v1/publications and /api/v1/dead-letters: what Datadog was told, and what could not be handled."""

import re
from typing import Annotated, Literal

import msgspec
from litestar import get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from console.api.asking import Asked, Body, Cursor, Given, Limit, ReasonText, model_of
from console.letter_value import Form, readable
from console.letter_view import HandledView, handled_view
from console.paging import LIMIT, Mark, Page, decode_cursor, page
from console.published_view import PublicationView, publication, publication_view
from console.read_model.letters import handlings, list_dead_letters, list_publications
from console.redriving import Ask, cannot_be_redriven, drop, letter_at, redrive, unknown

State = Literal["open", "redriven", "dropped"]
_ID = re.compile(r"(\d{1,6})-(\d{1,18})")


class DeadLetterSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A dead letter in a list. `topic`, `partition`, `offset`: where the message came from."""

    id: str
    at_ms: int
    stage: str
    topic: str
    partition: int
    offset: int
    reason: str
    state: State
    """open, or how it was dealt with the last time."""


class DeadLetterView(DeadLetterSummary, frozen=True, kw_only=True):
    """A dead letter as it lies on its topic. Bytes of `key` that are no text are replaced."""

    detail: str
    key: str | None
    value: str
    """By `value_form`: the text as it came, a record's fields as JSON, or the bytes in hexadecimal."""
    value_form: Form
    value_record: str
    """The record's type; empty for other forms."""
    value_bytes: int
    headers: dict[str, str]
    original_at_ms: int
    cannot_be_redriven: str
    """Why not, and what to do instead; empty when it can."""
    handled: list[HandledView]
    """What was done about it, in order."""


class HandleBody(Body, frozen=True, kw_only=True):
    """Why, and whether also one that somebody has dealt with already."""

    reason: ReasonText = ""
    again: bool = False


@get("/publications", summary="What Datadog was told, the latest first")
async def publications(parts: Given, limit: Limit = LIMIT, cursor: Cursor = "") -> Page[PublicationView]:
    """Accepted and refused."""
    mark = _mark(cursor)
    rows = await model_of(parts).query(lambda connection: list_publications(connection, mark, limit))
    return page(rows, limit, _place, lambda row: publication_view(publication(row["record"])))


@get("/dead-letters", summary="What could not be handled, the latest first")
async def dead_letters(
    parts: Given,
    being: Annotated[State | None, QueryParameter(name="state", description="Only those.")] = None,
    topic: FromQuery[str | None] = None,
    stage: FromQuery[str | None] = None,
    reason: Annotated[str | None, QueryParameter(description="Text that the reason holds.")] = None,
    limit: Limit = LIMIT,
    cursor: Cursor = "",
) -> Page[DeadLetterSummary]:
    """With the reason; the message itself is in the single view."""
    mark = _mark(cursor)
    rows = await model_of(parts).query(
        lambda connection: list_dead_letters(
            connection, mark, limit, state=being, topic=topic, stage=stage, reason=reason
        )
    )
    return page(
        rows,
        limit,
        _place,
        lambda row: DeadLetterSummary(
            id=f"{row['partition']}-{row['offset']}",
            at_ms=row["at_ms"],
            stage=row["stage"],
            topic=row["topic"],
            partition=row["origin_partition"],
            offset=row["origin_offset"],
            reason=row["reason"],
            state=row["state"],
        ),
    )


@get("/dead-letters/{letter_id:str}", summary="A dead letter with its message as it came")
async def dead_letter(parts: Given, letter_id: FromPath[str]) -> DeadLetterView:
    """Fetched from its topic, with what was done about it."""
    place = _place_of(letter_id)
    letter, at_ms = await letter_at(parts, *place)
    done = await model_of(parts).query(lambda connection: handlings(connection, *place))
    shown = readable(letter.value)
    return DeadLetterView(
        id=letter_id,
        at_ms=at_ms,
        stage=letter.stage,
        topic=letter.topic,
        partition=letter.partition,
        offset=letter.offset,
        reason=letter.reason,
        state=done[-1].outcome if done else "open",
        detail=letter.detail,
        key=_text(letter.key),
        value=shown.text,
        value_form=shown.form,
        value_record=shown.record,
        value_bytes=len(letter.value or b""),
        headers={name: value.decode("utf-8", "replace") for name, value in letter.headers.items()},
        original_at_ms=letter.at_ms,
        cannot_be_redriven=cannot_be_redriven(letter),
        handled=[handled_view(each) for each in done],
    )


@post(
    "/dead-letters/{letter_id:str}/redrive",
    status_code=200,
    opt={"role": "operator"},
    summary="Put a dead letter's message back where it came from",
)
async def redrive_one(
    parts: Given, request: Asked, letter_id: FromPath[str], data: JSONBody[HandleBody | None] = None
) -> HandledView:
    """With its key and headers, and one header more that says whose redrive it is. It is a new input."""
    return handled_view(await redrive(parts, _ask(letter_id, request, data)))


@post(
    "/dead-letters/{letter_id:str}/drop",
    status_code=200,
    opt={"role": "operator"},
    summary="Record that nothing more is to be done about a dead letter",
)
async def drop_one(
    parts: Given, request: Asked, letter_id: FromPath[str], data: JSONBody[HandleBody | None] = None
) -> HandledView:
    """It stays on its topic, and out of the list of what is open."""
    return handled_view(await drop(parts, _ask(letter_id, request, data)))


def _ask(letter_id: str, request: Asked, data: HandleBody | None) -> Ask:
    partition, offset = _place_of(letter_id)
    given = data or HandleBody()
    return Ask(
        partition=partition,
        offset=offset,
        actor=request.user.name,
        reason=given.reason,
        again=given.again,
    )


def _place_of(letter_id: str) -> tuple[int, int]:
    found = _ID.fullmatch(letter_id)
    if not found:
        raise unknown(letter_id)
    return int(found[1]), int(found[2])


def _mark(cursor: str) -> Mark | None:
    return decode_cursor(cursor, (int, int, int)) if cursor else None


def _place(row: dict[str, int]) -> Mark:
    return [row["at_ms"], row["partition"], row["offset"]]


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "replace")
