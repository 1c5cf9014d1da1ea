"""Values of a run as HTML: escaped, and cut where they are long."""

import datetime
import html
import json
from typing import Any
from urllib.parse import quote

SHOWN_CHARS_MAX = 4_000
"""Of one value; the API has the whole."""


def value(given: Any) -> str:
    """Anything of a run as JSON; nothing for what is empty."""
    if given in (None, "", {}, []):
        return ""
    return f"<pre>{text(json.dumps(given, ensure_ascii=False, indent=1))}</pre>"


def moment(at_ms: int | None) -> str:
    """A time; nothing for none."""
    if not at_ms:
        return ""
    at = datetime.datetime.fromtimestamp(at_ms / 1000, datetime.UTC)
    exact = at.isoformat(timespec="milliseconds")
    return f'<time datetime="{exact}">{exact[:23].replace("T", " ")} UTC</time>'


def text(given: str | None) -> str:
    """Text from anywhere."""
    given = given or ""
    long = len(given) > SHOWN_CHARS_MAX
    cut = f" … ({len(given):,} characters; the API has the whole)" if long else ""
    return html.escape(given[:SHOWN_CHARS_MAX]) + cut


def link_to_run(run_id: str) -> str:
    """The page of another run; nothing for none."""
    return f'<a href="/runs/{quote(run_id, safe="")}">{text(run_id)}</a>' if run_id else ""
