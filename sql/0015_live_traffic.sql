-- What summaries count of a message, in the order of time: a quarter hour is read without reading the others. A message
-- stands in one quarter hour; in those that it left it is gone. On disk before `folded_threads` says that its marks are.
CREATE TABLE IF NOT EXISTS messages_by_time
(
    phone_number_id LowCardinality(String),
    cell_at DateTime('UTC'),
    message_id String,
    participant String,
    version UInt64,
    is_gone UInt8,
    ad_id LowCardinality(String),
    source_type LowCardinality(String),
    billing LowCardinality(String),
    without_free_entry LowCardinality(String),
    is_mismatch UInt8,
    is_reported UInt8,
    is_allowance_difference UInt8,
    odd_reports UInt16,
    is_in_window UInt8,
    opens_reported_window UInt8,
    is_in_reported_window UInt8,
    is_renamed UInt8
)
ENGINE = ReplacingMergeTree(version, is_gone)
ORDER BY (phone_number_id, cell_at, message_id, participant)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS messages_by_time_by_mark TO messages_by_time AS
SELECT phone_number_id, toStartOfFifteenMinutes(ifNull(delivered_at, sent_at)) AS cell_at, message_id, participant,
    version, 0 AS is_gone, ad_id, source_type, billing, without_free_entry, is_mismatch,
    delivered_at IS NOT NULL AND reported NOT IN ('', 'UNKNOWN') AS is_reported,
    is_allowance_difference, odd_reports, conversation_id != '' AS is_in_window,
    opens_reported_window, reported_window_id != '' AS is_in_reported_window, dialled_customer != '' AS is_renamed
FROM message_marks
WHERE is_retracted = 0;

INSERT INTO messages_by_time
SELECT phone_number_id, toStartOfFifteenMinutes(ifNull(delivered_at, sent_at)) AS cell_at, message_id, participant,
    version, 0 AS is_gone, ad_id, source_type, billing, without_free_entry, is_mismatch,
    delivered_at IS NOT NULL AND reported NOT IN ('', 'UNKNOWN') AS is_reported,
    is_allowance_difference, odd_reports, conversation_id != '' AS is_in_window,
    opens_reported_window, reported_window_id != '' AS is_in_reported_window, dialled_customer != '' AS is_renamed
FROM message_marks FINAL;

-- Where messages are in time is known from the table above.
DROP TABLE IF EXISTS message_cells_by_mark;

DROP TABLE IF EXISTS message_cells;

-- Threads are not listed where their writer has them in memory (landing.ts): the lowest bit of the rank says so.
DROP TABLE IF EXISTS touched_by_landing;

CREATE MATERIALIZED VIEW IF NOT EXISTS touched_by_landing TO touched AS
SELECT DISTINCT
    bitNot(landing_rank) AS landing,
    phone_number_id,
    customer,
    if(customer = '', id, '') AS nameless_id,
    sipHash64(phone_number_id, id) AS message_key
FROM events
WHERE bitTest(landing_rank, 0);

-- Live traffic adds small parts all the time. Merged two at a time, what was landed lately is written anew with each.
-- Fewer of events: threads are read from all parts of a month, and a month that is over gets no others.
ALTER TABLE events MODIFY SETTING min_parts_to_merge_at_once = 4;

ALTER TABLE message_names MODIFY SETTING min_parts_to_merge_at_once = 8;

ALTER TABLE message_marks MODIFY SETTING min_parts_to_merge_at_once = 8;

ALTER TABLE messages_by_time MODIFY SETTING min_parts_to_merge_at_once = 8;

ALTER TABLE folded_threads MODIFY SETTING min_parts_to_merge_at_once = 8;

ALTER TABLE emitted_threads MODIFY SETTING min_parts_to_merge_at_once = 8;
