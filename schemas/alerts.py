"""What an alert looks like: normalised (`Alert`), in short (`AlertSummary`), and as it was received."""

from typing import Annotated

from schemas.fields import Json, Record, doc


class Alert(Record, frozen=True, kw_only=True):
    """One alert in Pulsebook's own words. What the sender did not give is "" or empty, never absent."""

    id: Annotated[
        str, doc("Alert id: hash of endpoint and body, made at the web process, or topic/partition/offset.")
    ]
    endpoint: Annotated[
        str, doc("Name of the endpoint that received it, or the producer's header `endpoint`.")
    ] = ""
    source: Annotated[str, doc("`webhook` or `kafka`.")] = "webhook"
    title: Annotated[str, doc("EVENT_TITLE or `title`, else ALERT_TITLE.")] = ""
    body: Annotated[str, doc("EVENT_MSG or `body`, with markup.")] = ""
    text: Annotated[str, doc("TEXT_ONLY_MSG: the body without markup.")] = ""
    kind: Annotated[str, doc("EVENT_TYPE, such as query_alert_monitor.")] = ""
    type: Annotated[str, doc("ALERT_TYPE: error, warning, success or info; an open set.")] = ""
    transition: Annotated[str, doc("ALERT_TRANSITION: Triggered, Recovered, ...; an open set.")] = ""
    priority: Annotated[str, doc("ALERT_PRIORITY (P1..P5) where sent, else PRIORITY (normal, low).")] = ""
    monitor_id: Annotated[str, doc("ALERT_ID as text.")] = ""
    monitor_name: Annotated[str, doc("ALERT_TITLE: the monitor's name.")] = ""
    cycle_key: Annotated[str, doc("ALERT_CYCLE_KEY: links a trigger with its recovery.")] = ""
    aggregation_key: Annotated[str, doc("AGGREG_KEY.")] = ""
    scope: Annotated[str, doc("ALERT_SCOPE: comma-separated tags of the group that fired.")] = ""
    tag_list: Annotated[tuple[str, ...], doc("TAGS split at commas, trimmed, in their order.")] = ()
    metric: Annotated[str, doc("ALERT_METRIC.")] = ""
    query: Annotated[str, doc("ALERT_QUERY.")] = ""
    host: Annotated[str, doc("HOSTNAME.")] = ""
    link: Annotated[str, doc("LINK to the event in Datadog.")] = ""
    snapshot: Annotated[str, doc("SNAPSHOT: URL of the graph's picture.")] = ""
    at_ms: Annotated[int, doc("DATE in epoch milliseconds; 0 where not given.")] = 0
    last_updated_ms: Annotated[int, doc("LAST_UPDATED in epoch milliseconds; 0 where not given.")] = 0
    org_id: Annotated[str, doc("ORG_ID as text.")] = ""
    event_id: Annotated[str, doc("ID of the Datadog event as text; no identity by itself.")] = ""
    test: Annotated[bool, doc("A `[TEST]` notification.")] = False
    metadata: Annotated[Json, doc("The metadata object as received (JSON object).")] = {}


class AlertSummary(Record, frozen=True, kw_only=True):
    """What lists and traces show of an alert without fetching it."""

    endpoint: Annotated[str, doc("Endpoint name.")] = ""
    source: Annotated[str, doc("`webhook` or `kafka`.")] = ""
    title: Annotated[str, doc("Title, cut at 300 characters.")] = ""
    transition: Annotated[str, doc("Transition.")] = ""
    kind: Annotated[str, doc("Kind.")] = ""
    priority: Annotated[str, doc("Priority.")] = ""
    monitor_id: Annotated[str, doc("Monitor id.")] = ""
    scope: Annotated[str, doc("Scope, cut at 300 characters.")] = ""
    cycle_key: Annotated[str, doc("Cycle key.")] = ""
    received_at_ms: Annotated[int, doc("When it was received.")] = 0


class AlertReceived(Record, frozen=True, kw_only=True):
    """Topic `alerts`: one webhook call, kept as it came and as we understood it."""

    alert_id: Annotated[str, doc("Alert id.")]
    endpoint: Annotated[str, doc("Endpoint name.")]
    received_at_ms: Annotated[int, doc("When the web process received it.")]
    content_type: Annotated[str, doc("Content-Type header as it came.")] = ""
    raw: Annotated[bytes, doc("The body as it came.")]
    alert: Annotated[Alert | None, doc("The normalised alert; null where the body could not be parsed.")] = (
        None
    )
    problem: Annotated[str, doc("Why the body could not be parsed; empty when it could.")] = ""
