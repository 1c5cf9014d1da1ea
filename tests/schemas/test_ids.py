import hashlib

from schemas.ids import alert_id_for_body, alert_id_for_record, digest, run_id


def test_the_same_thing_has_the_same_id() -> None:
    assert alert_id_for_body("prod", b"{}") == alert_id_for_body("prod", b"{}")
    assert alert_id_for_record("alerts", 3, 17) == alert_id_for_record("alerts", 3, 17)
    assert run_id("restart", "a-1") == run_id("restart", "a-1")


def test_ids_never_change_because_they_are_kept_for_ever() -> None:
    assert alert_id_for_body("prod", b'{"id":"1"}') == "a-sjhzggiduvomm7qtb53wsa6f"
    assert alert_id_for_record("alerts", 3, 17) == "a-mw64xjfiqib3mfhobie4k37w"
    assert run_id("restart", "a-1") == "r-vstlxqqtvhfjtoky2oe4mudh"


def test_every_part_counts_and_parts_do_not_run_into_each_other() -> None:
    ids = {
        alert_id_for_body("ab", b"c"),
        alert_id_for_body("a", b"bc"),
        alert_id_for_record("ab", 1, 11),
        alert_id_for_record("ab", 11, 1),
        run_id("ab", "c"),
        run_id("a", "bc"),
        run_id("a", "b"),
    }
    assert len(ids) == 7


def test_a_digest_is_the_sha_256_of_the_text() -> None:
    assert digest("é") == hashlib.sha256("é".encode()).hexdigest()


def test_text_that_is_not_unicode_has_an_id_too() -> None:
    assert digest("\ud800") != digest("\ud801")
    assert run_id("restart", "\ud800").startswith("r-")
