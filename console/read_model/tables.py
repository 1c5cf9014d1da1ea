"""The tables of the read model. A cache of the topics: any change of their form makes it anew from the log.

Columns hold what lists filter, sort and show; the whole record lies beside them as it came (`record`), so
that nothing is encoded twice and a new view needs no new column. Dead letters may be large and stay on their
topic.
"""

VERSION = 4
"""Form of the tables (`user_version`). Another one in a file: the file is made again."""

TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- Next offset to read. Written in the transaction that wrote the rows.
CREATE TABLE positions (
    topic TEXT NOT NULL, partition INTEGER NOT NULL, next INTEGER NOT NULL, PRIMARY KEY (topic, partition)
) WITHOUT ROWID;

-- A run, or what would have been one (queued, dropped, held back: `seq` is then 0).
CREATE TABLE runs (
    run_id TEXT PRIMARY KEY,
    at_ms INTEGER NOT NULL,            -- earliest time known; lists are sorted by it
    playbook TEXT NOT NULL,
    status TEXT NOT NULL,
    revision TEXT NOT NULL DEFAULT '',
    via TEXT NOT NULL DEFAULT '',
    actor TEXT NOT NULL DEFAULT '',
    request_id TEXT NOT NULL DEFAULT '',
    alert_id TEXT NOT NULL DEFAULT '',
    title TEXT NOT NULL DEFAULT '',    -- of its alert
    started_at_ms INTEGER,
    ended_at_ms INTEGER,
    kind TEXT NOT NULL DEFAULT '',
    step TEXT NOT NULL DEFAULT '',
    message TEXT NOT NULL DEFAULT '',
    journaled INTEGER NOT NULL DEFAULT 0,    -- 1: the journal has spoken, decisions no longer change it
    decided_offset INTEGER NOT NULL DEFAULT -1,
    live TEXT NOT NULL DEFAULT '{}'    -- JSON: path of each step under way to whether it waits
) WITHOUT ROWID;
CREATE INDEX runs_at ON runs (at_ms, run_id);
CREATE INDEX runs_status_at ON runs (status, at_ms, run_id);
CREATE INDEX runs_playbook_at ON runs (playbook, at_ms, run_id);
CREATE INDEX runs_alert ON runs (alert_id) WHERE alert_id <> '';

CREATE TABLE run_records (
    run_id TEXT NOT NULL, seq INTEGER NOT NULL, at_ms INTEGER NOT NULL, record BLOB NOT NULL,
    UNIQUE (run_id, seq)
);

CREATE TABLE alerts (
    alert_id TEXT PRIMARY KEY,
    at_ms INTEGER NOT NULL,            -- received
    endpoint TEXT NOT NULL,
    title TEXT NOT NULL,
    transition TEXT NOT NULL,
    monitor_id TEXT NOT NULL,
    scope TEXT NOT NULL,
    partition INTEGER NOT NULL,
    "offset" INTEGER NOT NULL,
    matched TEXT NOT NULL,             -- JSON list of playbooks
    unparsable TEXT NOT NULL,
    recovery INTEGER NOT NULL,
    decided_at_ms INTEGER NOT NULL,    -- when its decision was written
    record BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX alerts_at ON alerts (at_ms, alert_id);
CREATE INDEX alerts_endpoint_at ON alerts (endpoint, at_ms, alert_id);

CREATE TABLE decided (
    request_id TEXT NOT NULL, playbook TEXT NOT NULL, partition INTEGER NOT NULL, "offset" INTEGER NOT NULL,
    decision TEXT NOT NULL, alert_id TEXT NOT NULL, run_id TEXT NOT NULL, at_ms INTEGER NOT NULL,
    record BLOB NOT NULL,
    PRIMARY KEY (request_id, playbook, partition, "offset", decision)
) WITHOUT ROWID;
CREATE INDEX decided_alert ON decided (alert_id) WHERE alert_id <> '';
CREATE INDEX decided_run ON decided (run_id);
CREATE INDEX decided_at ON decided (at_ms);

CREATE TABLE publications (
    partition INTEGER NOT NULL, "offset" INTEGER NOT NULL, run_id TEXT NOT NULL, at_ms INTEGER NOT NULL,
    record BLOB NOT NULL,
    PRIMARY KEY (partition, "offset")
) WITHOUT ROWID;
CREATE INDEX publications_run ON publications (run_id);
CREATE INDEX publications_at ON publications (at_ms, partition, "offset");

CREATE TABLE dead_letters (
    partition INTEGER NOT NULL, "offset" INTEGER NOT NULL, at_ms INTEGER NOT NULL,
    topic TEXT NOT NULL, origin_partition INTEGER NOT NULL, origin_offset INTEGER NOT NULL,
    stage TEXT NOT NULL, reason TEXT NOT NULL,
    about TEXT NOT NULL,               -- the run or alert that the message names; empty where it does not
    state TEXT NOT NULL DEFAULT 'open',    -- or how it was dealt with the last time: redriven, dropped
    PRIMARY KEY (partition, "offset")
) WITHOUT ROWID;
CREATE INDEX dead_letters_at ON dead_letters (at_ms, partition, "offset");
CREATE INDEX dead_letters_state_at ON dead_letters (state, at_ms, partition, "offset");
CREATE INDEX dead_letters_about ON dead_letters (about) WHERE about <> '';
CREATE INDEX dead_letters_origin ON dead_letters (topic, origin_partition, origin_offset);

-- What was done about a letter; `handled_offset` is in the letter's partition.
CREATE TABLE letters_handled (
    partition INTEGER NOT NULL, "offset" INTEGER NOT NULL, handled_offset INTEGER NOT NULL,
    topic TEXT NOT NULL, to_partition INTEGER, to_offset INTEGER,    -- where its message lies again
    record BLOB NOT NULL,
    PRIMARY KEY (partition, "offset", handled_offset)
) WITHOUT ROWID;
CREATE INDEX letters_handled_to ON letters_handled (topic, to_partition, to_offset) WHERE topic <> '';

-- Runs that heard of a recovery, by the alert that says so.
CREATE TABLE recoveries (
    alert_id TEXT NOT NULL, run_id TEXT NOT NULL, at_ms INTEGER NOT NULL, PRIMARY KEY (alert_id, run_id)
) WITHOUT ROWID;
CREATE INDEX recoveries_run ON recoveries (run_id);
"""
