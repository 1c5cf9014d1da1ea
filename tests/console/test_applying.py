"""What applying a playbook says of it that only the catalog knows."""

import asyncio

import pytest

from tests.console.conftest import TOKEN as HOOK_TOKEN
from tests.console.conftest import MakeWeb, Web

ASKS = """
playbook: asks
on: {call: {}}
steps:
  - id: q
    ask: {question: Restart?, choices: [a, b], by: BY, timeout: 5m, on_timeout: a}
"""
TOKEN = {"Authorization": "Bearer t"}


@pytest.mark.parametrize(
    ("by", "warnings"),
    [
        ("[ann, operator]", []),
        ("[bob]", ["`bob` is no role and no token"]),
        ("[gone]", ["`gone` is no role and no token"]),
    ],
)
async def test_who_is_asked_and_is_no_role_and_no_token_is_warned_of(
    make_web: MakeWeb, by: str, warnings: list[str]
) -> None:
    web = await make_web(auth=True)
    for name in ("ann", "gone"):
        await web.token(name, "admin", "t" if name == "ann" else "u")
    assert (await web.client.delete("/api/v1/tokens/gone", headers=TOKEN)).status_code == 204

    body = {"source": ASKS.replace("BY", by), "file": "asks.yaml"}
    answer = await web.client.post("/api/v1/playbooks", json=body, headers=TOKEN)

    assert (answer.status_code, answer.json()["outcome"]) == (200, "applied")
    assert [each["message"] for each in answer.json()["problems"]] == warnings
    assert [each["line"] for each in answer.json()["problems"]] == [6] * len(warnings)


async def test_without_tokens_everybody_may_answer_and_no_name_is_wrong(make_web: MakeWeb) -> None:
    web = await make_web()
    answer = await web.client.post("/api/v1/playbooks", json={"source": ASKS.replace("BY", "[bob]")})
    assert answer.json()["problems"] == []


async def test_a_webhook_does_not_wait_for_a_large_playbook_to_be_read(web: Web) -> None:
    steps = "".join(
        f"  - {{id: s{n}, action: log, with: {{text: '${{{{ run.id }}}}', a: [1, 2]}}}}\n" for n in range(400)
    )
    large = f"playbook: large\non: {{call: {{}}}}\nsteps:\n{steps}"
    reading = asyncio.create_task(web.client.post("/api/v1/playbooks", json={"source": large}))
    await asyncio.sleep(0.01)
    answered = 0
    while not reading.done():
        answer = await web.client.post(f"/hooks/demo/{HOOK_TOKEN}", json={"title": "hot"})
        answered += answer.status_code == 202
        await asyncio.sleep(0.005)
    assert (await reading).status_code == 200
    assert answered > 1
