"""The plain page at /: where things are, and a few counts. Pages proper come later."""

import html
import time
from string import Template

from litestar import MediaType, Response, get

from console.api.asking import Given
from console.health import missing
from console.parts import WebSettings
from console.read_model.letters import counts
from console.read_model.model import ReadModelUnavailable
from console.read_model.runs import runs_by_status

PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Pulsebook</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 42rem; margin: 3rem auto; padding: 0 1rem }
table { border-collapse: collapse } td { padding: .1rem 1rem .1rem 0 }
code { background: #8882; padding: 0 .2em }
@media (prefers-color-scheme: dark) { body { background: #111; color: #ddd } a { color: #8bf } }
</style>
</head>
<body>
<h1>Pulsebook</h1>
<p>Alerts in, playbooks run, Datadog hears of it.
This is the web process, version $version: <strong>$state</strong>.</p>
$missing
$holds
<table>$counts</table>
<h2>Where things are</h2>
<ul>
<li><a href="/api/openapi.json">/api/openapi.json</a>: the API, as OpenAPI</li>
<li><a href="/api/v1/overview">/api/v1/overview</a>,
<a href="/api/v1/runs">runs</a>, <a href="/api/v1/alerts">alerts</a>,
<a href="/api/v1/playbooks">playbooks</a>, <a href="/api/v1/dead-letters">dead letters</a>,
<a href="/api/v1/publications">publications</a></li>
<li>$datadog</li>
<li><a href="/healthz">/healthz</a>, <a href="/readyz">/readyz</a>, <a href="/metrics">/metrics</a></li>
<li><code>POST /hooks/ENDPOINT/TOKEN</code>: where Datadog sends alerts
(<code>pulsebook endpoint create NAME</code>)</li>
</ul>
<p>On the command line: <code>pulsebook alert send --example</code>, <code>pulsebook run list</code>,
<code>pulsebook status</code>.</p>
</body>
</html>
""")

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


@get("/", media_type=MediaType.HTML, include_in_schema=False)
async def landing(parts: Given) -> Response[str]:
    """The page. It holds no names of alerts, runs or endpoints, so it needs no token."""
    lacking = missing(parts)
    page = PAGE.substitute(
        version=html.escape(parts.settings.version),
        state="not ready" if lacking else "ready",
        missing="".join(f"<p>{html.escape(each)}</p>" for each in lacking),
        holds=_holds(parts),
        counts=await _counts(parts),
        datadog=_datadog(parts.settings),
    )
    return Response(page, media_type=MediaType.HTML, headers=HEADERS)


def _holds(parts: Given) -> str:
    """What holds starts back; who did it and why is for those who have a token."""
    holds = parts.catalog.catalog.holds
    now_ms = time.time_ns() // 1_000_000
    mutes = sum(each.what.until_ms > now_ms for each in holds.mutes)
    paused = len(holds.paused_alone)
    said = [
        "<strong>All playbooks are paused</strong>: nothing new starts (<code>pulsebook resume --all</code>)"
        if holds.all_paused
        else "",
        f"{_counted(paused, 'playbook is', 'playbooks are')} paused (<code>pulsebook playbook list</code>)"
        if paused
        else "",
        f"{_counted(mutes, 'mute is', 'mutes are')} in force (<code>pulsebook mute list</code>)"
        if mutes
        else "",
    ]
    return "".join(f"<p>{each}</p>" for each in said if each)


def _counted(count: int, one: str, more: str) -> str:
    return f"{count} {one if count == 1 else more}"


def _datadog(settings: WebSettings) -> str:
    """Where events go. Who may not know an address is not told it: the page needs no token."""
    if settings.sandbox_url:
        address = html.escape(settings.sandbox_url)
        return f'<a href="{address}">The Datadog sandbox</a>: what Datadog would have got'
    if settings.datadog_elsewhere:
        return "Events go to the address that <code>PULSEBOOK_DD_URL</code> names, in place of Datadog's own"
    return "Events go to Datadog itself"


async def _counts(parts: Given) -> str:
    if parts.read_model is None:
        return ""
    try:
        known, runs = await parts.read_model.query(
            lambda connection: (counts(connection), runs_by_status(connection))
        )
    except ReadModelUnavailable:
        return ""
    rows = {
        "alerts": known["alerts"],
        **{f"runs {status}": count for status, count in sorted(runs.items())},
        "publications": known["publications"],
        "dead letters": known["dead_letters"],
        "dead letters open": known["dead_letters_open"],
    }
    return "".join(f"<tr><td>{html.escape(name)}</td><td>{count}</td></tr>" for name, count in rows.items())
