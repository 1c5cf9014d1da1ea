"""How the trace of an alert is shown to a person."""

from typing import Any

from rich.markup import escape

from cli.output import markup, moment, say, styled
from cli.trace_shown_runs import show_run

NOT_MATCHED_SHOWN = 10


def show_trace(trace: dict[str, Any], everything: bool = False) -> None:
    """A trace as the API gives it; `everything`: also what did not match beyond the first few."""
    alert = trace["alert"]
    markup(f"[bold]alert {escape(alert['alert_id'])}[/]  {escape(alert['title'])}".rstrip())
    _show_received(alert)
    looked = trace["playbooks"]
    matched = [each for each in looked if each["matched"] or each["decisions"]]
    others = [each for each in looked if each not in matched]
    shown = others if everything else others[:NOT_MATCHED_SHOWN]
    for playbook in (*matched, *shown):
        _show_playbook(playbook)
    if len(shown) < len(others):
        say(f"  and {len(others) - len(shown)} more that did not match: --all")
    _show_ruled_out(alert, trace["recomputed"])
    if not looked and not alert["ruled_out"] and not alert["unparsable"]:
        say("  no playbook was there to look at; apply one: pulsebook playbook apply DIR")
    _show_recovery(trace["recovery"])
    for published in trace["publications"]:
        event = f"event {published['event_id']}" if published["event_id"] else "REFUSED"
        why = f": {published['reason']}" if published["reason"] else ""
        title = (published["sent"] or {}).get("title", "")
        say(f"  published {moment(published['at_ms'])}  {event}{why}  {title}")
    for letter in trace["dead_letters"]:
        _show_letter(letter)


def _show_received(alert: dict[str, Any]) -> None:
    """When and how it came, and what was understood of it."""
    came = [f"endpoint {alert['endpoint']}"] if alert["endpoint"] else []
    if alert["source"] == "kafka" or not came:
        came.append("from a Kafka producer")
    place = f"alerts/{alert['partition']}/{alert['offset']}"
    say(f"  received  {moment(alert['received_at_ms'])}  {', '.join(came)}  {place}")
    if done := alert["put_back"]:
        of = f"dead letter {done['id']}, by {done['actor']}{_because(done)}"
        say(f"  put back  {moment(done['at_ms'])}  {of}")
    facts = {"transition": alert["transition"], "monitor": alert["monitor_id"], "scope": alert["scope"]}
    if told := "  ".join(f"{name} {value}" for name, value in facts.items() if value):
        say(f"  says      {told}")
    known = f"by the catalog before offset {alert['catalog_offset']}"
    say(f"  decided   {moment(alert['decided_at_ms'])}  {known}")
    if alert["unparsable"]:
        say(f"  could not be read: {alert['unparsable']}")


def _show_playbook(playbook: dict[str, Any]) -> None:
    name = escape(playbook["playbook"])
    if not playbook["matched"]:
        why = ": ".join(part for part in (playbook["clause"], playbook["detail"]) if part)
        said = f"not matched{': ' if why else ''}{escape(why)}"
        # A call, a rerun or another run was given the alert: nothing was asked of its clauses.
        markup(f"  [dim]{name}[/]: {said if why else 'started with this alert, not by it'}")
    else:
        markup(f"  [bold]{name}[/]: [green]matched[/], revision {playbook['revision'][:12]}")
    several = len({decided["run_id"] for decided in playbook["decisions"]}) > 1
    for decided in playbook["decisions"]:
        _show_decision(decided, decided["run_id"] if several else "")
    for run in playbook["runs"]:
        show_run(run)


def _show_decision(decided: dict[str, Any], of: str = "") -> None:
    why = f": {decided['rule']}: {decided['reason']}" if decided["rule"] else ""
    until = f", until {moment(decided['until_ms'])}" if decided["until_ms"] else ""
    of = f"  {of}" if of else ""
    markup(f"    {moment(decided['at_ms'])}  {styled(decided['decision'])}{escape(why)}{until}{of}")


def _show_ruled_out(alert: dict[str, Any], recomputed: dict[str, Any] | None) -> None:
    """What nobody looked at: how many, or each with its clause as it was worked out now."""
    if recomputed is None:
        if alert["ruled_out"]:
            count = alert["ruled_out"]
            who = "1 other asks" if count == 1 else f"{count} others ask"
            say(f"  {who} for other alerts and did not come near; each: --all")
        return
    items, total = recomputed["items"], recomputed["total"]
    if total != alert["ruled_out"] and not alert["unparsable"]:
        say(f"  CONTRADICTION: {alert['ruled_out']} were ruled out by the record, {total} by the catalog")
    if not total:
        return
    say(f"  {total} were not looked at; recomputed now, by the alert and the catalog as they were:")
    for one in items:
        why = "matches: CONTRADICTION with the record" if one["matched"] else "not matched: "
        markup(f"  [dim]{escape(one['playbook'])}[/]: {why}{escape(_clause(one))} (recomputed)")
    if recomputed["problem"]:
        say(f"  cannot be recomputed: {recomputed['problem']}")
    elif len(items) < total:
        say(f"  and {total - len(items)} more: --limit {total}")


def _clause(one: dict[str, Any]) -> str:
    return f"{one['clause']}: {one['detail']}" if one["clause"] else ""


def _show_recovery(recovery: dict[str, Any] | None) -> None:
    if recovery is None:
        return
    say("  a recovery: handed to the playbooks whose endpoint, monitor and tags it fits")
    for heard in recovery["heard"]:
        say(f"    {moment(heard['at_ms'])}  run {heard['run_id']} heard of it")
    for dropped in recovery["dropped"]:
        _show_decision(dropped, f"{dropped['playbook']} {dropped['run_id']}")
    if not recovery["heard"] and not recovery["dropped"]:
        say("    no run of its cycle was waiting or going on")


def _show_letter(letter: dict[str, Any]) -> None:
    came = f"{letter['topic']}/{letter['partition']}/{letter['offset']}"
    say(f"  dead letter {letter['id']}  {moment(letter['at_ms'])}  {came}, given up by {letter['stage']}")
    say(f"    {letter['reason']}")
    for done in letter["handled"]:
        to = f", lies again at {done['lies_at']}" if done["lies_at"] else ""
        say(f"    {moment(done['at_ms'])}  {done['outcome']} by {done['actor']}{_because(done)}{to}")
    if letter["state"] == "open":
        say(f"    open; pulsebook deadletter show {letter['id']}")


def _because(done: dict[str, Any]) -> str:
    return f" ({done['reason']})" if done["reason"] else ""
