"""The page of a run with steps within steps as a real Chromium lays it out, wide and on a telephone."""

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest

from tests.console.browser import PROGRAM, complaints, measured
from tests.console.conftest import Web
from tests.console.test_nesting import TREE, written
from tests.engine.run.given import RUN_ID

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PROGRAM is None, reason="no chromium and no google-chrome here"),
]
STEPS = """[...page.querySelectorAll("table")[0].tBodies[0].rows].map(row => {
  const name = document.createRange.call(page)
  name.selectNodeContents(row.cells[0])
  const box = name.getBoundingClientRect()
  return {text: row.cells[0].textContent, left: box.left, top: box.top, height: box.height,
    status: row.cells[1].textContent, told: row.cells[3].innerText}
})"""
WIDE, TELEPHONE = 1_200, 375


async def page_of(web: Web) -> tuple[str, dict[str, str]]:
    await written(web)
    answer = await web.client.get(f"/runs/{RUN_ID}")
    assert answer.status_code == 200
    return answer.text, dict(answer.headers)


@pytest.mark.parametrize("width", [WIDE, TELEPHONE])
async def test_what_stands_within_a_step_stands_below_it_and_further_right(
    web: Web, tmp_path: Path, width: int
) -> None:
    page, _ = await page_of(web)

    rows = await asyncio.to_thread(measured, page, tmp_path, width, STEPS)

    assert [row["text"].split()[0] for row in rows] == [path for path, _, _ in TREE]
    lefts = {
        depth: {round(row["left"]) for row, (_, at, _) in zip(rows, TREE, strict=True) if at == depth}
        for depth in range(3)
    }
    assert all(len(found) == 1 for found in lefts.values()), "steps of one depth stand below each other"
    assert max(lefts[0]) < max(lefts[1]) < max(lefts[2])
    assert all(one["top"] + one["height"] <= next_["top"] for one, next_ in pairwise(rows))
    assert "pulsebook run answer" in next(row["told"] for row in rows if "[0].approve" in row["text"])


@pytest.mark.parametrize("width", [WIDE, TELEPHONE])
async def test_nothing_stands_beyond_the_right_edge(web: Web, tmp_path: Path, width: int) -> None:
    page, _ = await page_of(web)

    wide = await asyncio.to_thread(measured, page, tmp_path, width, "page.documentElement.scrollWidth")

    assert wide <= width


async def test_chromium_finds_nothing_wrong_with_it_under_its_own_headers(web: Web, tmp_path: Path) -> None:
    page, headers = await page_of(web)
    kept = {name: value for name, value in headers.items() if name.startswith("content-security")}
    assert kept

    assert await asyncio.to_thread(complaints, page, kept, tmp_path) == []
    wrong = page.replace("</main>", "<script>1</script></main>")
    (refused,) = await asyncio.to_thread(complaints, wrong, kept, tmp_path)
    assert "Content Security Policy" in refused
