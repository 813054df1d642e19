-- +goose Up
-- The last head of each terminal's audit log that was countersigned. It may
-- only grow; one that does not continue it is an old card put back.
CREATE TABLE witnessed (
  site          TEXT   NOT NULL,
  terminal      TEXT   NOT NULL,
  size          BIGINT NOT NULL,             -- records; 0 before the first
  root          BYTEA  NOT NULL,
  head          TEXT   NOT NULL,             -- the checkpoint with both signatures
  history       TEXT   NOT NULL,             -- audit.History from the head before; '' for the first of a log
  refetch       BIGINT NOT NULL,             -- the Refetch command that must be carried out first; 0 for none
  seen          BIGINT NOT NULL,
  PRIMARY KEY (site, terminal),
  FOREIGN KEY (site, terminal) REFERENCES terminals (site, terminal)
);

-- +goose Down
DROP TABLE witnessed;
