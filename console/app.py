"""The web application, put together from what it is handed. It opens nothing by itself."""

import asyncio
from collections.abc import Callable, Collection, Mapping

from litestar import Litestar, Router, asgi
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.types import ControllerRouterHandler, Receive, Scope, Send

from console import access, health, landing, run_page
from console.api import (
    alerts,
    answering,
    endpoints,
    holds,
    letters,
    overview,
    playbooks,
    rerunning,
    rolling_back,
    runs,
    streaming,
    tokens,
)
from console.hooks.accepting import Hooks
from console.metrics import Metrics
from console.openapi import COMPONENTS, complete
from console.parts import CatalogSource, Only, Parts, WebSettings, Writer
from console.problems import HANDLERS
from console.read_model.log import Archive
from console.read_model.model import ReadModel
from console.remaking import Remaking
from schemas.actions import ActionSpec

REQUEST_BYTES_MAX = 4 * 1024 * 1024
"""Largest request of the API: room for the largest playbook that a setting allows, escaped as JSON."""

DESCRIPTION = (
    "Webhooks are taken at `POST /hooks/{endpoint}/{token}` and `POST /hooks/{endpoint}/{token}/{playbook}`; "
    "they are described in docs/http.md. Lists are paged: hand `next` back as `cursor`. Errors are RFC 9457 "
    "problem documents. Times are epoch milliseconds."
)

FROM_THE_LOG: tuple[ControllerRouterHandler, ...] = (
    overview.overview,
    alerts.list_all,
    alerts.show,
    alerts.trace,
    runs.list_all,
    runs.show,
    runs.events,
    runs.cancel,
    answering.answer,
    rerunning.rerun,
    streaming.stream,
    letters.publications,
    letters.dead_letters,
    letters.dead_letter,
    letters.redrive_one,
    letters.drop_one,
)
"""Under /api/v1: what needs the read model alone."""

WITH_THE_CATALOG: tuple[ControllerRouterHandler, ...] = (
    runs.start_one,
    playbooks.list_all,
    playbooks.show,
    playbooks.apply_one,
    playbooks.diff,
    playbooks.enable,
    playbooks.disable,
    playbooks.remove,
    rolling_back.rollback,
    holds.pause_all,
    holds.resume_all,
    holds.pause,
    holds.resume,
    holds.mutes,
    holds.add_mute,
    holds.delete_mute,
    endpoints.list_all,
    endpoints.create,
    endpoints.rotate,
    endpoints.remove,
    endpoints.send_alert,
    tokens.list_all,
    tokens.create,
    tokens.remove,
)
"""Under /api/v1: what would be wrong before the catalog has been read."""


def create_web(
    settings: WebSettings,
    *,
    writer: Writer,
    catalog: CatalogSource,
    read_model: ReadModel | None,
    archive: Archive | None,
    actions: Mapping[str, ActionSpec],
    only: Only | None = None,
    secret_names: Callable[[], Collection[str]] | None = None,
) -> Litestar:
    """The application. `only`: take hooks, or be the console, and not the other. `secret_names`: of the
    executors' secrets, None where they are not known.

    `read_model` and `archive` may be None for hooks only. The application starts and stops the read model;
    the writer, the catalog and the archive are the caller's to start before and to stop after it.
    """
    if only != "hooks" and (read_model is None or archive is None):
        raise TypeError("a console needs a read model and an archive")
    parts = Parts(
        settings=settings,
        writer=writer,
        catalog=catalog,
        archive=archive,
        read_model=read_model,
        actions=actions,
        metrics=Metrics(hooks=only != "console", console=only != "hooks"),
        secret_names=secret_names,
        stopping=asyncio.Event(),
    )
    remaking = Remaking(parts, read_model) if read_model else None
    handlers: list[ControllerRouterHandler] = [health.healthz, health.readyz, health.metrics]
    if only != "console":
        handlers.append(_mounted(Hooks(parts)))
    if only != "hooks":
        with_catalog = Router("/", route_handlers=WITH_THE_CATALOG, guards=[access.wait_for_catalog])
        api = Router("/api/v1", route_handlers=(*FROM_THE_LOG, with_catalog), guards=[access.check])
        handlers += [landing.landing, run_page.run_page, api]
    app = Litestar(
        handlers,
        dependencies={"parts": Provide(lambda: parts, use_cache=True, sync_to_thread=False)},
        exception_handlers=HANDLERS,
        # Litestar's own logging would write paths, and so tokens; ours (`problems`, `access_log`) masks them.
        logging_config=None,
        openapi_config=OpenAPIConfig(
            title="Pulsebook",
            version=settings.version,
            description=DESCRIPTION,
            path="/api",
            components=COMPONENTS,
            security=[{"token": []}],
            render_plugins=[JsonRenderPlugin(path="/openapi.json")],
            use_handler_docstrings=True,
        ),
        request_max_body_size=REQUEST_BYTES_MAX,
        on_startup=[read_model.start, remaking.start] if read_model and remaking else [],
        on_shutdown=[remaking.stop, read_model.stop] if read_model and remaking else [],
    )
    app.state.parts = parts
    complete(app.openapi_schema, hooks=only != "console")
    return app


def _mounted(hooks: Hooks) -> ControllerRouterHandler:
    @asgi("/hooks", is_mount=True, copy_scope=False)
    async def mounted(scope: Scope, receive: Receive, send: Send) -> None:
        await hooks(scope, receive, send)  # type: ignore[arg-type]  # a mount is given HTTP scopes only

    return mounted
