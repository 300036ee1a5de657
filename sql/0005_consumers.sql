-- Names are known with the landing itself: one write less for each of many small landings.
CREATE MATERIALIZED VIEW IF NOT EXISTS message_names_by_landing TO message_names AS
SELECT DISTINCT
    sipHash64(phone_number_id, id) AS message_key,
    phone_number_id,
    customer,
    if(customer = '', id, '') AS nameless_id
FROM events;

-- The version at which the marks of a thread were stored and sent to the billing topic. Written after the broker has them:
-- a crash in between sends them twice, never not at all. Who sends marks writes here instead of `folded_threads`.
CREATE TABLE IF NOT EXISTS emitted_threads
(
    phone_number_id LowCardinality(String),
    customer String,
    nameless_id String,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (phone_number_id, customer, nameless_id)
SETTINGS index_granularity = 256;
