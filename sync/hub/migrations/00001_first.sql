-- +goose Up
-- One statement text for SQLite and PostgreSQL. Instants are microseconds since
-- 1970 UTC in BIGINT, civil dates are TEXT as 2006-01-02 and '' when unknown.
-- Every table begins with the site: a query without it does not exist, so that
-- no site can see another's rows.

CREATE TABLE sites (
  site          TEXT   NOT NULL PRIMARY KEY,
  name          TEXT   NOT NULL,
  contact       TEXT   NOT NULL,             -- the data protection contact
  zone          TEXT   NOT NULL,             -- IANA time zone, in which dates are reached
  profile       TEXT   NOT NULL,             -- consent.Profile as JSON
  size          BIGINT NOT NULL DEFAULT 0,   -- entries in the register
  mail          BIGINT NOT NULL DEFAULT 0,   -- last mailbox number given out
  deeds         BIGINT NOT NULL DEFAULT 0,   -- last number of the office's log
  created       BIGINT NOT NULL
);

-- Who may use the office: people by password, programs by token.
CREATE TABLE officers (
  site          TEXT   NOT NULL REFERENCES sites(site),
  name          TEXT   NOT NULL,
  verifier      TEXT   NOT NULL,             -- Argon2id PHC, or 'token:' and SHA-256 in hex
  created       BIGINT NOT NULL,
  PRIMARY KEY (site, name)
);

CREATE TABLE subjects (
  site          TEXT   NOT NULL REFERENCES sites(site),
  subject       TEXT   NOT NULL,             -- random pseudonym
  class         TEXT   NOT NULL,             -- pupil, adult
  eighteenth    TEXT   NOT NULL,             -- the 18th birthday, never the birthday itself (A2)
  roster        TEXT   NOT NULL,             -- current, leaver, unknown
  leaves_on     TEXT   NOT NULL,
  restricted    BOOLEAN NOT NULL,            -- F5, G11
  hold          BOOLEAN NOT NULL,            -- G12
  name          TEXT   NOT NULL,
  form          TEXT   NOT NULL,
  photo         BYTEA,
  dietary       TEXT   NOT NULL,             -- JSON list of words
  pin_index     BYTEA,                       -- HMAC-SHA256 of the PIN, unique in the site
  pin_verifier  TEXT   NOT NULL,             -- Argon2id PHC
  person_rev    BIGINT NOT NULL,             -- raised whenever the person record changes
  standing      TEXT   NOT NULL,             -- JSON of the standing last entered in the register
  entry         BIGINT NOT NULL,             -- sequence number of that entry
  next_end      TEXT   NOT NULL,             -- first date at which the standing ends by itself
  PRIMARY KEY (site, subject)
);
CREATE UNIQUE INDEX subjects_pin ON subjects (site, pin_index);
CREATE INDEX subjects_end ON subjects (site, next_end);
CREATE INDEX subjects_entry ON subjects (site, entry);

-- Every adult with a say: notices and consents are per adult (A6, A7, B1).
CREATE TABLE responsible (
  site          TEXT   NOT NULL,
  subject       TEXT   NOT NULL,
  adult         TEXT   NOT NULL,
  name          TEXT   NOT NULL,             -- for the office only; never leaves the hub (F1)
  capacity      TEXT   NOT NULL,
  parental      BOOLEAN NOT NULL,            -- holds parental responsibility
  PRIMARY KEY (site, subject, adult),
  FOREIGN KEY (site, subject) REFERENCES subjects (site, subject)
);

-- Append-only: a change of mind is another row (E1).
CREATE TABLE statements (
  site          TEXT   NOT NULL,
  id            TEXT   NOT NULL,
  subject       TEXT   NOT NULL,
  body          TEXT   NOT NULL,             -- consent.Statement as JSON, as it was decided on
  recorded      BIGINT NOT NULL,
  recorded_by   TEXT   NOT NULL,
  PRIMARY KEY (site, subject, id),
  FOREIGN KEY (site, subject) REFERENCES subjects (site, subject)
);

CREATE TABLE entries (
  site          TEXT   NOT NULL REFERENCES sites(site),
  seq           BIGINT NOT NULL,             -- 1 is the first; leaf seq-1 of the tree
  subject       TEXT   NOT NULL,             -- '' for an entry about no subject
  terminal      TEXT   NOT NULL,             -- '' for every terminal
  body          BYTEA  NOT NULL,
  revokes       BOOLEAN NOT NULL,            -- takes something away that the entry before it allowed
  recorded      BIGINT NOT NULL,
  PRIMARY KEY (site, seq)
);

CREATE TABLE tree_hashes (
  site          TEXT   NOT NULL REFERENCES sites(site),
  position      BIGINT NOT NULL,             -- tlog.StoredHashIndex
  hash          BYTEA  NOT NULL,
  PRIMARY KEY (site, position)
);

CREATE TABLE terminals (
  site          TEXT   NOT NULL REFERENCES sites(site),
  terminal      TEXT   NOT NULL,
  sign_key      BYTEA  NOT NULL,             -- Ed25519 public key: requests, envelopes, receipts
  seal_key      BYTEA  NOT NULL,             -- HPKE public key: people, templates
  joined        BIGINT NOT NULL,
  since         BIGINT NOT NULL,             -- entries there were before it joined: it never held those
  removed       BOOLEAN NOT NULL,            -- no longer of the site: answered with 403
  reported      BIGINT NOT NULL,             -- the sequence that it says it has applied
  status        TEXT   NOT NULL,             -- its last register.Status as JSON, '' before the first
  contact       BIGINT NOT NULL,             -- when it last made a signed request
  PRIMARY KEY (site, terminal)
);

CREATE TABLE join_tokens (
  hash          BYTEA  NOT NULL PRIMARY KEY, -- SHA-256; the token itself is not kept
  site          TEXT   NOT NULL REFERENCES sites(site),
  name          TEXT   NOT NULL,             -- what the terminal will be called
  expires       BIGINT NOT NULL,
  used_by       TEXT   NOT NULL              -- terminal id, '' while unused
);

-- Templates on their way: each sealed to one terminal, never readable here.
CREATE TABLE mailbox (
  site          TEXT   NOT NULL REFERENCES sites(site),
  number        BIGINT NOT NULL,             -- order of arrival
  id            TEXT   NOT NULL,             -- Envelope.ID, so that a repeat is one row
  recipient     TEXT   NOT NULL,
  subject       TEXT   NOT NULL,
  envelope      BYTEA  NOT NULL,
  posted        BIGINT NOT NULL,
  PRIMARY KEY (site, number),
  UNIQUE (site, id)
);
CREATE INDEX mailbox_recipient ON mailbox (site, recipient, number);
CREATE INDEX mailbox_subject ON mailbox (site, subject);

-- What terminals reported: receipts whose signature was verified, refusals
-- at the till, alerts. Append-only.
CREATE TABLE reports (
  site          TEXT   NOT NULL REFERENCES sites(site),
  terminal      TEXT   NOT NULL,
  id            TEXT   NOT NULL,             -- the terminal's, so that a repeat is one row
  kind          TEXT   NOT NULL,
  seq           BIGINT NOT NULL,
  subject       TEXT   NOT NULL,
  happened      BIGINT NOT NULL,             -- by the terminal's clock
  operator      TEXT   NOT NULL,
  body          TEXT   NOT NULL,
  received      BIGINT NOT NULL,
  PRIMARY KEY (site, terminal, id)
);
CREATE INDEX reports_subject ON reports (site, subject);
CREATE INDEX reports_received ON reports (site, received);

-- What the office did, by whom; append-only.
CREATE TABLE deeds (
  site          TEXT   NOT NULL REFERENCES sites(site),
  number        BIGINT NOT NULL,
  at            BIGINT NOT NULL,
  officer       TEXT   NOT NULL,
  deed          TEXT   NOT NULL,
  about         TEXT   NOT NULL,             -- subject or terminal; never a name
  PRIMARY KEY (site, number)
);

-- +goose Down
DROP TABLE deeds;
DROP TABLE reports;
DROP TABLE mailbox;
DROP TABLE join_tokens;
DROP TABLE terminals;
DROP TABLE tree_hashes;
DROP TABLE entries;
DROP TABLE statements;
DROP TABLE responsible;
DROP TABLE subjects;
DROP TABLE officers;
DROP TABLE sites;
