"""Watches a folder of playbooks and applies what changes, for `pulsebook up`."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from cli.playbook import ENDINGS

CHECK_EVERY_S = 1.0
Seen = dict[Path, tuple[int, int]]


class PlaybookFolder:
    """One folder; `apply_changed` sends what is new or changed to the API at `url`."""

    def __init__(self, folder: Path, url: str, say: Callable[[str], None]) -> None:
        self._folder = folder
        self._url = url
        self._say = say
        self._seen: Seen = {}

    async def apply_changed(self) -> None:
        """Apply every file that is new or changed since the last call, and say what became of it."""
        found = await asyncio.to_thread(self._scan)
        for path, state in sorted(found.items()):
            if self._seen.get(path) == state:
                continue
            if await self._apply(path):
                self._seen[path] = state
        for path in self._seen.keys() - found.keys():
            self._say(
                f"{path} is gone; its playbook stays active (remove it: pulsebook playbook apply --prune)"
            )
            del self._seen[path]

    async def watch(self) -> None:
        """Go on for ever, once a second."""
        while True:
            await asyncio.sleep(CHECK_EVERY_S)
            await self.apply_changed()

    def _scan(self) -> Seen:
        found: Seen = {}
        for path in self._folder.rglob("*"):
            if path.suffix in ENDINGS and not path.stem.endswith(".test"):
                try:
                    state = path.stat()
                except OSError:
                    continue
                found[path] = (state.st_mtime_ns, state.st_size)
        return found

    async def _apply(self, path: Path) -> bool:
        """Whether the file is dealt with (applied, unchanged or refused); False: try again later."""
        try:
            source = await asyncio.to_thread(path.read_text, encoding="utf-8", errors="replace")
            body = {"source": source, "file": str(path), "reason": "playbook folder of pulsebook up"}
            async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
                answer = await client.post(f"{self._url}/api/v1/playbooks", json=body)
        except (OSError, httpx.HTTPError):
            return False
        if answer.status_code >= 500:
            return False
        self._report(path, answer.json())
        return True

    def _report(self, path: Path, answer: dict[str, Any]) -> None:
        for problem in answer.get("problems", []):
            fix = f" ({problem['fix']})" if problem.get("fix") else ""
            self._say(f"{problem['file']}:{problem['line']}:{problem['column']}: {problem['message']}{fix}")
        if "outcome" not in answer:
            self._say(f"{path}: refused, nothing changed")
        elif answer["outcome"] == "applied":
            self._say(f"playbook {answer['name']}: applied, revision {answer['digest'][:12]}")
