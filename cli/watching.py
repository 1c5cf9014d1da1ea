"""Watches a folder of playbooks and applies what changes, for `pulsebook up`."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx

from cli.playbook_files import is_playbook, problem_line

CHECK_EVERY_S = 1.0
REASON = "playbook folder of pulsebook up"
Seen = dict[Path, tuple[int, int]]


class PlaybookFolder:
    """One folder; `apply_changed` sends what is new or changed to the API at `url`."""

    def __init__(
        self, folder: Path, url: httpx.URL, headers: Mapping[str, str], say: Callable[[str], None]
    ) -> None:
        self._folder, self._url, self._headers, self._say = folder, url, headers, say
        self._seen: Seen = {}
        self._names: dict[Path, str] = {}
        """Of each file that was accepted: its playbook."""
        self._there = True

    async def apply_changed(self) -> None:
        """Apply every file that is new or changed since the last call, and say what became of it."""
        found = await asyncio.to_thread(self._scan)
        changed = [path for path, state in sorted(found.items()) if self._seen.get(path) != state]
        if changed:
            async with httpx.AsyncClient(
                base_url=self._url, headers=self._headers, trust_env=False, timeout=30
            ) as client:
                for path in changed:
                    if await self._apply(client, path):
                        self._seen[path] = found[path]
        for path in self._seen.keys() - found.keys():
            del self._seen[path]
            self._tell_gone(path, self._names.pop(path, ""))

    async def watch(self) -> None:
        """Go on for ever, once a second."""
        while True:
            await asyncio.sleep(CHECK_EVERY_S)
            await self.apply_changed()

    def _tell_gone(self, path: Path, name: str) -> None:
        if not name:
            self._say(f"{path} is gone")
            return
        self._say(
            f"{path} is gone; its playbook {name} stays active: pulsebook playbook disable {name}, or "
            f"pulsebook playbook apply {self._folder} --prune, which removes every playbook that is not there"
        )

    def _scan(self) -> Seen:
        there = self._folder.is_dir()
        if self._there and not there:
            self._say(f"no folder {self._folder}: no playbooks applied (try: pulsebook init {self._folder})")
        self._there = there
        found: Seen = {}
        try:
            for path in self._folder.rglob("*") if there else ():
                if is_playbook(path) and path.is_file():
                    state = path.stat()
                    found[path] = (state.st_mtime_ns, state.st_size)
        except OSError:
            return dict(self._seen)  # it changed under our eyes: the next look will tell
        return found

    async def _apply(self, client: httpx.AsyncClient, path: Path) -> bool:
        """Whether the file is dealt with (applied, unchanged or refused); False: try again later."""
        try:
            source = await asyncio.to_thread(path.read_text, encoding="utf-8", errors="replace")
            body = {"source": source, "file": str(path), "reason": REASON}
            answer = await client.post("/api/v1/playbooks", json=body)
            if answer.status_code >= 500:
                return False
            self._report(path, answer.json())
        except (OSError, httpx.HTTPError, ValueError):
            return False
        return True

    def _report(self, path: Path, answer: dict[str, Any]) -> None:
        for problem in answer.get("problems") or []:
            self._say(problem_line(problem))
        if "outcome" not in answer:
            detail = "" if answer.get("problems") else f": {answer.get('detail', '')}"
            self._say(f"{path}: refused, nothing changed{detail}")
            return
        self._names[path] = answer["name"]
        if answer["outcome"] == "applied":
            self._say(f"playbook {answer['name']}: applied, revision {answer['digest'][:12]}")
