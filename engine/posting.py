"""A report of the journal as a post for the Datadog event stream: tags that tell what it is, a date that
is taken.

Pure: the sink's clock is an argument. The texts are finished in the journal (`engine.run.reporting`);
limits are those of `schemas.posting`.
"""

from datetime import UTC, datetime

from schemas.events import Reported
from schemas.posting import CUT_MARK, DATE_AGE_MAX_S, TEXT_MAX, EventToPost, fitted

DATE_MARGIN_S = 600
"""A post may wait on its way: what is nearly too old counts as too old."""
REPEAT_TAG = "pulsebook_repeat:possible"


def identity(run_id: str, seq: int, index: int) -> str:
    """What identifies one report for ever: run, journal record, and its place among that record's reports."""
    return f"{run_id}/{seq}" if index == 0 else f"{run_id}/{seq}.{index}"


def event_to_post(
    report: Reported, run_id: str, seq: int, index: int, at_ms: int, now_ms: int, may_repeat: bool
) -> EventToPost:
    """The post of a report of the journal record (`run_id`, `seq`) of time `at_ms`; all times epoch ms.

    `may_repeat`: an earlier try may have reached Datadog; the post says so with a tag.
    """
    tags = (*report.tags, f"pulsebook_id:{identity(run_id, seq, index)}")
    too_old = now_ms - at_ms > (DATE_AGE_MAX_S - DATE_MARGIN_S) * 1000
    return fitted(
        EventToPost(
            title=report.title,
            text=_dated(report.text, at_ms) if too_old else report.text,
            tags=(*tags, REPEAT_TAG) if may_repeat else tags,
            alert_type=report.alert_type,
            priority=report.priority,
            host=report.host,
            aggregation_key=report.aggregation_key,
            date_s=None if too_old else at_ms // 1000,
        )
    )


def _dated(text: str, at_ms: int) -> str:
    """The text with the true time in front, which no cut can take away."""
    happened = datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    line = f"Happened at {happened}; Datadog could not be told before.\n\n"
    room = TEXT_MAX - len(line)
    return line + (text if len(text) <= room else text[: room - len(CUT_MARK)] + CUT_MARK)
