-- Every distinct event, in typed columns, keyed by its identity (rules.md F2). Everything that could move a row is in
-- the key, so a row never changes its place. The empty string is "absent"; -1 is "absent" for the two numbers.
CREATE TABLE IF NOT EXISTS events
(
    phone_number_id LowCardinality(String),
    customer String DEFAULT if(wa_id = '', user_id, wa_id),
    id String,
    kind Enum8('message' = 1, 'status' = 2),
    status LowCardinality(String),
    timestamp DateTime('UTC'),
    variant UInt64 DEFAULT sipHash64(
        wa_id, user_id, waba_id, direction, type, device, origin, context, sender,
        referral_source_type, referral_source_id, referral_source_url, referral_headline, referral_body,
        referral_media_type, referral_ctwa_clid, template_name, template_language, template_category,
        participant, conversation_id, conversation_expiration, conversation_origin,
        pricing_billable, pricing_model, pricing_type, pricing_category, errors),
    -- Of equal rows the highest is kept: the bitwise complement of the landing number, so that the first landing wins.
    landing_rank UInt64 CODEC(Delta, LZ4),
    wa_id String,
    user_id String,
    waba_id LowCardinality(String),
    direction LowCardinality(String),
    type LowCardinality(String),
    device LowCardinality(String),
    origin LowCardinality(String),
    context String,
    sender String,
    referral_source_type LowCardinality(String),
    referral_source_id String,
    referral_source_url String,
    referral_headline String,
    referral_body String,
    referral_media_type LowCardinality(String),
    referral_ctwa_clid String,
    template_name LowCardinality(String),
    template_language LowCardinality(String),
    template_category LowCardinality(String),
    participant String,
    conversation_id String,
    conversation_expiration Int64 DEFAULT -1,
    conversation_origin LowCardinality(String),
    pricing_billable Int8 DEFAULT -1,
    pricing_model LowCardinality(String),
    pricing_type LowCardinality(String),
    pricing_category LowCardinality(String),
    errors String
)
ENGINE = ReplacingMergeTree(landing_rank)
PARTITION BY toYYYYMM(timestamp)
ORDER BY (phone_number_id, customer, id, kind, status, timestamp, variant)
-- An answer to a webhook is a promise: what is acknowledged survives a power cut.
SETTINGS index_granularity = 512, fsync_after_insert = 1, fsync_part_directory = 1;

-- What each landing touched: which threads to rebuild, and which messages. Kept for some days only.
CREATE TABLE IF NOT EXISTS touched
(
    landing UInt64,
    phone_number_id LowCardinality(String),
    customer String,
    -- The message id where no customer is named: such a message is a thread of its own (rules.md F3).
    nameless_id String,
    message_key UInt64,
    -- The clock of whoever keeps the rows, not of whoever landed them.
    touched_at DateTime('UTC') DEFAULT now('UTC')
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(touched_at)
ORDER BY (landing, phone_number_id, customer, nameless_id)
TTL touched_at + INTERVAL 3 DAY
SETTINGS ttl_only_drop_parts = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS touched_by_landing TO touched AS
SELECT DISTINCT
    bitNot(landing_rank) AS landing,
    phone_number_id,
    customer,
    if(customer = '', id, '') AS nameless_id,
    sipHash64(phone_number_id, id) AS message_key
FROM events;

-- Which customers the events of a message name. More than one: its threads are linked.
CREATE TABLE IF NOT EXISTS message_names
(
    message_key UInt64,
    phone_number_id LowCardinality(String),
    customer String,
    nameless_id String
)
ENGINE = ReplacingMergeTree
ORDER BY (message_key, customer)
SETTINGS index_granularity = 1024;

-- Threads that share a message, in both directions; the customer is empty on the side that names none.
CREATE TABLE IF NOT EXISTS thread_links
(
    phone_number_id LowCardinality(String),
    customer String,
    message_key UInt64,
    other_customer String,
    -- The message id where the other side names no customer.
    nameless_id String
)
ENGINE = ReplacingMergeTree
ORDER BY (phone_number_id, customer, message_key, other_customer)
SETTINGS index_granularity = 128;
