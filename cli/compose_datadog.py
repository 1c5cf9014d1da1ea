"""The way to Datadog's events, or to what stands in for it: for the sink and for the executor's actions."""

import httpx

from cli.output import WRONG_USE, fail
from connectors.datadog import DatadogEvents, api_url
from settings import Settings

SANDBOX_KEY = "sandbox"
"""The API key that `up` gives its processes for the sandbox; no key of Datadog looks like it."""


def sandbox_url(settings: Settings) -> str:
    """Where the sandbox is; empty where events go to Datadog, or to whatever else PULSEBOOK_DD_URL names."""
    key = settings.dd_api_key
    return settings.dd_url if key is not None and key.reveal() == SANDBOX_KEY else ""


def datadog_url(settings: Settings) -> str:
    """Where Datadog's API is: the site's, or the address that was given in its place."""
    return settings.dd_url or api_url(settings.dd_site)


def poster(client: httpx.AsyncClient, settings: Settings) -> DatadogEvents:
    """Posts events with the API key. Ends the command where there is none."""
    if settings.dd_api_key is None:
        fail(
            "DD_API_KEY is not set: without it nothing can be posted to Datadog. "
            "To try without a key, `pulsebook up` starts a sandbox.",
            WRONG_USE,
        )
    return DatadogEvents(client, datadog_url(settings), settings.dd_api_key.reveal())
