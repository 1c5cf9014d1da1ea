"""`pulsebook status`: how things stand, in counts and lags."""

from typing import Any

from cli import client
from cli.health import processes
from cli.output import JsonOption, document, say, span
from cli.tables import show_rows


def status(as_json: JsonOption = False) -> None:
    """Say how things stand: counts, how far everything was read, what is late, which process is ready."""
    overview = client.call("GET", "/api/v1/overview")
    if not isinstance(overview, dict) or "playbooks" not in overview:
        client.not_pulsebook()
    seen = processes(client.base_url())
    if as_json:
        document({**overview, "processes": seen})
        return
    _show(overview)
    show_rows(seen, ("process", "state", "detail"), False, "")


def _show(overview: dict[str, Any]) -> None:
    playbooks = overview["playbooks"]
    runs = ", ".join(f"{count} {name}" for name, count in sorted(overview["runs"].items()))
    say(f"Pulsebook {overview['version']} at {client.base_url()}")
    held = f", {playbooks['paused']} paused" if playbooks.get("paused") else ""
    say(f"playbooks     {playbooks['enabled']} enabled, {playbooks['disabled']} disabled{held}")
    if pause := overview.get("paused"):
        why = f": {pause['reason']}" if pause["reason"] else ""
        say(f"PAUSED        nothing new starts, by {pause['actor']}{why} (pulsebook resume --all)")
    if overview.get("mutes"):
        say(f"mutes         {overview['mutes']} in force (pulsebook mute list)")
    say(f"endpoints     {overview['endpoints']}")
    say(f"alerts        {overview['alerts']}")
    say(f"runs          {runs or 'none yet'}")
    say(f"published     {overview['publications']}")
    say(f"dead letters  {overview['dead_letters']}, {overview['dead_letters_open']} open")
    model = overview["read_model"]
    behind = f"{span(model['lag_ms'])} behind, {model['behind']} records to read"
    say(f"read model    {model['problem'] or ('up to date' if model['caught_up'] else behind)}")
