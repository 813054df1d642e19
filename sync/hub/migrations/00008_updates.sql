-- +goose Up
-- Versions that the office can stage. What is in the folder proves itself: it is signed with the release key.
CREATE TABLE bundles (
  sequence      BIGINT NOT NULL PRIMARY KEY,
  version       TEXT   NOT NULL,
  folder        TEXT   NOT NULL,             -- below the hub's directory
  added         BIGINT NOT NULL
);

-- What each terminal is to take, in waves: one opens when all before it are done, and a failure stops what has not begun.
CREATE TABLE rollouts (
  site          TEXT   NOT NULL,
  terminal      TEXT   NOT NULL,
  sequence      BIGINT NOT NULL,
  wave          BIGINT NOT NULL,             -- 1, 2, 3
  staged        BIGINT NOT NULL,
  state         TEXT   NOT NULL,             -- waiting, under way, done, failed, or left out
  words         TEXT   NOT NULL,             -- the terminal's own
  changed       BIGINT NOT NULL,
  PRIMARY KEY (site, terminal),
  FOREIGN KEY (site, terminal) REFERENCES terminals (site, terminal),
  FOREIGN KEY (sequence) REFERENCES bundles (sequence)
);

-- +goose Down
DROP TABLE rollouts;
DROP TABLE bundles;
