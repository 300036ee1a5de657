-- What was written off of differences from Meta's numbers, and what was undone. Rows are added and never changed; of two of one
-- revision the first holds.
CREATE TABLE IF NOT EXISTS write_off_entries
(
    write_off_id String,
    revision UInt32,
    entry_id String,
    -- By the clock of ClickHouse, so that entries of all processes have one order.
    entered_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC'),
    entered_by String,
    -- write_off, undo.
    action LowCardinality(String),
    reason LowCardinality(String),
    note String,
    waba_id String,
    -- The first day of the month.
    month Date,
    -- The case whose rows they are; empty: they were chosen one by one.
    explanation LowCardinality(String),
    currency LowCardinality(String),
    -- JSON: of each row its key, and what was written off of its difference: messages, and money where it is known.
    rows String CODEC(ZSTD(3)),
    -- The closing that held then; empty: the month was open.
    period_id String
)
ENGINE = ReplacingMergeTree
ORDER BY (waba_id, month, write_off_id, revision, entry_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
