-- +goose Up
-- Halves of terminals' root keys: a terminal that is taken away from this hub
-- opens nothing. Only the newest half is kept; older ones cannot be computed
-- from it.
CREATE TABLE shares (
  site          TEXT   NOT NULL,
  terminal      TEXT   NOT NULL,
  epoch         BIGINT NOT NULL,
  half          BYTEA  NOT NULL,
  fetch_key     BYTEA  NOT NULL,             -- Ed25519 public key: signs questions
  PRIMARY KEY (site, terminal),
  FOREIGN KEY (site, terminal) REFERENCES terminals (site, terminal)
);

-- +goose Down
DROP TABLE shares;
