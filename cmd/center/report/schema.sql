-- Times are microseconds since 1970, UTC.
CREATE TABLE cursor (seq INTEGER NOT NULL);
INSERT INTO cursor VALUES (0);

-- Every change of the log, without what is secret in it.
CREATE TABLE event (
  seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL,
  status TEXT NOT NULL, seat TEXT NOT NULL, actor TEXT NOT NULL, why TEXT NOT NULL
);
CREATE INDEX event_entity ON event (kind, id, at);

-- How long an account was in a status. Open spans have no end. A lost connection is a status of its own.
CREATE TABLE status_span (account TEXT NOT NULL, status TEXT NOT NULL, began INTEGER NOT NULL, ended INTEGER);
CREATE INDEX span_account ON status_span (account, began);
CREATE INDEX span_began ON status_span (began);
CREATE UNIQUE INDEX span_open ON status_span (account) WHERE ended IS NULL;

-- The exchange's calls, one row when they are over.
CREATE TABLE call (
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL, caller TEXT NOT NULL, name TEXT NOT NULL, called TEXT NOT NULL, queue TEXT NOT NULL,
  account TEXT NOT NULL, callee TEXT NOT NULL, outside INTEGER NOT NULL, result TEXT NOT NULL, code INTEGER NOT NULL,
  began INTEGER NOT NULL, answered INTEGER, ended INTEGER NOT NULL
);
CREATE INDEX call_began ON call (began);
CREATE INDEX call_queue ON call (queue, began);
CREATE INDEX call_account ON call (account, began);

PRAGMA user_version = 1;
