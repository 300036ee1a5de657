-- What Meta's `analytics` count by day, so that webhooks are known to be complete before any amount is compared.
CREATE TABLE IF NOT EXISTS meta_message_counts
(
    import_id String,
    day Date,
    -- The displayed numbers that it is of, digits only, with spaces between; empty: all of the account.
    phone_numbers LowCardinality(String),
    -- What customers wrote is asked for apart.
    direction Enum8('outgoing' = 1, 'incoming' = 2),
    sent UInt64,
    delivered UInt64
)
ENGINE = ReplacingMergeTree
ORDER BY (import_id, day, phone_numbers, direction)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
