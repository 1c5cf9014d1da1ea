"""/runs/{id}: the page where the link in a report leads."""

import base64
from html.parser import HTMLParser

import pytest

from cli.compose_streams import RUNS_PATH
from console.markup import SHOWN_CHARS_MAX
from schemas.alerts import Alert
from schemas.events import Reported, StepFailed, StepSucceeded
from schemas.publications import Refused
from schemas.topics import DECISIONS, PUBLICATIONS, RUN_JOURNAL
from tests.console.conftest import MakeWeb, Web
from tests.console.samples import (
    ALERT,
    FINISHED,
    PUBLISHED,
    REQUESTED,
    RUN,
    STARTED,
    WHOLE_RUN,
    decided,
    journal,
    with_fields,
)

PAGE = f"{RUNS_PATH}{RUN}"
NASTY = "</td><script>alert(1)</script><img src=x onerror=\"x\" title='&amp;'>"
VOID = {"meta", "br"}
TOKEN = "token-of-a-viewer"


class Parsed(HTMLParser):
    """The page as a browser would take it: elements, their attributes, text; each is closed in its turn."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


async def test_the_page_tells_status_alert_steps_times_and_what_was_published(web: Web) -> None:
    await web.written(RUN_JOURNAL, RUN, *WHOLE_RUN)
    await web.written(PUBLICATIONS, RUN, with_fields(PUBLISHED, url="https://app.datadoghq.com/event/777"))
    await web.written(DECISIONS, ALERT, decided("started"))

    answer = await web.client.get(PAGE)

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    page = Parsed(answer.text)
    for told in (
        "Run of restart: succeeded",
        f"p95 is high ({ALERT})",
        "look http.request",
        "took 250 ms",
        '{ "status": 200 }',
        '{ "p95": 4.2 }',
        "1970-01-01 00:00:01.100 UTC",
        "mitigated",
        "event 777",
        "started",
    ):
        assert told in page.text, told
    assert ("a", "href", "https://app.datadoghq.com/event/777") in page.attributes


async def test_the_page_is_for_everybody_and_runs_no_script(web: Web) -> None:
    await web.written(RUN_JOURNAL, RUN, *WHOLE_RUN)

    answer = await web.client.get(PAGE)

    page = Parsed(answer.text)
    assert ("html", "lang", "en") in page.attributes
    assert page.tags.count("h1") == page.tags.count("main") == page.tags.count("title") == 1
    assert {value for tag, name, value in page.attributes if (tag, name) == ("th", "scope")} == {"col", "row"}
    assert page.tags.count("th") == sum(tag == "th" and name == "scope" for tag, name, _ in page.attributes)
    assert ("time", "datetime", "1970-01-01T00:00:01.000+00:00") in page.attributes
    assert not {"script", "form", "iframe", "img", "link"} & set(page.tags)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"


async def test_a_failed_step_tells_why(web: Web) -> None:
    failed = StepFailed(step="look", attempt=1, kind="timeout", message="no answer in 1 s", status="failed")
    ended = with_fields(FINISHED, status="failed", kind="timeout", step="look", message="no answer in 1 s")
    await web.written(RUN_JOURNAL, RUN, journal(1, STARTED, REQUESTED), journal(2, failed, ended))

    page = Parsed((await web.client.get(PAGE)).text)

    assert "Run of restart: failed" in page.text
    assert "timeout : no answer in 1 s" in page.text
    assert "timeout in look" in page.text


async def test_nothing_that_comes_from_outside_is_taken_for_markup(web: Web) -> None:
    started = with_fields(
        STARTED, playbook=NASTY, alert=Alert(id=NASTY, title=NASTY), inputs={NASTY: NASTY}, actor=NASTY
    )
    done = StepSucceeded(step="look", attempt=1, output=[NASTY], started_at_ms=1, duration_ms=1)
    told = Reported(kind="succeeded", title=NASTY, text=NASTY, alert_type="success")
    ended = with_fields(FINISHED, outputs={NASTY: [NASTY]})
    requested = with_fields(REQUESTED, action=NASTY)
    await web.written(
        RUN_JOURNAL, RUN, journal(1, started, requested, playbook=NASTY), journal(2, done, told, ended)
    )
    published = with_fields(PUBLISHED, sent={"title": NASTY, "text": NASTY}, event_id=NASTY)
    await web.written(
        PUBLICATIONS,
        RUN,
        with_fields(published, url='https://x/"><script>'),
        with_fields(published, index=2, url="javascript:alert(1)"),
        Refused(run_id=RUN, seq=2, index=3, status=400, reason=NASTY, sent=NASTY, at_ms=1),
    )
    await web.written(DECISIONS, ALERT, decided("started", rule=NASTY, reason=NASTY))

    page = Parsed((await web.client.get(PAGE)).text)

    assert not {"script", "img"} & set(page.tags)
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert [value for _, name, value in page.attributes if name == "href"] == ['https://x/"><script>']
    assert page.text.count("onerror") >= 12


async def test_a_large_value_is_cut_and_says_so(web: Web) -> None:
    done = StepSucceeded(step="look", attempt=1, output="x" * 50_000, started_at_ms=1, duration_ms=1)
    await web.written(RUN_JOURNAL, RUN, journal(1, STARTED, REQUESTED), journal(2, done))

    answer = await web.client.get(PAGE)

    assert len(answer.content) < SHOWN_CHARS_MAX + 5_000
    assert "50,002 characters; the API has the whole" in Parsed(answer.text).text


async def test_a_candidate_that_never_ran_has_a_page(web: Web) -> None:
    await web.written(DECISIONS, ALERT, decided("held_back", rule="while_running", reason="one is running"))

    assert "while_running: one is running" in Parsed((await web.client.get(PAGE)).text).text


async def test_an_unknown_run_is_a_page_with_404(web: Web) -> None:
    answer = await web.client.get(f"{RUNS_PATH}<b>x")

    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "no run <b>x is known" in Parsed(answer.text).text


@pytest.mark.parametrize(
    "given", [{}, {"Authorization": "Bearer no"}, {"Authorization": "Basic %%"}], ids=str
)
async def test_where_tokens_are_wanted_nothing_is_told_without_one(
    make_web: MakeWeb, given: dict[str, str]
) -> None:
    web = await make_web(auth=True)
    await web.written(RUN_JOURNAL, RUN, *WHOLE_RUN)

    known = await web.client.get(PAGE, headers=given)
    other = await web.client.get(f"{RUNS_PATH}r-other", headers=given)

    assert known.status_code == other.status_code == 401
    assert known.text == other.text
    assert "restart" not in known.text and "p95" not in known.text
    assert known.headers["www-authenticate"].startswith("Basic ")
    assert "default-src 'none'" in known.headers["content-security-policy"]


async def test_a_viewers_token_opens_it_as_bearer_and_as_the_password_a_browser_asks_for(
    make_web: MakeWeb,
) -> None:
    web = await make_web(auth=True)
    await web.token("ann", "viewer", TOKEN)
    await web.written(RUN_JOURNAL, RUN, *WHOLE_RUN)
    basic = base64.b64encode(f"ann:{TOKEN}".encode()).decode()

    for given in (f"Bearer {TOKEN}", f"Basic {basic}"):
        assert (await web.client.get(PAGE, headers={"Authorization": given})).status_code == 200
    in_api = await web.client.get(f"/api/v1/runs/{RUN}", headers={"Authorization": f"Basic {basic}"})
    assert in_api.status_code == 401


async def test_without_tokens_only_this_machine_sees_it(web: Web) -> None:
    await web.written(RUN_JOURNAL, RUN, *WHOLE_RUN)

    answer = await web.client.get(PAGE, headers={"Host": "pulsebook.example.com"})

    assert answer.status_code == 403
    assert "p95" not in answer.text


async def test_until_the_log_has_been_read_a_token_is_told_to_wait(make_web: MakeWeb) -> None:
    web = await make_web(auth=True)
    web.catalog.ready = False

    answer = await web.client.get(PAGE, headers={"Authorization": "Bearer x"})

    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert answer.headers["content-type"].startswith("text/html")
