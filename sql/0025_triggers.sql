-- Saved triggers: every change is a row more, and of a trigger the highest revision holds.
CREATE TABLE IF NOT EXISTS triggers
(
    trigger_id String,
    revision UInt32,
    state LowCardinality(String),
    -- What it looks for and whom it tells, as JSON.
    definition String,
    changed_at DateTime64(3, 'UTC'),
    changed_by String
)
ENGINE = ReplacingMergeTree
ORDER BY (trigger_id, revision)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- First messages of ads in the order in which they were landed. Filled by a view that is there as long as there is a
-- trigger: without one nothing is written here.
CREATE TABLE IF NOT EXISTS trigger_arrivals
(
    noted_at DateTime64(3, 'UTC'),
    phone_number_id LowCardinality(String),
    customer String,
    message_id String
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(noted_at)
ORDER BY noted_at
TTL toDateTime(noted_at) + INTERVAL 8 DAY
SETTINGS ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1;

-- What has fired: written before anybody is told, and never deleted. One row per trigger and message, the first.
CREATE TABLE IF NOT EXISTS trigger_firings
(
    trigger_id String,
    phone_number_id LowCardinality(String),
    message_id String,
    -- The bitwise complement of the time in milliseconds: of rows of the same message the first is kept.
    rank UInt64,
    fired_at DateTime64(3, 'UTC'),
    customer String,
    -- Whom it tells: what the trigger said when it fired.
    channels Array(String),
    -- The body that is sent, the same at every attempt.
    payload String
)
ENGINE = ReplacingMergeTree(rank)
ORDER BY (trigger_id, phone_number_id, message_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Attempts to tell somebody of a firing, and orders to try again. Written after the attempt.
CREATE TABLE IF NOT EXISTS trigger_attempts
(
    attempted_at DateTime64(3, 'UTC'),
    trigger_id String,
    phone_number_id LowCardinality(String),
    message_id String,
    channel LowCardinality(String),
    -- Counted since the firing, or since somebody ordered to try again.
    attempt UInt32,
    outcome LowCardinality(String),
    -- Of the answer; 0 where there was none.
    status UInt16,
    detail String
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(attempted_at)
ORDER BY (attempted_at, trigger_id, message_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
