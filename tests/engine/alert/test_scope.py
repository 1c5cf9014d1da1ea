"""What expressions see of an alert."""

from engine.alert.scope import alert_scope, tag_map
from engine.playbook.names import ALERT_NAMES
from schemas.alerts import Alert
from tests.engine.alert.builders import an_alert


def test_the_scope_has_exactly_the_names_that_playbooks_may_use() -> None:
    assert set(alert_scope(an_alert())) == set(ALERT_NAMES)


def test_what_an_alert_lacks_is_empty_and_never_unset() -> None:
    scope = alert_scope(Alert(id="a-1", source=""))

    assert [name for name, value in scope.items() if value] == ["alert.id"]


def test_a_tag_with_several_values_is_a_list_and_all_others_are_text() -> None:
    tags = ("monitor", "env:prod", "env:staging", "env:prod", "url:https://a:1/b", "team:a", "team:a")

    assert tag_map(tags) == {
        "monitor": "",
        "env": ["prod", "staging"],
        "url": "https://a:1/b",
        "team": "a",
    }


def test_the_group_is_what_the_scope_names_with_log_attributes() -> None:
    scope = alert_scope(an_alert(scope="@http.status_code:500, service:web,"))

    assert scope["alert.group"] == {"@http.status_code": "500", "service": "web"}
    assert alert_scope(an_alert(scope="*"))["alert.group"] == {}


def test_times_are_text_in_utc() -> None:
    scope = alert_scope(an_alert(at_ms=1_795_316_672_005, last_updated_ms=0))

    assert scope["alert.at"] == "2026-11-22T03:04:32.005Z"
    assert scope["alert.last_updated"] == ""
