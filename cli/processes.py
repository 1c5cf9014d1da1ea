"""The processes of a deployment, one command each. What each is made of: `cli.compose_web` and others."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from cli.composing import load_settings, named_kafka
from cli.process import run_process

Only = Annotated[
    Literal["hooks", "console"] | None, typer.Option(help="Take webhooks only, or be the console only.")
]


def web(only: Only = None) -> None:
    """Serve webhooks, API and pages (PULSEBOOK_WEB_HOST, PULSEBOOK_WEB_PORT)."""
    from cli.compose_web import run_web

    settings = named_kafka(load_settings())
    run_process(settings, lambda stop: run_web(settings, only, stop))


def processor() -> None:
    """Match alerts, admit and advance runs."""
    from cli.compose_streams import run_processor

    settings = named_kafka(load_settings())
    run_process(settings, lambda stop: run_processor(settings, stop))


def executor() -> None:
    """Carry out the steps of runs."""
    from cli.compose_executor import run_executor

    settings = named_kafka(load_settings())
    run_process(settings, lambda stop: run_executor(settings, stop))


def sink() -> None:
    """Post what happened to the Datadog event stream."""
    from cli.compose_streams import run_sink

    settings = named_kafka(load_settings())
    run_process(settings, lambda stop: run_sink(settings, stop))


def sandbox(
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port on loopback.")] = 8081,
) -> None:
    """Stand in for Datadog's events API on this machine."""
    from cli.compose_sandbox import run_sandbox

    settings = load_settings()
    run_process(settings, lambda stop: run_sandbox(Path(settings.data_dir), port, stop))
