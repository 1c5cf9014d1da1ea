"""The example alert is what Datadog sends with the recommended payload."""

import json

from cli.endpoint import payload
from cli.example import example_alert, example_body
from engine.alert.normalising import normalise
from schemas.alerts import Alert


def test_it_has_the_shape_of_the_recommended_payload() -> None:
    recommended, example = json.loads(payload()), example_alert()
    assert set(example) == set(recommended)
    assert set(example["metadata"]) == set(recommended["metadata"])


def test_it_is_understood_whole() -> None:
    alert = normalise(example_body(), "application/json")
    assert isinstance(alert, Alert)
    assert alert.monitor_id == "12345"
    assert alert.transition == "Triggered"
    assert "service:checkout" in alert.tag_list


def test_every_one_is_a_new_incident_of_its_own_time() -> None:
    first, second = example_alert(1_000), example_alert(2_000)
    assert first["id"] != second["id"]
    assert (first["date"], second["date"]) == ("1000", "2000")
    assert int(first["id"]) < 2**63
