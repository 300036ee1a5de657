-- Days that depart from Meta's numbers beyond tolerance, and that come back: each departure of a day has a number, and is told of
-- once. Rows are only added.
CREATE TABLE IF NOT EXISTS drift_departures
(
    waba_id String,
    day Date,
    number UInt32,
    -- departed, returned
    state LowCardinality(String),
    noted_at DateTime64(3, 'UTC'),
    -- The body that is sent, the same at every attempt; empty where the day returned.
    payload String
)
ENGINE = ReplacingMergeTree
ORDER BY (waba_id, day, number, state)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Attempts to tell a webhook of a departure. Written after the attempt.
CREATE TABLE IF NOT EXISTS drift_attempts
(
    attempted_at DateTime64(3, 'UTC'),
    waba_id String,
    day Date,
    number UInt32,
    attempt UInt32,
    -- delivered, failed, given_up
    outcome LowCardinality(String),
    -- Of the answer; 0 where there was none.
    status UInt16,
    detail String
)
ENGINE = MergeTree
ORDER BY (waba_id, day, number, attempted_at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
