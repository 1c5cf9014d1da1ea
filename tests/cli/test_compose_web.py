"""What the web process is told of where events go: the sandbox is called so only where it is it."""

from typing import Any

import pytest

from cli.compose_datadog import SANDBOX_KEY
from cli.compose_web import web_settings
from settings import Settings
from settings_reading import SecretText

ADDRESS = "http://127.0.0.1:8081"


@pytest.mark.parametrize(
    ("given", "sandbox_url", "elsewhere"),
    [
        ({"dd_url": ADDRESS, "dd_api_key": SecretText(SANDBOX_KEY)}, ADDRESS, True),
        ({"dd_url": ADDRESS, "dd_api_key": SecretText("0123")}, "", True),
        ({"dd_url": ADDRESS}, "", True),
        ({"dd_api_key": SecretText("0123")}, "", False),
    ],
)
def test_an_address_set_by_hand_is_not_called_the_sandbox(
    given: dict[str, Any], sandbox_url: str, elsewhere: bool
) -> None:
    told = web_settings(Settings(**given))
    assert (told.sandbox_url, told.datadog_elsewhere) == (sandbox_url, elsewhere)
