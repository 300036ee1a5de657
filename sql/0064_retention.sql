-- Removals of raw events by age, each when it began, when it was decided what goes, and when it was done. The highest version holds.
CREATE TABLE IF NOT EXISTS removals
(
    removal_id String,
    -- 1 = begun, 2 = decided, 3 = done.
    version UInt8,
    began_at DateTime64(3, 'UTC'),
    ended_at Nullable(DateTime64(3, 'UTC')),
    removed_by String,
    waba_id String,
    -- Conversations whose last event is older went.
    cut_off DateTime('UTC'),
    -- What comes later under one of their names, and is older than this, is put aside: a window may have been open.
    aside_until DateTime('UTC'),
    threads UInt64,
    events UInt64,
    first_at DateTime('UTC'),
    last_at DateTime('UTC')
)
ENGINE = ReplacingMergeTree(version)
ORDER BY removal_id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Threads whose events were removed, and what reports still count of these. Believed once their removal is decided.
CREATE TABLE IF NOT EXISTS removed_threads
(
    phone_number_id LowCardinality(String),
    customer String,
    -- The message id where no customer is named.
    nameless_id String,
    removal_id String,
    waba_id LowCardinality(String),
    -- What rows call the customer, where that may be another name (rules.md F9).
    called String,
    events UInt64,
    first_at DateTime('UTC'),
    last_at DateTime('UTC'),
    -- The customer's messages, each with its first time.
    written Array(Tuple(at DateTime('UTC'), type String)),
    -- All times at which the customer's messages have an event.
    inbound Array(DateTime('UTC'))
)
ENGINE = ReplacingMergeTree
ORDER BY (phone_number_id, customer, nameless_id, removal_id)
SETTINGS index_granularity = 512, fsync_after_insert = 1, fsync_part_directory = 1;

-- By what removed events and their messages are recognised when they come again. Nothing can be read from it.
CREATE TABLE IF NOT EXISTS removed_keys
(
    what Enum8('message' = 1, 'event' = 2),
    key UInt64,
    -- Of a message its hash as services/ledger/events/keys.ts makes it.
    short UInt32,
    removal_id LowCardinality(String)
)
ENGINE = ReplacingMergeTree
ORDER BY (what, key, removal_id)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1;

-- How removed events called their customers (rules.md F9), with the last time that they did.
CREATE TABLE IF NOT EXISTS removed_names
(
    removal_id String,
    place UInt64,
    phone_number_id LowCardinality(String),
    waba_id LowCardinality(String),
    wa_id String,
    user_id String,
    parent_user_id String,
    last_at DateTime('UTC'),
    landing_rank UInt64
)
ENGINE = ReplacingMergeTree
ORDER BY (removal_id, place)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- In which hours a number had events that were removed.
CREATE TABLE IF NOT EXISTS removed_hours
(
    removal_id LowCardinality(String),
    phone_number_id LowCardinality(String),
    waba_id LowCardinality(String),
    hour DateTime('UTC'),
    events UInt64
)
ENGINE = ReplacingMergeTree
ORDER BY (phone_number_id, hour, removal_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
