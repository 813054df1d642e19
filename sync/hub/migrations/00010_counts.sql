-- +goose Up
-- How long a terminal's log and queue were, one row each time that a status told another number (J3). What else it
-- holds changes seldom and stands in inventories. Append-only.
CREATE TABLE inventory_counts (
  site          TEXT   NOT NULL,
  terminal      TEXT   NOT NULL,
  received      BIGINT NOT NULL,
  log           BIGINT NOT NULL,
  queue         BIGINT NOT NULL,
  PRIMARY KEY (site, terminal, received),
  FOREIGN KEY (site, terminal) REFERENCES terminals (site, terminal)
);

-- +goose Down
DROP TABLE inventory_counts;
