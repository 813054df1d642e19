-- +goose Up

-- Requests for access (G1 to G3): asked for by one officer, confirmed by another (G13).
CREATE TABLE exports (
  site          TEXT   NOT NULL REFERENCES sites(site),
  id            TEXT   NOT NULL,
  subject       TEXT   NOT NULL,
  recipient     TEXT   NOT NULL,             -- age recipient
  requester     TEXT   NOT NULL,             -- who asked the school
  identity      TEXT   NOT NULL,             -- how that was checked
  asked         BIGINT NOT NULL,
  asked_by      TEXT   NOT NULL,
  confirmed     BIGINT NOT NULL,             -- 0 until then
  confirmed_by  TEXT   NOT NULL,
  PRIMARY KEY (site, id),
  FOREIGN KEY (site, subject) REFERENCES subjects (site, subject)
);

-- What each terminal was asked for, and its part, sealed to the recipient and not readable here.
CREATE TABLE export_parts (
  site          TEXT   NOT NULL,
  id            TEXT   NOT NULL,
  terminal      TEXT   NOT NULL,
  sealed        BYTEA,                       -- NULL while awaited
  received      BIGINT NOT NULL,
  PRIMARY KEY (site, id, terminal),
  FOREIGN KEY (site, id) REFERENCES exports (site, id)
);

-- What a terminal said that it holds, one row each time that changed: the answer to "what was on it" after it
-- is gone (J3, J4). Append-only.
CREATE TABLE inventories (
  site          TEXT   NOT NULL,
  terminal      TEXT   NOT NULL,
  received      BIGINT NOT NULL,
  status        TEXT   NOT NULL,             -- register.Status as JSON
  PRIMARY KEY (site, terminal, received),
  FOREIGN KEY (site, terminal) REFERENCES terminals (site, terminal)
);

-- +goose Down
DROP TABLE inventories;
DROP TABLE export_parts;
DROP TABLE exports;
