"""What would be different for the alerts of a period: what starts, what does not, what is held back; why."""

from tests.audit.whatif.history import HOUR_MS, MINUTE_MS, SECOND_MS, START_MS, History

RESTART = """
playbook: restart
on: {alert: {tags: {service: checkout}}}
admission: {cooldown: 10m}
steps:
  - {id: note, action: log, with: {message: "${{ alert.title }}"}}
  - {id: fix, action: http.request, with: {method: POST, url: "https://fix.internal/x"}}
"""
OTHER = """
playbook: other
on: {alert: {tags: {service: search}}}
steps: [{id: note, action: log}]
"""


async def test_the_active_playbooks_would_change_nothing() -> None:
    past = History(RESTART, OTHER)
    past.comes(0)
    told = await past.asked(RESTART, OTHER)
    assert (told.report.changed, told.report.worlds.looked_at) == (0, frozenset())
    every = await past.asked(RESTART, OTHER, every=True)
    assert every.changes == []
    assert every.report.tallies["restart"].started == (1, 1)


async def test_a_tag_that_is_asked_for_no_longer_lets_alerts_through_and_names_the_clause() -> None:
    past = History(RESTART)
    past.comes(0)
    past.comes(HOUR_MS, tag_list=("service:checkout", "env:dev"))
    told = await past.asked(RESTART.replace("service: checkout", "service: checkout, env: prod"))
    assert told.how == [(f"a-{HOUR_MS}", "no_longer_starts")]
    assert "does not match (tags" in told.changes[0].after.text
    assert told.changes[0].on_record
    assert told.report.tallies["restart"].matched == (2, 1)


async def test_a_wider_trigger_starts_more_and_their_steps_are_assumed() -> None:
    past = History(RESTART)
    past.comes(0)
    past.comes(MINUTE_MS, tag_list=("service:search",), cycle_key="c2", scope="service:search")
    told = await past.asked(RESTART.replace("service: checkout", "service: [checkout, search]"))
    assert told.how == [(f"a-{MINUTE_MS}", "starts")]
    change = told.changes[0]
    assert (change.assumed, change.on_record) == (("fix", "note"), False)
    assert told.steps() == {"note": "now_runs", "fix": "now_runs"}
    assert change.before.text.startswith("does not match (tags")


async def test_a_longer_cooldown_holds_back_and_names_the_rule() -> None:
    past = History(RESTART)
    for minute in (0, 15, 30):
        past.comes(minute * MINUTE_MS, cycle_key=f"c{minute}")
    told = await past.asked(RESTART.replace("cooldown: 10m", "cooldown: 20m"))
    assert told.how == [(f"a-{15 * MINUTE_MS}", "no_longer_starts")]
    assert "held back (cooldown: a run with this key started" in told.changes[0].after.text
    assert told.report.tallies["restart"].held[1] == {"cooldown": 1}


async def test_what_is_held_back_in_one_world_lets_another_alert_through() -> None:
    past = History(RESTART)
    for minute in (0, 5, 12):
        past.comes(minute * MINUTE_MS, cycle_key=f"c{minute}")
    told = await past.asked(RESTART.replace("service: checkout", "service: checkout, env: staging"))
    assert [one for one in told.how if one[1] == "no_longer_starts"] == [
        ("a-0", "no_longer_starts"),
        (f"a-{12 * MINUTE_MS}", "no_longer_starts"),
    ]
    assert (f"a-{5 * MINUTE_MS}", "no_longer_matches") in told.how


async def test_a_run_that_takes_longer_lets_the_next_one_wait() -> None:
    slow = """
playbook: slow
on: {alert: {}}
admission: {key: alert.monitor_id, while_running: queue}
steps: [{wait: {for: 1s}}]
"""
    past = History(slow)
    past.comes(0)
    past.comes(30 * SECOND_MS, cycle_key="c2")
    told = await past.asked(slow.replace("for: 1s", "for: 1m"))
    assert told.how == [(f"a-{30 * SECOND_MS}", "waits")]
    assert told.changes[0].after.text == "starts after waiting for while_running, succeeded"


async def test_a_new_playbook_starts_and_one_that_is_pruned_does_not() -> None:
    past = History(RESTART)
    past.comes(0)
    new = RESTART.replace("playbook: restart", "playbook: renamed")
    told = await past.asked(new)
    assert dict(told.report.worlds.standing) == {"renamed": "new", "restart": "same"}
    assert [(one.playbook, one.how, one.before.text) for one in told.changes] == [
        ("renamed", "starts", "there is no such playbook")
    ]
    pruned = await past.asked(new, prune=True)
    assert pruned.report.worlds.standing["restart"] == "gone"
    assert [(one.playbook, one.how) for one in pruned.changes] == [
        ("renamed", "starts"),
        ("restart", "no_longer_starts"),
    ]


async def test_a_disabled_playbook_stays_disabled() -> None:
    past = History(RESTART, disabled=["restart"])
    past.comes(0)
    told = await past.asked(RESTART.replace("cooldown: 10m", "cooldown: 20m"))
    assert told.changes == []


async def test_only_the_alerts_of_the_period_count() -> None:
    past = History(RESTART)
    for hour in range(4):
        past.comes(hour * HOUR_MS, cycle_key=f"c{hour}")
    told = await past.asked(
        RESTART.replace("service: checkout", "service: nothing"),
        from_ms=START_MS + HOUR_MS,
        to_ms=START_MS + 3 * HOUR_MS,
    )
    assert [alert for alert, _ in told.how] == [f"a-{HOUR_MS}", f"a-{2 * HOUR_MS}"]
    assert told.report.gathered.alerts == 2


async def test_a_recovery_drops_what_waits_and_cancels_what_runs_if_the_playbook_says_so() -> None:
    waiting = """
playbook: waiting
on: {alert: {}}
steps:
  - {id: healed, wait: {until: recovered, timeout: 10m}}
  - {id: page, if: "!steps.healed.output.recovered", action: log}
"""
    past = History(waiting)
    past.comes(0)
    past.recovers(MINUTE_MS)
    told = await past.asked(waiting.replace("steps:", "admission: {on_recovered: {running: cancel}}\nsteps:"))
    assert told.how == [("a-0", "other_steps")]
    assert told.changes[0].after.text.startswith("starts, cancelled")
    longer = await past.asked(waiting.replace("timeout: 10m", "timeout: 30s"))
    assert longer.steps() == {"page": "now_runs"}
