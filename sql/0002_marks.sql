-- One row per outbound message. A mark is keyed by what it marks; the version measures what was known, never a clock.
CREATE TABLE IF NOT EXISTS message_marks
(
    phone_number_id LowCardinality(String),
    message_id String,
    version UInt64,
    is_retracted UInt8,
    customer String,
    waba_id LowCardinality(String),
    sent_at DateTime('UTC'),
    delivered_at Nullable(DateTime('UTC')),
    type LowCardinality(String),
    template_name LowCardinality(String),
    category LowCardinality(String),
    is_template UInt8,
    is_echo UInt8,
    policy LowCardinality(String),
    predicted LowCardinality(String),
    reported LowCardinality(String),
    reported_category LowCardinality(String),
    billing LowCardinality(String),
    is_mismatch UInt8,
    is_allowance_difference UInt8,
    without_free_entry LowCardinality(String),
    conversation_id String,
    ad_id LowCardinality(String),
    source_type LowCardinality(String),
    rule LowCardinality(String),
    odd_reports UInt16
)
ENGINE = ReplacingMergeTree(version, is_retracted)
ORDER BY (phone_number_id, message_id)
-- On disk before `folded_threads` says that they are: a power cut must not keep the one and lose the other.
-- Small granules: lists and live batches read a few marks by their ids.
SETTINGS index_granularity = 512, fsync_after_insert = 1, fsync_part_directory = 1;

-- One row per entry (rules.md W2).
CREATE TABLE IF NOT EXISTS entry_marks
(
    phone_number_id LowCardinality(String),
    entry_id String,
    version UInt64,
    is_retracted UInt8,
    customer String,
    entry_at DateTime('UTC'),
    source_type LowCardinality(String),
    ad_id LowCardinality(String),
    source_url String,
    ctwa_clid String,
    headline String,
    reply_message_id String,
    replied_at Nullable(DateTime('UTC')),
    opened_at Nullable(DateTime('UTC')),
    expires_at Nullable(DateTime('UTC')),
    free_messages UInt32,
    is_confirmed UInt8,
    is_reported UInt8,
    ad_conversation_id String,
    starts_conversation UInt8,
    conversation_last_entry_at Nullable(DateTime('UTC')),
    conversation_is_replied UInt8,
    conversation_seconds_to_reply Nullable(Int64)
)
ENGINE = ReplacingMergeTree(version, is_retracted)
ORDER BY (phone_number_id, entry_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- The version that the marks of a thread carry. Written after them, so that a thread is never believed done too early.
CREATE TABLE IF NOT EXISTS folded_threads
(
    phone_number_id LowCardinality(String),
    customer String,
    nameless_id String,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (phone_number_id, customer, nameless_id)
SETTINGS index_granularity = 256;
