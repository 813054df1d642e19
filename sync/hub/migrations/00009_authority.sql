-- +goose Up
-- Each site's own certificate authority. Its key is sealed under one derived from a key file, so that a copy of the
-- database alone signs nothing.
CREATE TABLE authorities (
  site          TEXT   NOT NULL PRIMARY KEY,
  sealed_key    BYTEA  NOT NULL,             -- PKCS #8
  certificate   BYTEA  NOT NULL,             -- X.509
  FOREIGN KEY (site) REFERENCES sites (site)
);

-- Browsers that may work the site's tills. Their keys are not kept.
CREATE TABLE browsers (
  site          TEXT   NOT NULL,
  serial        TEXT   NOT NULL,             -- hexadecimal
  name          TEXT   NOT NULL,             -- of the machine
  technician    BOOLEAN NOT NULL,
  issued        BIGINT NOT NULL,
  ends          BIGINT NOT NULL,
  revoked       BIGINT NOT NULL DEFAULT 0,   -- 0 while it is not
  PRIMARY KEY (site, serial),
  FOREIGN KEY (site) REFERENCES sites (site)
);

-- +goose Down
DROP TABLE browsers;
DROP TABLE authorities;
