"""What Datadog is sent of a report: identity, true time, limits, and a word where it may be a repeat."""

from hypothesis import given
from hypothesis import strategies as st

from engine.alert.facts import is_own_event
from engine.posting import event_to_post, identity
from schemas.alerts import Alert
from schemas.events import Reported
from schemas.posting import AGGREGATION_KEY_MAX, CUT_MARK, TEXT_MAX, TITLE_MAX, EventToPost

AT_MS = 1_795_000_000_000
HOUR_MS = 3_600_000


def posted(
    report: Reported | None = None, *, late_ms: int = 0, index: int = 0, may_repeat: bool = False
) -> EventToPost:
    report = report or Reported(kind="succeeded", title="Done", text="All is well", alert_type="success")
    return event_to_post(report, "r-1", 4, index, AT_MS, AT_MS + late_ms, may_repeat)


def test_a_report_is_posted_as_the_journal_has_it() -> None:
    report = Reported(
        kind="publish",
        title="p95",
        text="is 4.2 s",
        tags=("service:checkout",),
        alert_type="info",
        priority="low",
        host="h1",
        aggregation_key="r-1",
    )
    assert posted(report) == EventToPost(
        title="p95",
        text="is 4.2 s",
        tags=("service:checkout", "pulsebook_id:r-1/4"),
        alert_type="info",
        priority="low",
        host="h1",
        aggregation_key="r-1",
        date_s=AT_MS // 1000,
    )


def test_every_report_has_an_identity_of_its_own() -> None:
    assert [identity("r-1", 4, index) for index in range(3)] == ["r-1/4", "r-1/4.1", "r-1/4.2"]
    assert "pulsebook_id:r-1/4.1" in posted(index=1).tags


def test_our_own_event_is_known_as_such_when_it_comes_back() -> None:
    assert is_own_event(Alert(id="a", tag_list=posted().tags))


def test_one_that_may_repeat_another_says_so() -> None:
    assert "pulsebook_repeat:possible" in posted(may_repeat=True).tags
    assert "pulsebook_repeat:possible" not in posted().tags


def test_a_report_that_datadog_would_refuse_as_too_old_is_posted_as_now_with_the_true_time() -> None:
    late = posted(late_ms=18 * HOUR_MS)
    assert late.date_s is None
    assert late.text.startswith("Happened at 2026-11-18 11:06:40 UTC; Datadog could not be told before.")
    assert late.text.endswith("All is well")
    assert posted(late_ms=17 * HOUR_MS).date_s == AT_MS // 1000


def test_the_true_time_survives_a_text_that_has_to_be_cut() -> None:
    report = Reported(kind="failed", title="t", text="x" * 5_000, alert_type="error")
    late = posted(report, late_ms=20 * HOUR_MS)
    assert late.text.startswith("Happened at")
    assert late.text.endswith(CUT_MARK)
    assert len(late.text) == TEXT_MAX


@given(st.text(max_size=5_000), st.text(max_size=5_000), st.text(max_size=200), st.integers(0, 30 * HOUR_MS))
def test_whatever_is_reported_fits_into_datadog_s_limits(
    title: str, text: str, key: str, late_ms: int
) -> None:
    report = Reported(kind="failed", title=title, text=text, alert_type="error", aggregation_key=key)
    event = posted(report, late_ms=late_ms)
    assert len(event.title) <= TITLE_MAX
    assert len(event.text) <= TEXT_MAX
    assert len(event.aggregation_key) <= AGGREGATION_KEY_MAX
    assert event.date_s is None or event.date_s * 1000 >= AT_MS - 1_000
