"""Asks the processes beside the web how they are: /readyz and /metrics, as seen from this machine."""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from prometheus_client.parser import text_string_to_metric_families

from cli.local_ports import LOOPBACK, LOOPBACK_NAMES, Ports

OWN_PORTS = {"processor": 9101, "executor": 9102, "sink": 9103}
"""Where they listen when each is started by itself."""
ASK_WITHIN_S = 2.0
TOLD = {
    "processor": {
        "pulsebook_oldest_undecided_alert_seconds": "oldest undecided alert {:.1f} s",
        "pulsebook_inbox_lag_seconds": "inbox lag {:.1f} s",
    },
    "executor": {
        "pulsebook_executor_steps_in_flight": "{:.0f} steps at work",
        "pulsebook_executor_steps_waiting": "{:.0f} waiting",
    },
    "sink": {"pulsebook_sink_lag_seconds": "sink lag {:.1f} s"},
}


def processes(web_url: str) -> list[dict[str, Any]]:
    """Each process: its name, its state (ready, not ready, unknown) and a word on it."""
    web = urlsplit(web_url)
    if web.hostname not in LOOPBACK_NAMES:
        where = "not on this machine; ask its own /readyz and /metrics"
        return [{"process": name, "state": "unknown", "detail": where} for name in OWN_PORTS]
    under_up = Ports(web.port or 80).all()
    return [process(name, (under_up[name], port)) for name, port in OWN_PORTS.items()]


def process(name: str, ports: Sequence[int]) -> dict[str, Any]:
    """One process, looked for on these ports of this machine in turn."""
    for port in ports:
        if (missing := lacking(port)) is not None:
            words = missing or _numbers(name, port)
            state = "not ready" if missing else "ready"
            return {"process": name, "state": state, "port": port, "detail": ", ".join(words)}
    tried = " and ".join(map(str, ports))
    return {"process": name, "state": "unknown", "detail": f"does not answer here on port {tried}"}


def lacking(port: int) -> list[str] | None:
    """What the process there lacks to do its job; empty: ready. None: nobody answers, or somebody else."""
    try:
        text = _get(f"http://{LOOPBACK}:{port}/readyz")
    except urllib.error.HTTPError as error:
        text = error.read().decode(errors="replace")
    except (OSError, ValueError, http.client.HTTPException):
        return None
    try:
        answer = json.loads(text)
    except ValueError:
        return None
    if not isinstance(answer, dict):
        return None
    missing = answer.get("missing", [] if answer.get("ok") else None)
    return [str(each) for each in missing] if isinstance(missing, list) else None


def _numbers(name: str, port: int) -> list[str]:
    try:
        families = list(text_string_to_metric_families(_get(f"http://{LOOPBACK}:{port}/metrics")))
    except (OSError, ValueError, http.client.HTTPException):
        return []
    values = {sample.name: sample.value for family in families for sample in family.samples}
    return [text.format(values[metric]) for metric, text in TOLD[name].items() if metric in values]


def _get(url: str) -> str:
    # No proxy stands between this machine and itself, whatever the environment says.
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(url, timeout=ASK_WITHIN_S) as answer:
        return str(answer.read().decode(errors="replace"))
