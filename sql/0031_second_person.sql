-- Who asked for a month to be closed where a second person closes it. Rows are only added; the first that no closing has answered
-- holds.
CREATE TABLE IF NOT EXISTS closing_requests
(
    waba_id String,
    -- The first day of the month.
    month Date,
    request_id String,
    requested_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC'),
    requested_by String,
    note String
)
ENGINE = ReplacingMergeTree
ORDER BY (waba_id, month, request_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

ALTER TABLE closed_periods
    -- Empty: nobody had to ask for it.
    ADD COLUMN IF NOT EXISTS requested_by String,
    ADD COLUMN IF NOT EXISTS request_id String;
