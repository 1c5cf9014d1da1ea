"""Who may do what: roles of tokens, and this machine alone where there are none."""

import httpx
import pytest

from tests.console.conftest import BASE, MakeWeb, Web, sha256

TOKENS = {role: f"token-of-{role}" for role in ("viewer", "operator", "admin", "owner")}
MAY = {
    ("GET", "/api/v1/runs"): "viewer",
    ("GET", "/api/v1/overview"): "viewer",
    ("GET", "/api/v1/playbooks"): "viewer",
    ("GET", "/api/v1/dead-letters"): "viewer",
    ("POST", "/api/v1/runs"): "operator",
    ("POST", "/api/v1/runs/r-x/cancel"): "operator",
    ("POST", "/api/v1/playbooks/x/disable"): "operator",
    ("POST", "/api/v1/endpoints/x/alerts"): "operator",
    ("POST", "/api/v1/playbooks"): "admin",
    ("POST", "/api/v1/playbooks/x/rollback"): "admin",
    ("POST", "/api/v1/endpoints"): "admin",
    ("DELETE", "/api/v1/endpoints/x"): "admin",
    ("GET", "/api/v1/tokens"): "admin",
    ("POST", "/api/v1/tokens"): "admin",
}
ORDER = ["viewer", "operator", "admin", "owner"]


@pytest.fixture
async def guarded(make_web: MakeWeb) -> Web:
    """A web process that wants tokens, with one of each role."""
    web = await make_web(auth=True)
    for role, token in TOKENS.items():
        await web.token(f"the-{role}", role, token)
    return web


def bearing(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize(("call", "needed"), MAY.items(), ids=lambda value: str(value))
async def test_each_role_may_do_what_it_may_and_no_more(
    guarded: Web, call: tuple[str, str], needed: str
) -> None:
    for role in ORDER:
        answer = await guarded.client.request(*call, headers=bearing(TOKENS[role]))
        if ORDER.index(role) < ORDER.index(needed):
            assert answer.status_code == 403
            assert needed in answer.json()["detail"]
        else:
            assert answer.status_code not in (401, 403)


async def test_without_a_token_or_with_an_unknown_one_it_is_401(guarded: Web) -> None:
    for headers in ({}, bearing("nobody"), {"Authorization": "Basic eA=="}, bearing("")):
        answer = await guarded.client.get("/api/v1/runs", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.headers["content-type"] == "application/problem+json"


async def test_health_openapi_and_the_landing_page_need_no_token(guarded: Web) -> None:
    for path in ("/healthz", "/readyz", "/metrics", "/api/openapi.json", "/"):
        assert (await guarded.client.get(path)).status_code == 200, path


async def test_a_tokens_name_is_the_actor_of_what_is_done_with_it(guarded: Web) -> None:
    await guarded.client.post("/api/v1/endpoints", json={"name": "prod"}, headers=bearing(TOKENS["admin"]))

    assert guarded.catalog.catalog.endpoints["prod"].actor == "the-admin"


async def test_a_new_token_works_at_once_and_a_deleted_one_no_more(guarded: Web) -> None:
    owner = bearing(TOKENS["owner"])
    made = await guarded.client.post("/api/v1/tokens", json={"name": "ci", "role": "viewer"}, headers=owner)
    token = made.json()["token"]
    assert (await guarded.client.get("/api/v1/runs", headers=bearing(token))).status_code == 200

    await guarded.client.delete("/api/v1/tokens/ci", headers=owner)
    assert (await guarded.client.get("/api/v1/runs", headers=bearing(token))).status_code == 401


async def test_an_admin_cannot_make_or_remove_an_owner(guarded: Web) -> None:
    admin = bearing(TOKENS["admin"])
    made = await guarded.client.post("/api/v1/tokens", json={"name": "x", "role": "owner"}, headers=admin)
    removed = await guarded.client.delete("/api/v1/tokens/the-owner", headers=admin)

    assert (made.status_code, removed.status_code) == (403, 403)


async def test_the_owner_token_of_the_settings_makes_the_first_token(make_web: MakeWeb) -> None:
    web = await make_web(auth=True, owner_token_sha256=sha256("root"))

    made = await web.client.post(
        "/api/v1/tokens", json={"name": "ann", "role": "owner"}, headers=bearing("root")
    )

    assert made.status_code == 201
    assert (await web.client.get("/api/v1/tokens", headers=bearing(made.json()["token"]))).status_code == 200


async def test_until_the_catalog_has_been_read_a_token_is_not_refused_but_told_to_wait(guarded: Web) -> None:
    guarded.catalog.ready = False

    answer = await guarded.client.get("/api/v1/runs", headers=bearing(TOKENS["viewer"]))

    assert answer.status_code == 503
    assert answer.headers["retry-after"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "pulsebook.evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Host": "10.1.2.3:8080"},
    ],
    ids=str,
)
async def test_without_tokens_a_page_in_a_browser_cannot_ask(web: Web, headers: dict[str, str]) -> None:
    answer = await web.client.get("/api/v1/runs", headers=headers)

    assert answer.status_code == 403


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "[::1]:8080", "127.0.0.1"])
async def test_without_tokens_this_machine_may_ask_by_any_of_its_own_names(web: Web, host: str) -> None:
    own = {"Host": host, "Origin": f"http://{host}"}

    assert (await web.client.get("/api/v1/runs", headers=own)).status_code == 200


@pytest.mark.parametrize(("address", "status"), [("10.0.0.7", 403), ("::1", 200), ("127.0.0.2", 200)])
async def test_without_tokens_another_machine_cannot_ask(web: Web, address: str, status: int) -> None:
    transport = httpx.ASGITransport(app=web.app, client=(address, 40_000))  # type: ignore[arg-type]  # typed loosely
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        assert (await client.get("/api/v1/runs")).status_code == status
