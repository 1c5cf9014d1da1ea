"""A real YAML language server, as an editor talks to it: pinned, fetched once, driven over standard input.

Fetched by npm into the cache folder, by the lock file beside this file (versions and checksums).
"""

import asyncio
import contextlib
import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LOCK = ("package.json", "package-lock.json")
WITHIN_S = 30.0
FETCHED_WITHIN_S = 300
SETTINGS = {
    "yaml": {
        "validate": True,
        "completion": True,
        "hover": True,
        "schemaStore": {"enable": False},
        "schemas": {},
    }
}
"""Nothing but the line in the file says which schema holds, and nothing is fetched."""


def installed(cache: Path) -> Path:
    """The server's program, fetched if it is not there yet."""
    lock = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in LOCK)).hexdigest()[:16]
    home = cache / f"yaml-language-server-{lock}"
    program = home / "node_modules" / "yaml-language-server" / "bin" / "yaml-language-server"
    if not program.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            for name in LOCK:
                shutil.copy(HERE / name, folder)
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            done = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, timeout=FETCHED_WITHIN_S, check=False
            )
            assert done.returncode == 0, f"npm could not fetch the language server: {done.stderr}"
            # Another test may have been first; what it fetched is the same.
            with contextlib.suppress(OSError):
                Path(folder).rename(home)
            Path(folder).mkdir(exist_ok=True)
    return program


class LanguageServer:
    """The server of one folder."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._diagnostics: dict[str, asyncio.Queue[list[dict[str, Any]]]] = {}
        self._count = 0

    @classmethod
    @contextlib.asynccontextmanager
    async def running(cls, program: Path, folder: Path) -> AsyncIterator["LanguageServer"]:
        """Started for `folder`, and stopped in the end."""
        process = await asyncio.create_subprocess_exec(
            "node",
            str(program),
            "--stdio",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        server = cls(process)
        reading = asyncio.create_task(server._read())
        try:
            capabilities: dict[str, Any] = {"textDocument": {"completion": {}, "publishDiagnostics": {}}}
            await server.request(
                "initialize", {"processId": None, "rootUri": folder.as_uri(), "capabilities": capabilities}
            )
            await server._send({"method": "initialized", "params": {}})
            await server._send(
                {"method": "workspace/didChangeConfiguration", "params": {"settings": SETTINGS}}
            )
            yield server
        finally:
            process.terminate()
            await process.wait()
            await asyncio.gather(reading, return_exceptions=True)

    async def opened(self, path: Path) -> list[dict[str, Any]]:
        """What the editor would mark in that file."""
        uri = path.as_uri()
        found = self._diagnostics[uri] = asyncio.Queue()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": path.read_text(encoding="utf-8")}
        await self._send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
        return await asyncio.wait_for(found.get(), WITHIN_S)

    async def offered(self, path: Path, line: int, column: int) -> set[str]:
        """What the editor would offer there, both from 0. The file must be open."""
        place = {"textDocument": {"uri": path.as_uri()}, "position": {"line": line, "character": column}}
        answer = await self.request("textDocument/completion", place)
        return {item["label"] for item in answer["items"]}

    async def shown(self, path: Path, line: int, column: int) -> str:
        """What the editor would show of the word there."""
        place = {"textDocument": {"uri": path.as_uri()}, "position": {"line": line, "character": column}}
        answer = await self.request("textDocument/hover", place)
        return json.dumps(answer)

    async def request(self, method: str, params: Any) -> Any:
        """The server's answer."""
        self._count += 1
        answer = self._answers[self._count] = asyncio.get_running_loop().create_future()
        await self._send({"id": self._count, "method": method, "params": params})
        return await asyncio.wait_for(answer, WITHIN_S)

    async def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0"} | message).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        await self._process.stdin.drain()

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while head := await self._process.stdout.readuntil(b"\r\n\r\n"):
            fields = dict(line.split(b": ", 1) for line in head.strip().split(b"\r\n"))
            message = json.loads(await self._process.stdout.readexactly(int(fields[b"Content-Length"])))
            await self._take(message)

    async def _take(self, message: dict[str, Any]) -> None:
        method = message.get("method", "")
        if method == "textDocument/publishDiagnostics":
            params = message["params"]
            if params["uri"] in self._diagnostics:
                self._diagnostics[params["uri"]].put_nowait(params["diagnostics"])
        elif method and "id" in message:
            wanted = len(message["params"]["items"]) if method == "workspace/configuration" else 0
            await self._send({"id": message["id"], "result": [{}] * wanted or None})
        elif "id" in message:
            answer = self._answers.pop(message["id"])
            if "error" in message:
                answer.set_exception(RuntimeError(str(message["error"])))
            else:
                answer.set_result(message.get("result"))
