-- +goose Up
-- Erasures that wait because so many at once may be a mistake (H1): the subject
-- is paused, and erased when the office says so or the time is over.
CREATE TABLE waiting (
  site          TEXT   NOT NULL,
  subject       TEXT   NOT NULL,
  since         BIGINT NOT NULL,
  until         TEXT   NOT NULL,             -- the first day on which it waits no longer
  run           BIGINT NOT NULL,             -- for how long the hub has run since, in microseconds
  confirmed     BOOLEAN NOT NULL,            -- by the office: the next decision erases
  PRIMARY KEY (site, subject),
  FOREIGN KEY (site, subject) REFERENCES subjects (site, subject)
);
ALTER TABLE subjects ADD COLUMN ended BIGINT NOT NULL DEFAULT 0;      -- when the record, and nobody's word, last erased
ALTER TABLE subjects ADD COLUMN last_used TEXT NOT NULL DEFAULT '';   -- to about a month (D3)
ALTER TABLE sites ADD COLUMN looked BIGINT NOT NULL DEFAULT 0;        -- when waiting erasures were last looked at
ALTER TABLE sites ADD COLUMN profile_before TEXT NOT NULL DEFAULT '';         -- the profile before the change whose erasures wait
ALTER TABLE sites ADD COLUMN heard TEXT NOT NULL DEFAULT '';          -- day of the school's last complete list
ALTER TABLE sites ADD COLUMN silent BOOLEAN NOT NULL DEFAULT FALSE;   -- that list is out of date (A5)

-- +goose Down
ALTER TABLE sites DROP COLUMN silent;
ALTER TABLE sites DROP COLUMN heard;
ALTER TABLE sites DROP COLUMN profile_before;
ALTER TABLE sites DROP COLUMN looked;
ALTER TABLE subjects DROP COLUMN last_used;
ALTER TABLE subjects DROP COLUMN ended;
DROP TABLE waiting;
