"""/api/v1/publications and /api/v1/dead-letters: what Datadog was told, and what could not be handled."""

import re

import msgspec
from litestar import get
from litestar.params import FromPath

from console.api.asking import Cursor, Given, Limit, model_of
from console.fetching import fetched
from console.paging import LIMIT, Mark, Page, decode_cursor, page
from console.problems import Problem
from console.published_view import PublicationView, publication, publication_view
from console.read_model.letters import list_dead_letters, list_publications
from schemas import codec
from schemas.dead_letters import DeadLetter
from schemas.errors import SchemasError
from schemas.topics import DEAD_LETTERS

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


class DeadLetterView(DeadLetterSummary, frozen=True, kw_only=True):
    """A dead letter as it lies on its topic. Bytes that are no text are replaced."""

    detail: str
    key: str | None
    value: str | None
    value_bytes: int
    headers: dict[str, str]
    original_at_ms: int


@get("/publications", summary="What Datadog was told, the latest first")
async def publications(parts: Given, limit: Limit = LIMIT, cursor: Cursor = "") -> Page[PublicationView]:
    """Accepted and refused."""
    mark = _mark(cursor)
    rows = await model_of(parts).query(lambda connection: list_publications(connection, mark, limit))
    return page(rows, limit, _place, lambda row: publication_view(publication(row["record"])))


@get("/dead-letters", summary="What could not be handled, the latest first")
async def dead_letters(parts: Given, limit: Limit = LIMIT, cursor: Cursor = "") -> Page[DeadLetterSummary]:
    """With the reason; the message itself is in the single view."""
    mark = _mark(cursor)
    rows = await model_of(parts).query(lambda connection: list_dead_letters(connection, mark, limit))
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
        ),
    )


@get("/dead-letters/{letter_id:str}", summary="A dead letter with its message as it came")
async def dead_letter(parts: Given, letter_id: FromPath[str]) -> DeadLetterView:
    """Fetched from its topic."""
    found = _ID.fullmatch(letter_id)
    missing = Problem(404, f"there is no dead letter {letter_id[:40]}, or it is no longer kept")
    if not found:
        raise missing
    record = await fetched(parts, DEAD_LETTERS, int(found[1]), int(found[2]))
    if record is None or not record.value:
        raise missing
    try:
        letter = codec.decode(record.value)
    except SchemasError as error:
        raise Problem(404, f"the dead letter {letter_id} cannot be read: {error}") from error
    if not isinstance(letter, DeadLetter):
        raise missing
    return DeadLetterView(
        id=letter_id,
        at_ms=record.at_ms,
        stage=letter.stage,
        topic=letter.topic,
        partition=letter.partition,
        offset=letter.offset,
        reason=letter.reason,
        detail=letter.detail,
        key=_text(letter.key),
        value=_text(letter.value),
        value_bytes=len(letter.value or b""),
        headers={name: value.decode("utf-8", "replace") for name, value in letter.headers.items()},
        original_at_ms=letter.at_ms,
    )


def _mark(cursor: str) -> Mark | None:
    return decode_cursor(cursor, (int, int, int)) if cursor else None


def _place(row: dict[str, int]) -> Mark:
    return [row["at_ms"], row["partition"], row["offset"]]


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "replace")
