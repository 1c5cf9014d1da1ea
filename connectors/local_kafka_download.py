"""One jar from a Maven repository by its coordinate: jgo's part, and the only place that goes to the
network.
"""

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

from connectors.local_kafka_errors import ExtraMissing, JarsUnavailable

SILENCE_S = 10
"""How long the other side may say nothing, at the connection or in the middle of a jar."""
ATTEMPTS = 2


def download(
    coordinate: str, scratch: Path, repository: str = "", on_bytes: Callable[[int], None] = lambda _: None
) -> Path:
    """Fetches the jar to below `scratch`, "" being Maven Central; says after each piece how many bytes came.

    What `on_bytes` raises ends the download. Raises JarsUnavailable, ExtraMissing.
    """
    try:
        from jgo.maven import MavenContext, PythonResolver
    except ImportError as absent:
        raise ExtraMissing from absent
    context = MavenContext(
        resolver=PythonResolver(progress_callback=lambda _name, _size: nullcontext(on_bytes)),
        repo_cache=scratch,
        remote_repos={"mirror": repository} if repository else None,
        timeout=SILENCE_S,
    )
    group, artifact, version = coordinate.split(":")
    reason = ""
    for _ in range(ATTEMPTS):
        on_bytes(0)
        wanted = context.project(group, artifact).at_version(version).artifact()
        try:
            return wanted.resolve()
        # A broken connection is an OSError (requests), an HTTP status other than 200 a RuntimeError (jgo).
        except (OSError, RuntimeError) as broken:
            reason = _innermost(broken)
            if wanted.cached_path is not None:
                wanted.cached_path.unlink(missing_ok=True)
    raise JarsUnavailable(coordinate, repository or "Maven Central", reason)


def _innermost(error: BaseException) -> str:
    """The reason at the bottom of a network error, which requests and urllib3 wrap in layers of brackets."""
    if isinstance(error, RuntimeError):
        return "the repository refuses it"
    causes = [getattr(error, "reason", None), *error.args]
    inner = next((cause for cause in causes if isinstance(cause, BaseException)), None)
    return str(error).rsplit("): ", 1)[-1] if inner is None else _innermost(inner)
