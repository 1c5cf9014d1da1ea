"""How the trace of an alert is shown to a person."""

from typing import Any

from rich.markup import escape

from cli.output import markup, moment, say, styled

NOT_MATCHED_SHOWN = 10


def show_trace(trace: dict[str, Any], everything: bool = False) -> None:
    """A trace as the API gives it; `everything`: also what did not match beyond the first few."""
    alert = trace["alert"]
    markup(f"[bold]alert {escape(alert['alert_id'])}[/]  {escape(alert.get('title') or '')}")
    where = f"alerts/{alert.get('partition')}/{alert.get('offset')}"
    via = f"endpoint {alert['endpoint']}" if alert.get("endpoint") else "from Kafka"
    say(f"  received  {moment(alert.get('received_at_ms'))}  {via}  {where}")
    if alert.get("unparsable"):
        say(f"  could not be read: {alert['unparsable']}")
    matched = [each for each in trace.get("playbooks", []) if each.get("matched") or each.get("decisions")]
    others = [each for each in trace.get("playbooks", []) if each not in matched]
    shown = others if everything else others[:NOT_MATCHED_SHOWN]
    for playbook in (*matched, *shown):
        _show_playbook(playbook)
    if len(shown) < len(others):
        say(f"  and {len(others) - len(shown)} more that did not match: --all")
    if alert.get("ruled_out"):
        count = alert["ruled_out"]
        who = "1 other asks" if count == 1 else f"{count} others ask"
        say(f"  {who} for other alerts and did not come near")
    if not trace.get("playbooks") and not alert.get("ruled_out") and not alert.get("unparsable"):
        say("  no playbook was there to look at; apply one: pulsebook playbook apply DIR")
    for published in trace.get("publications", []):
        event = f"event {published['event_id']}" if published.get("event_id") else "REFUSED"
        title = (published.get("sent") or {}).get("title", "")
        say(f"  published {moment(published.get('at_ms'))}  {event}  {title}")


def _show_playbook(playbook: dict[str, Any]) -> None:
    name = escape(playbook["playbook"])
    if not playbook.get("matched"):
        why = ": ".join(part for part in (playbook.get("clause"), playbook.get("detail")) if part)
        markup(f"  [dim]{name}[/]: not matched{': ' if why else ''}{escape(why)}")
    else:
        markup(f"  [bold]{name}[/]: [green]matched[/]")
    for decided in playbook.get("decisions", []):
        why = f": {decided['rule']}: {decided['reason']}" if decided.get("rule") else ""
        until = f" until {moment(decided['until_ms'])}" if decided.get("until_ms") else ""
        markup(f"    {moment(decided.get('at_ms'))}  {styled(decided['decision'])}{escape(why)}{until}")
    if run := playbook.get("run"):
        message = f"  {escape(run['message'])}" if run.get("message") else ""
        markup(f"    run {escape(run['run_id'])}  {styled(run['status'])}{message}")
