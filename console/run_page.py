"""The plain page of one run at /runs/{id}: where `run.url` and the link in every report lead.

Rendered here, without script; whatever comes from alerts, playbooks and answers is escaped. What is shown is
what `/api/v1/runs/{id}` tells, and needs the same role; a browser asks for the token (`access.check_page`).
"""

import datetime
import html
import json
from collections.abc import Iterable, Sequence
from string import Template
from typing import Any

from litestar import MediaType, Request, Response, get
from litestar.params import FromPath

from console import access
from console.api.asking import Given, model_of
from console.api.runs import unknown
from console.landing import HEADERS
from console.problems import RETRY_AFTER_S, Problem
from console.published_view import PublicationView
from console.read_model.model import ReadModelUnavailable
from console.run_view import DecisionView, RunView, run_view
from console.step_view import StepView

SHOWN_CHARS_MAX = 4_000
"""Of one value; the API has the whole."""

PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title - Pulsebook</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem }
dt { font-weight: bold } dd { margin: 0 0 .4rem }
table { border-collapse: collapse; width: 100% }
th, td { border-top: 1px solid #8888; padding: .3rem .8rem .3rem 0; text-align: left; vertical-align: top }
pre { background: #8882; margin: 0; padding: .3rem; white-space: pre-wrap; overflow-wrap: anywhere }
@media (prefers-color-scheme: dark) { body { background: #111; color: #ddd } a { color: #8bf } }
</style>
</head>
<body>
<main>
$content
</main>
</body>
</html>
""")


def _problem_page(_: Request[Any, Any, Any], error: Exception) -> Response[str]:
    """What the API answers with a problem document, for people."""
    problem = error if isinstance(error, Problem) else Problem(503, str(error))
    content = f"<h1>{_text(problem.title)}</h1>\n<p>{_text(problem.detail)}</p>"
    if problem.status_code == 401:
        content += "\n<p>Reload the page: the browser asks for a name (any) and a password (a token).</p>"
    headers = {**HEADERS, **(problem.headers or {})}
    if problem.status_code == 503:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    return _page(str(problem.title), content, problem.status_code, headers)


@get(
    "/runs/{run_id:str}",
    media_type=MediaType.HTML,
    include_in_schema=False,
    guards=[access.check_page],
    exception_handlers={Problem: _problem_page, ReadModelUnavailable: _problem_page},
)
async def run_page(parts: Given, run_id: FromPath[str]) -> Response[str]:
    """The page. Raises Problem, shown as a page."""
    run = await run_view(model_of(parts), run_id, parts.catalog.catalog)
    if run is None:
        raise unknown(run_id)
    sections = (
        f"<h1>Run of {_text(run.playbook)}: {_text(run.status)}</h1>",
        _facts(run),
        _table("Steps", ("Step", "Status", "Times", "What came of it"), map(_step, run.steps)),
        _table("Told Datadog", ("Title", "At", "Event"), map(_publication, run.publications)),
        _table("Admission", ("Decision", "At", "Why"), map(_decision, run.decisions)),
    )
    return _page(f"{run.playbook}: {run.status}", "\n".join(sections), 200, HEADERS)


def _page(title: str, content: str, status: int, headers: dict[str, str]) -> Response[str]:
    page = PAGE.substitute(title=_text(title), content=content)
    return Response(page, status_code=status, media_type=MediaType.HTML, headers=headers)


def _facts(run: RunView) -> str:
    took = "" if run.duration_ms is None else f"{run.duration_ms:,} ms"
    facts = {
        "Run": _text(run.run_id),
        "Message": _text(run.message),
        "Failed": _text(" in ".join(filter(None, (run.kind, run.step)))),
        "Playbook": _text(f"{run.playbook}, revision {run.revision[:12]}" if run.revision else run.playbook),
        "Started by": _text(" ".join(filter(None, (run.via, run.actor)))),
        "Alert": _text(" ".join(filter(None, (run.title, f"({run.alert_id})" if run.alert_id else "")))),
        "Started": _time(run.started_at_ms),
        "Ended": _time(run.ended_at_ms),
        "Took": took,
        "Cancelled by": _text(run.cancelled_by),
        "Recovered": "the alert has recovered since" if run.recovered else "",
        "Inputs": _value(run.inputs),
        "Variables": _value(run.variables),
        "Outputs": _value(run.outputs),
    }
    rows = "\n".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts.items() if value)
    return f"<dl>\n{rows}\n</dl>"


def _step(step: StepView) -> tuple[str, ...]:
    name = _text(step.step) + (f" <small>{_text(step.action)}</small>" if step.action else "")
    status = _text(step.status) + (f", {step.attempts} attempts" if step.attempts > 1 else "")
    times = [_time(step.started_at_ms or step.requested_at_ms)]
    times.append("" if step.duration_ms is None else f"took {step.duration_ms:,} ms")
    told = [_text(step.reason), _text(step.question), _text(step.late), _value(step.output)]
    if step.error is not None:
        went_on = "; the run went on" if step.continued else ""
        told.insert(0, f"<strong>{_text(step.error.kind)}</strong>: {_text(step.error.message)}{went_on}")
    return name, status, "<br>".join(filter(None, times)), "<br>".join(filter(None, told))


def _publication(one: PublicationView) -> tuple[str, ...]:
    sent = one.sent if isinstance(one.sent, dict) else {}
    title, text = str(sent.get("title", "")), str(sent.get("text", ""))
    shown = _text(title) + (f"<pre>{_text(text)}</pre>" if text else "")
    if one.event_id is None:
        return shown, _time(one.at_ms), f"refused with {one.status}: {_text(one.reason)}"
    named = f"event {_text(one.event_id)}"
    # Only what a browser opens as a page: another scheme could be script.
    linked = one.url.startswith(("https://", "http://"))
    return shown, _time(one.at_ms), f'<a href="{_text(one.url)}">{named}</a>' if linked else named


def _decision(one: DecisionView) -> tuple[str, ...]:
    why = ": ".join(filter(None, (one.rule, one.reason)))
    return _text(one.decision), _time(one.at_ms), _text(why)


def _table(name: str, heads: Sequence[str], rows: Iterable[tuple[str, ...]]) -> str:
    """A row's first cell is its head; none: a sentence in place of the table."""
    made = [
        f'<tr><th scope="row">{first}</th>' + "".join(f"<td>{cell}</td>" for cell in rest) + "</tr>"
        for first, *rest in rows
    ]
    if not made:
        return f"<h2>{name}</h2>\n<p>Nothing.</p>"
    head = "".join(f'<th scope="col">{each}</th>' for each in heads)
    body = "\n".join(made)
    return f"<h2>{name}</h2>\n<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"


def _value(value: Any) -> str:
    """Anything of a run as JSON; nothing for what is empty."""
    if value in (None, "", {}, []):
        return ""
    return f"<pre>{_text(json.dumps(value, ensure_ascii=False, indent=1))}</pre>"


def _time(at_ms: int | None) -> str:
    if not at_ms:
        return ""
    at = datetime.datetime.fromtimestamp(at_ms / 1000, datetime.UTC)
    exact = at.isoformat(timespec="milliseconds")
    return f'<time datetime="{exact}">{exact[:23].replace("T", " ")} UTC</time>'


def _text(text: str | None) -> str:
    text = text or ""
    cut = "" if len(text) <= SHOWN_CHARS_MAX else f" … ({len(text):,} characters; the API has the whole)"
    return html.escape(text[:SHOWN_CHARS_MAX]) + cut
