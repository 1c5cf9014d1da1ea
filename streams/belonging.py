"""Which changelogs the databases of a folder are of. Those of others must not be mixed with them: rows would
be neither what this folder says nor what the changelog says.

The ids that Kafka gave the changelogs lie beside the databases, in a file.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path

FILE = "changelogs.json"

OTHERS = (
    "the folder {folder} belongs to another {topic} (its id was {before}, now it is {now}): the topic was "
    "deleted and made again, or this is another Kafka. Its rows fit no other changelog. Start with the Kafka "
    "that it belongs to, or set the folder aside: the tables are then filled from the changelogs, and from "
    "the topics of their inputs where the changelogs have nothing"
)
AHEAD = (
    "the folder {folder} has more than its changelogs: Kafka has lost records that it had acknowledged, or "
    "somebody has deleted them. Set the folder aside and start again: the tables are then filled from the "
    "changelogs as they are now; then let `pulsebook state rebuild --yes` put right what these lack "
    "({failure})"
)


def not_ours(folder: Path, changelogs: Mapping[str, str]) -> str:
    """Why the databases in `folder` must not be used with these changelogs (name to id); empty if they may
    be. Raises OSError. A folder that says nothing, new or of earlier days, is ours from now on.
    """
    before = _said(folder)
    for topic, now in changelogs.items():
        if before.get(topic, now) != now:
            return OTHERS.format(folder=folder, topic=topic, before=before[topic], now=now)
    if before != changelogs:
        _say(folder, {**before, **changelogs})
    return ""


def ahead(folder: Path, failure: Exception) -> str:
    """What to say of databases that are ahead of their changelogs."""
    return AHEAD.format(folder=folder, failure=" ".join(str(failure).split("\n")[0].split()))


def _said(folder: Path) -> dict[str, str]:
    try:
        found = json.loads((folder / FILE).read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return {str(topic): str(one) for topic, one in found.items()} if isinstance(found, dict) else {}


def _say(folder: Path, changelogs: Mapping[str, str]) -> None:
    """All of it or nothing, however this ends."""
    new = folder / f"{FILE}.new"
    new.write_text(json.dumps(changelogs, indent=1, sort_keys=True))
    os.replace(new, folder / FILE)
