"""A steady flow of alerts to a webhook, as Datadog would send them: again until a 202."""

import asyncio

import httpx

from cli.example import example_alert

TRY_FOR_S = 40.0


async def send_steadily(hook: str, count: int, over_s: float, name: str = "flow") -> list[str]:
    """Send `count` different alerts spread over `over_s` seconds; the ids that were answered with 202."""
    async with httpx.AsyncClient(trust_env=False, timeout=20) as client:

        async def send(number: int) -> str:
            await asyncio.sleep(over_s * number / count)
            alert = example_alert()
            alert["metadata"] |= {
                "ALERT_SCOPE": f"host:{name}-{number}",
                "ALERT_CYCLE_KEY": f"{name}{number}",
            }
            return await until_accepted(client, hook, alert)

        return list(await asyncio.gather(*(send(number) for number in range(count))))


async def until_accepted(client: httpx.AsyncClient, hook: str, alert: object) -> str:
    """Send one alert until a 202; its id."""
    refusals = []
    for _ in range(int(TRY_FOR_S / 0.5)):
        try:
            answer = await client.post(hook, json=alert)
        except httpx.TransportError as error:
            refusals.append(type(error).__name__)
        else:
            if answer.status_code == 202:
                return str(answer.json()["alert_id"])
            refusals.append(f"{answer.status_code} {answer.text}")
            # Anything but 503 would make Datadog give up.
            assert answer.status_code == 503, refusals
        await asyncio.sleep(0.5)
    raise AssertionError(f"never accepted: {refusals[-3:]}")
