"""The sandbox's page: events as people read them, filtered, refreshed by the browser; no script.

Texts are shown as text: nothing that an event says is ever markup.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from urllib.parse import urlencode

from connectors.datadog_sandbox_rules import SandboxEvent

REFRESH_S = 5
HEADERS = (
    (b"content-type", b"text/html; charset=utf-8"),
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; form-action 'self'"),
    (b"cache-control", b"no-store"),
)

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #888; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.3rem; margin: 0; } header p { color: var(--soft); margin: .2rem 0 1rem; }
form { display: flex; gap: .5rem; flex-wrap: wrap; margin-bottom: 1rem; }
input, button { font: inherit; padding: .3rem .6rem; } input[name=q] { flex: 1; min-width: 12rem; }
article { border: 1px solid var(--line); border-left: .4rem solid var(--kind); border-radius: .4rem;
  padding: .6rem .9rem; margin-bottom: .7rem; }
article h2 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; }
.error { --kind: #d33; } .warning { --kind: #e90; } .success { --kind: #2a5; }
.info { --kind: #48c; } .other { --kind: #888; } .meta { color: var(--soft); font-size: .85rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; margin: .4rem 0; }
.tags { display: flex; flex-wrap: wrap; gap: .3rem; }
.tags a { border: 1px solid var(--line); border-radius: 1rem; padding: 0 .6rem; font-size: .85rem;
  text-decoration: none; color: inherit; overflow-wrap: anywhere; }
.tags a:hover { background: var(--line); }
"""


def page(events: Sequence[SandboxEvent], total: int, words: str, tag: str, refreshes: bool) -> bytes:
    """The page for these events, out of `total` that fit the words and the tag."""
    shown = f"{total} event{'' if total == 1 else 's'}"
    if total > len(events):
        shown += f", the newest {len(events)} are shown"
    refresh = f'<meta http-equiv="refresh" content="{REFRESH_S}">' if refreshes else ""
    pause = _link({"q": words, "tag": tag} | ({"refresh": "off"} if refreshes else {}))
    body = (
        "\n".join(map(_article, events)) or "<p>No events yet. They appear here as playbooks post them.</p>"
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">{refresh}
<title>Datadog sandbox: events</title>
<style>{_STYLE}</style>
</head>
<body>
<header>
<h1>Datadog sandbox</h1>
<p>What Datadog's event stream would have got. Nothing leaves this machine.</p>
</header>
<form action="/" method="get">
<input name="q" value="{escape(words)}" placeholder="text in title or body" aria-label="text">
<input name="tag" value="{escape(tag)}" placeholder="tag, such as env:prod" aria-label="tag">
<button>Filter</button>
</form>
<p class="meta">{shown} · <a href="/">all</a> ·
<a href="{pause}">{"pause" if refreshes else "refresh by itself"}</a></p>
<main>
{body}
</main>
</body>
</html>
""".encode("utf-8", "replace")


def _article(event: SandboxEvent) -> str:
    kind = event.alert_type if event.alert_type in ("error", "warning", "success", "info") else "other"
    at = datetime.fromtimestamp(event.date_happened, UTC)
    facts = [event.alert_type, event.priority, event.source_type_name, event.host]
    meta = " · ".join(escape(fact) for fact in facts if fact)
    tags = "".join(f'<a href="{_link({"tag": tag})}">{escape(tag)}</a>' for tag in event.tags)
    return f"""<article class="{kind}" id="e{event.id}">
<h2>{escape(event.title)}</h2>
<div class="meta"><time>{at:%Y-%m-%d %H:%M:%S} UTC</time> · {meta} · {event.id}</div>
<pre>{escape(event.text)}</pre>
<div class="tags">{tags}</div>
</article>"""


def _link(query: dict[str, str]) -> str:
    given = {name: value for name, value in query.items() if value}
    return escape("/?" + urlencode(given)) if given else "/"
