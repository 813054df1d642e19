-- +goose Up
-- How far each terminal has been commissioned (N1), and what that rests on. The register keeps every step.
ALTER TABLE terminals ADD COLUMN mode TEXT NOT NULL DEFAULT 'off';
ALTER TABLE terminals ADD COLUMN commission TEXT NOT NULL DEFAULT ''; -- register.Commission as JSON; '' before the first step

-- +goose Down
ALTER TABLE terminals DROP COLUMN commission;
ALTER TABLE terminals DROP COLUMN mode;
