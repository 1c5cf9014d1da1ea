"""docs/audit.md says what the code does: its program verifies our files, its tables have our fields and
words.
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

from audit.export.chain_checking import Kind
from schemas.exported import ExportedRecord
from tests.audit.forging import changed, put_back, rows_of
from tests.audit.memory_log import export_to, history

PAGE = (Path(__file__).parents[2] / "docs" / "audit.md").read_text(encoding="utf-8")


def verified_by_the_page(file: Path) -> "subprocess.CompletedProcess[str]":
    (code,) = [
        code for code in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "DataFileReader" in code
    ]
    assert len(code.splitlines()) <= 20
    command = [sys.executable, "-c", code, str(file)]
    return subprocess.run(command, cwd=file.parent, capture_output=True, text=True, timeout=60, check=False)


async def test_the_program_of_the_page_finds_the_same_head(tmp_path: Path) -> None:
    made = await export_to(tmp_path / "all.avro", history())
    done = verified_by_the_page(tmp_path / "all.avro")
    assert (done.returncode, done.stdout) == (0, f"head {made.head}\n"), done.stderr


async def test_the_program_of_the_page_finds_the_altered_record(tmp_path: Path) -> None:
    file = tmp_path / "all.avro"
    await export_to(file, history())
    rows = rows_of(file)
    rows[20] = changed(rows[20], record='{"title":"another"}')
    put_back(file, rows)
    done = verified_by_the_page(file)
    assert (done.returncode, "record 21 is not what was exported" in done.stderr) == (1, True)


def test_every_field_of_a_row_and_every_word_of_a_verdict_is_on_the_page() -> None:
    told = {
        name
        for row in re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE)
        for name in re.findall("`(.*?)`", row)
    }
    assert told >= {*ExportedRecord.__struct_fields__, *get_args(Kind)}
