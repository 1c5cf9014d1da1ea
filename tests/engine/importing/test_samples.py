"""Playbooks of StackPulse with each of its features, written for this, and what becomes of them."""

import re
from pathlib import Path

import pytest

from connectors.actions.registry import specs
from engine.importing.stackpulse import Imported, imported
from engine.yaml_text import read_yaml

FOLDER = Path(__file__).parent / "samples"
SAMPLES = sorted(path for path in FOLDER.glob("*.yaml") if not path.stem.endswith(".expected"))


def the_import(path: Path) -> Imported:
    found = imported(path.read_text("utf-8"), path.name, specs())
    assert found.problems == ()
    return found


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_becomes_what_is_written_beside_it(path: Path) -> None:
    assert the_import(path).playbook == path.with_suffix(".expected.yaml").read_text("utf-8")


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_our_own_reader_takes_what_comes_out(path: Path) -> None:
    assert the_import(path).lint == ()


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_every_note_names_a_place_of_the_source_and_is_in_the_playbook(path: Path) -> None:
    found = the_import(path)
    lines = path.read_text("utf-8").splitlines()
    comments = " ".join(re.sub(r"^ *#", "", found.playbook, flags=re.MULTILINE).split())
    assert found.notes
    for note in found.notes:
        assert 1 <= note.line <= len(lines)
        assert 1 <= note.column <= len(lines[note.line - 1]) + 1
        assert " ".join(note.message.split()) in comments


def test_all_features_of_the_format_are_among_the_samples() -> None:
    text = "".join(path.read_text("utf-8") for path in SAMPLES)
    for feature in (
        *("type: var", "type: secret", "type: integration", "type: spd", "default:", "foreach", "range:"),
        *("break:", "when:", "ignoreFailure", "interactive", "envFrom", "runner:", "args:", "output_parser"),
        *("$.event", "$.metadata", "$.params", "{{ .", "[:]", "{{ if", "{{ range", "{{ else }}"),
    ):
        assert feature in text, feature


def test_comments_of_the_source_stay_where_they_were() -> None:
    made = the_import(FOLDER / "groups.yaml").playbook
    assert "  # Only in production.\n  - id: note\n" in made
    assert "      # The worst.\n      down:\n" in made


def test_a_step_that_nobody_can_do_here_fails_and_does_not_pretend() -> None:
    made = read_yaml(the_import(FOLDER / "parameters.yaml").playbook).plain()
    assert made["inputs"]["step_programs"]["default"] == "https://step-programs.invalid"
    assert made["steps"][0]["with"]["url"] == "${{ inputs.step_programs }}/example/volume-report"
    assert made["steps"][0]["action"] == "http.request"
