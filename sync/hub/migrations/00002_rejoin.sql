-- +goose Up
-- Terminals that have lost their keys and ask to be let in again. A row says
-- nothing until somebody at the office keys in the code that the terminal shows.
CREATE TABLE rejoins (
  site          TEXT   NOT NULL REFERENCES sites(site),
  terminal      TEXT   NOT NULL,             -- its new name
  was           TEXT   NOT NULL,             -- the terminal that it says it was
  sign_key      BYTEA  NOT NULL,
  seal_key      BYTEA  NOT NULL,
  code          TEXT   NOT NULL,             -- register.RejoinRequest.Code
  asked         BIGINT NOT NULL,             -- when it asked last
  PRIMARY KEY (site, code)
);

-- +goose Down
DROP TABLE rejoins;
