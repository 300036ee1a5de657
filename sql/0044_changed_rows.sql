-- When a row was written, by the clock of whoever keeps the rows: readers of reports ask for what changed since a moment.
-- Rows that are there already count as changed now. They are given the time at once, because until then each reading would
-- give them another one.
ALTER TABLE message_marks ADD COLUMN IF NOT EXISTS changed_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC');

ALTER TABLE message_marks MATERIALIZE COLUMN changed_at SETTINGS mutations_sync = 2;

ALTER TABLE entry_marks ADD COLUMN IF NOT EXISTS changed_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC');

ALTER TABLE entry_marks MATERIALIZE COLUMN changed_at SETTINGS mutations_sync = 2;

ALTER TABLE closed_periods ADD COLUMN IF NOT EXISTS changed_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC');

ALTER TABLE closed_periods MATERIALIZE COLUMN changed_at SETTINGS mutations_sync = 2;

-- Of the mark that was copied; 0 = it was copied before this column was there.
ALTER TABLE closed_messages ADD COLUMN IF NOT EXISTS version UInt64;

-- Hours in which messages got another price although their marks stayed: a place of their month moved, or accounts, markets
-- or tiers changed.
CREATE TABLE IF NOT EXISTS repriced_hours
(
    phone_number_id LowCardinality(String),
    hour_at DateTime('UTC'),
    repriced_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(repriced_at)
ORDER BY (phone_number_id, hour_at)
-- On disk before the hours are no longer dirty.
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Whether the hour is dirty for such a reason.
ALTER TABLE dirty_charges ADD COLUMN IF NOT EXISTS is_repriced UInt8;
