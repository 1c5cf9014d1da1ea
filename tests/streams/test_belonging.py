"""Databases are used with the changelogs that they were filled from, and with no others."""

from pathlib import Path

from streams.belonging import FILE, ahead, not_ours

OURS = {"p.processor-runs-changelog": "id-1", "p.processor-matched-changelog": "id-2"}


def test_a_new_folder_belongs_to_who_comes_first(tmp_path: Path) -> None:
    assert not_ours(tmp_path, OURS) == ""
    assert not_ours(tmp_path, OURS) == ""


def test_a_changelog_that_was_made_again_is_another_one_and_the_way_out_is_said(tmp_path: Path) -> None:
    not_ours(tmp_path, OURS)
    why = not_ours(tmp_path, {**OURS, "p.processor-runs-changelog": "id-9"})
    assert "p.processor-runs-changelog (its id was id-1, now it is id-9)" in why
    assert f"the folder {tmp_path} belongs to another" in why
    assert "set the folder aside" in why
    assert not_ours(tmp_path, OURS) == "", "nothing was forgotten"


def test_a_table_that_comes_later_is_added(tmp_path: Path) -> None:
    not_ours(tmp_path, OURS)
    assert not_ours(tmp_path, {"p.new-changelog": "id-3"}) == ""
    assert "p.new-changelog" in not_ours(tmp_path, {"p.new-changelog": "id-4"})
    assert not_ours(tmp_path, OURS) == ""


def test_a_file_that_was_cut_or_is_something_else_says_nothing(tmp_path: Path) -> None:
    for text in ("", '{"p.processor', "[]"):
        (tmp_path / FILE).write_text(text)
        assert not_ours(tmp_path, OURS) == ""
        assert not_ours(tmp_path, OURS) == ""


def test_who_is_ahead_of_its_changelogs_is_told_the_way_out_in_one_line(tmp_path: Path) -> None:
    said = ahead(tmp_path, ValueError("The persisted offset for TP(0) is higher\nthan the last offset"))
    assert f"the folder {tmp_path} has more than its changelogs" in said
    assert "is higher" in said
    assert "\n" not in said
