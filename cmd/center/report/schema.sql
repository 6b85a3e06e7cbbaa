-- Times are microseconds since 1970, UTC.
CREATE TABLE cursor (seq INTEGER NOT NULL, at INTEGER NOT NULL);
INSERT INTO cursor VALUES (0, 0);

-- What an account was in, from one change of status, seat, terminal or session to the next; without a gap while it is signed in.
-- Open spans have no end. A lost connection is a status of its own. Who and why: of the beginning, and of the end.
CREATE TABLE status_span (
  id INTEGER PRIMARY KEY, account TEXT NOT NULL, status TEXT NOT NULL, began INTEGER NOT NULL, ended INTEGER,
  seat TEXT NOT NULL, terminal TEXT NOT NULL, session TEXT NOT NULL, machine TEXT NOT NULL,
  before INTEGER NOT NULL, -- the account's span before it; 0 none
  told INTEGER, -- when the phone told of it, of one that it kept while the center was away
  actor TEXT NOT NULL, why TEXT NOT NULL, end_actor TEXT NOT NULL DEFAULT '', end_why TEXT NOT NULL DEFAULT ''
);

-- The exchange's calls, one row when they are over.
CREATE TABLE call (
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL, caller TEXT NOT NULL, name TEXT NOT NULL, called TEXT NOT NULL, queue TEXT NOT NULL,
  account TEXT NOT NULL, callee TEXT NOT NULL, outside INTEGER NOT NULL, direction TEXT NOT NULL, result TEXT NOT NULL, code INTEGER NOT NULL,
  began INTEGER NOT NULL, answered INTEGER, ended INTEGER NOT NULL,
  why TEXT NOT NULL, message TEXT NOT NULL, reason TEXT NOT NULL, -- reason: why it was missed; "" it was not
  other TEXT, -- account of the called terminal among ourselves
  offers TEXT NOT NULL, -- JSON of exchange.OfferRecord; "" none
  moments TEXT NOT NULL, -- JSON of exchange.Moment; "" none
  hung TEXT NOT NULL, by TEXT NOT NULL -- who hung up, and who sent it on last
);

-- To whom calls of queues were offered.
CREATE TABLE offer (call INTEGER NOT NULL, account TEXT NOT NULL, at INTEGER NOT NULL, took INTEGER NOT NULL, result TEXT NOT NULL);

-- How calls sounded, as phones say at their end.
CREATE TABLE sound (
  account TEXT NOT NULL, peer TEXT NOT NULL, ended INTEGER NOT NULL, mos REAL NOT NULL, loss REAL NOT NULL, jitter REAL NOT NULL, delay REAL NOT NULL
);

-- What phones told of their calls, and what the agents wrote about them. call: the exchange's row, once there is one.
CREATE TABLE phone_call (
  account TEXT NOT NULL, began INTEGER NOT NULL, name TEXT NOT NULL, center TEXT NOT NULL DEFAULT '', answered INTEGER, ended INTEGER, inbound INTEGER NOT NULL, outside INTEGER NOT NULL,
  peer TEXT NOT NULL, queue TEXT NOT NULL, call INTEGER, outcome TEXT NOT NULL DEFAULT '', note TEXT NOT NULL DEFAULT '', noted INTEGER,
  PRIMARY KEY (account, began, name)
) WITHOUT ROWID;

-- Supervisors in conversations of agents, one row for each permission; Times are 0 where it has not come to that.
CREATE TABLE attend (
  supervisor TEXT NOT NULL, asked INTEGER NOT NULL, account TEXT NOT NULL, mode TEXT NOT NULL, began INTEGER NOT NULL, ended INTEGER NOT NULL, why TEXT NOT NULL,
  PRIMARY KEY (supervisor, asked)
) WITHOUT ROWID;

-- What the seat view shows of an account, from one change of it to the next. data: JSON of a face; "" nothing, it sits nowhere.
CREATE TABLE face (account TEXT NOT NULL, began INTEGER NOT NULL, seat TEXT NOT NULL, data TEXT NOT NULL, PRIMARY KEY (account, began)) WITHOUT ROWID;
-- Who has ever sat somewhere.
CREATE TABLE sitter (account TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID;

-- How many sit on a floor ("" all) at the beginning of a minute since 1970, as JSON of a tally; minutes in which nothing has changed have no row.
CREATE TABLE minute (floor TEXT NOT NULL, at INTEGER NOT NULL, data TEXT NOT NULL, PRIMARY KEY (floor, at)) WITHOUT ROWID;

-- When the center was away.
CREATE TABLE away (began INTEGER NOT NULL, ended INTEGER NOT NULL);

-- What administrators changed, without secrets; setting holds what each of those records is now.
CREATE TABLE audit (
  seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, what TEXT NOT NULL, why TEXT NOT NULL,
  fields TEXT NOT NULL
);
CREATE TABLE setting (kind TEXT NOT NULL, id TEXT NOT NULL, data TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID;
