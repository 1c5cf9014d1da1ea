"""What must hold of the outside: targets of steps and the Datadog event stream. Part of `checking`."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from engine.posting import REPEAT_TAG
from schemas.events import StepSucceeded
from schemas.publications import Published
from tests.chaos.reading import Reading

STARTED_AFTER_END_MS = 1_500
"""What lies between the start of a call and its arrival here, on a busy machine."""
ID_TAG = "pulsebook_id:"
HTTP = "http.request"


def call_that_nobody_requested(reading: Reading) -> Iterator[str]:
    """No call without a request in the journal; no unrepeatable one without a grant."""
    for call in reading.history.calls:
        attempt = reading.attempts.get(call.key)
        if attempt is None:
            yield f"{call.key} was never requested"
        elif not attempt.request.repeatable and not attempt.granted:
            yield f"{call.key} was never granted"


def unrepeatable_step_called_twice(reading: Reading) -> Iterator[str]:
    """At most once per attempt."""
    counts = Counter(call.key for call in reading.history.calls)
    for key, count in counts.items():
        attempt = reading.attempts.get(key)
        if count > 1 and attempt is not None and not attempt.request.repeatable:
            yield f"{key}: {count} calls"


def success_without_a_call(reading: Reading) -> Iterator[str]:
    """A step of HTTP that succeeded has reached its target."""
    called = {call.key for call in reading.history.calls}
    for key, attempt in reading.attempts.items():
        succeeded = attempt.ended is not None and isinstance(attempt.ended[0], StepSucceeded)
        if succeeded and attempt.request.action == HTTP and key not in called:
            yield key


def step_started_after_its_end(reading: Reading) -> Iterator[str]:
    """None that has finished is started again because something else crashed."""
    for call in reading.history.calls:
        attempt = reading.attempts.get(call.key)
        if attempt is not None and attempt.ended is not None:
            late_ms = call.at_ms - attempt.ended[1]
            if late_ms > STARTED_AFTER_END_MS:
                yield f"{call.key}: {late_ms} ms after {type(attempt.ended[0]).__name__}"


def report_that_never_arrived(reading: Reading) -> Iterator[str]:
    """Every report was posted, and the sink has it on record; or it was refused for good."""
    posts = posts_of(reading)
    for what in reading.reported_at:
        records = reading.published.get(what, [])
        if not records:
            yield f"{what}: no publication"
        elif any(isinstance(one, Published) for one, _ in records) and what not in posts:
            yield f"{what}: no post"


def post_that_nobody_reported(reading: Reading) -> Iterator[str]:
    """Nothing is posted that the journal does not have."""
    yield from (what for what in posts_of(reading) if what not in reading.reported_at)


def repeated_post_without_a_tag(reading: Reading) -> Iterator[str]:
    """Of several posts of one report, all but one say that they may be repeats."""
    for what, posts in posts_of(reading).items():
        untagged = sum(REPEAT_TAG not in tags for tags in posts)
        if untagged > 1:
            yield f"{what}: {untagged} of {len(posts)} posts have no tag"


def posts_of(reading: Reading) -> dict[str, list[frozenset[str]]]:
    """Tags of the posts of each report, by its identity."""
    found: dict[str, list[frozenset[str]]] = {}
    for tags in reading.history.posts:
        for tag in tags:
            if tag.startswith(ID_TAG):
                found.setdefault(tag.removeprefix(ID_TAG), []).append(frozenset(tags))
    return found


EFFECT_RULES: Mapping[str, Callable[[Reading], Iterator[str]]] = {
    rule.__name__.replace("_", " "): rule
    for rule in (
        call_that_nobody_requested,
        unrepeatable_step_called_twice,
        success_without_a_call,
        step_started_after_its_end,
        report_that_never_arrived,
        post_that_nobody_reported,
        repeated_post_without_a_tag,
    )
}
