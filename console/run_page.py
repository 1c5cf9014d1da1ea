"""The plain page of one run at /runs/{id}: where `run.url` and the link in every report lead.

Rendered here, without script; whatever comes from alerts, playbooks and answers is escaped. What is shown is
what `/api/v1/runs/{id}` tells, and needs the same role; a browser asks for the token (`access.check_page`).
"""

from collections.abc import Iterable, Sequence
from string import Template
from typing import Any

from litestar import MediaType, Request, Response, get
from litestar.params import FromPath

from console import access
from console.api.asking import Given, model_of
from console.api.runs import unknown
from console.landing import HEADERS
from console.markup import link_to_run, moment, text, value
from console.problems import RETRY_AFTER_S, Problem
from console.published_view import PublicationView
from console.read_model.model import ReadModelUnavailable
from console.run_page_steps import step_row
from console.run_view import DecisionView, RunView, run_view

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
code { background: #8882; overflow-wrap: anywhere } small { font-weight: normal }
@media (max-width: 40rem) {
  thead { display: none } tr { display: block; border-top: 1px solid #8888; padding: .3rem 0 }
  th, td { display: block; border: 0; padding: 0 } time { white-space: nowrap }
}
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
    content = f"<h1>{text(problem.title)}</h1>\n<p>{text(problem.detail)}</p>"
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
        f"<h1>Run of {text(run.playbook)}: {text(run.status)}</h1>",
        _facts(run),
        _table(
            "Steps",
            ("Step", "Status", "Times", "What came of it"),
            (step_row(run.run_id, step) for step in run.steps),
        ),
        _table("Told Datadog", ("Title", "At", "Event"), map(_publication, run.publications)),
        _table("Admission", ("Decision", "At", "Why"), map(_decision, run.decisions)),
    )
    return _page(f"{run.playbook}: {run.status}", "\n".join(sections), 200, HEADERS)


def _page(title: str, content: str, status: int, headers: dict[str, str]) -> Response[str]:
    page = PAGE.substitute(title=text(title), content=content)
    return Response(page, status_code=status, media_type=MediaType.HTML, headers=headers)


def _facts(run: RunView) -> str:
    took = "" if run.duration_ms is None else f"{run.duration_ms:,} ms"
    facts = {
        "Run": text(run.run_id),
        "Message": text(run.message),
        "Failed": text(" in ".join(filter(None, (run.kind, run.step)))),
        "Playbook": text(f"{run.playbook}, revision {run.revision[:12]}" if run.revision else run.playbook),
        "Started by": text(" ".join(filter(None, (run.via, run.actor)))),
        "Waited for by": link_to_run(run.parent_run_id),
        "Alert": text(" ".join(filter(None, (run.title, f"({run.alert_id})" if run.alert_id else "")))),
        "Started": moment(run.started_at_ms),
        "Ended": moment(run.ended_at_ms),
        "Took": took,
        "Cancelled by": text(run.cancelled_by),
        "Recovered": "the alert has recovered since" if run.recovered else "",
        "Inputs": value(run.inputs),
        "Variables": value(run.variables),
        "Outputs": value(run.outputs),
    }
    rows = "\n".join(f"<dt>{name}</dt><dd>{fact}</dd>" for name, fact in facts.items() if fact)
    return f"<dl>\n{rows}\n</dl>"


def _publication(one: PublicationView) -> tuple[str, ...]:
    sent = one.sent if isinstance(one.sent, dict) else {}
    title, told = str(sent.get("title", "")), str(sent.get("text", ""))
    shown = text(title) + (f"<pre>{text(told)}</pre>" if told else "")
    if one.event_id is None:
        return shown, moment(one.at_ms), f"refused with {one.status}: {text(one.reason)}"
    named = f"event {text(one.event_id)}"
    # Only what a browser opens as a page: another scheme could be script.
    linked = one.url.startswith(("https://", "http://"))
    return shown, moment(one.at_ms), f'<a href="{text(one.url)}">{named}</a>' if linked else named


def _decision(one: DecisionView) -> tuple[str, ...]:
    why = ": ".join(filter(None, (one.rule, one.reason)))
    return text(one.decision), moment(one.at_ms), text(why)


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
