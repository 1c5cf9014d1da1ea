"""What applying a playbook says of it that only the catalog knows."""

import pytest

from tests.console.conftest import MakeWeb

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
