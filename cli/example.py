"""The alert of `alert send --example`: the recommended Datadog payload, filled in, fresh each time."""

import json
import random
import time
from typing import Any


def example_alert(now_ms: int | None = None) -> dict[str, Any]:
    """A webhook body as Datadog would send it, with an id and a date of its own. A JSON object of texts."""
    at_ms = int(time.time() * 1000) if now_ms is None else now_ms
    event_id = str(random.randrange(10**18, 9 * 10**18))  # noqa: S311  # an example's id, not a secret
    tags = "monitor, service:checkout, env:prod, team:payments"
    title = "[Triggered on {service:checkout}] Checkout p95 latency is high"
    text = "p95 latency of checkout was above 2.0 s for 5 minutes (now 4.2 s). @webhook-pulsebook"
    return {
        "body": f"%%%\n{text}\n%%%",
        "title": title,
        "date": str(at_ms),
        "id": event_id,
        "metadata": {
            "AGGREG_KEY": "b1946ac92492d2347c6235b4d2611184",
            "ALERT_CYCLE_KEY": str(int(event_id) // 7),
            "ALERT_ID": "12345",
            "ALERT_METRIC": "trace.http.request",
            "ALERT_QUERY": "percentile(last_5m):p95:trace.http.request{service:checkout} > 2",
            "ALERT_SCOPE": "service:checkout",
            "ALERT_STATUS": "p95 of trace.http.request over service:checkout was > 2.0 during the last 5m.",
            "ALERT_TITLE": "Checkout p95 latency is high",
            "ALERT_TRANSITION": "Triggered",
            "ALERT_TYPE": "error",
            "EMAIL": "",
            "EVENT_MSG": f"%%%\n{text}\n%%%",
            "EVENT_TITLE": title,
            "EVENT_TYPE": "query_alert_monitor",
            "HOSTNAME": "",
            "ID": event_id,
            "LAST_UPDATED": str(at_ms),
            "LINK": f"https://app.datadoghq.com/event/event?id={event_id}",
            "METRIC_NAMESPACE": "trace",
            "ORG_ID": "4711",
            "ORG_NAME": "Example Inc.",
            "PRIORITY": "normal",
            "SNAPSHOT": "null",
            "TAGS": tags,
            "TEXT_ONLY_MSG": text,
            "USER": "",
            "USERNAME": "",
            "LOGS_SAMPLE": "",
        },
    }


def example_body() -> bytes:
    """The same as bytes, ready to be posted."""
    return json.dumps(example_alert()).encode()
