-- Where in time messages are, so that some quarter hours of many messages are found without reading all. A message may
-- have left a cell that is listed here: look at its mark.
CREATE TABLE IF NOT EXISTS message_cells
(
    phone_number_id LowCardinality(String),
    cell_at DateTime('UTC'),
    message_id String
)
ENGINE = ReplacingMergeTree
ORDER BY (phone_number_id, cell_at, message_id);

CREATE MATERIALIZED VIEW IF NOT EXISTS message_cells_by_mark TO message_cells AS
SELECT phone_number_id, toStartOfFifteenMinutes(ifNull(delivered_at, sent_at)) AS cell_at, message_id
FROM message_marks
WHERE is_retracted = 0;

INSERT INTO message_cells
SELECT phone_number_id, toStartOfFifteenMinutes(ifNull(delivered_at, sent_at)), message_id
FROM message_marks
WHERE is_retracted = 0;

-- Hours whose charges are to be recomputed.
CREATE TABLE IF NOT EXISTS dirty_charges
(
    stamp UInt64,
    phone_number_id LowCardinality(String),
    hour_at DateTime('UTC')
)
ENGINE = MergeTree
ORDER BY (stamp, phone_number_id, hour_at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS dirty_charges_by_cell TO dirty_charges AS
SELECT DISTINCT stamp, phone_number_id, toStartOfHour(cell_at) AS hour_at
FROM dirty_cells;

INSERT INTO dirty_charges
SELECT DISTINCT 1, phone_number_id, toStartOfHour(cell_at)
FROM message_cells;

-- How many messages of an hour and number are counted together: in a volume tier, in the service allowance, as free
-- conversations (rules.md M3). Recomputed whole, never added to; what is no more stands there with 0.
CREATE TABLE IF NOT EXISTS counted_hours
(
    group_key UInt64,
    -- Free entry messages take the places after the last charged one (rules.md M4).
    side Enum8('charged' = 0, 'free_entry' = 1),
    hour_at DateTime('UTC'),
    phone_number_id LowCardinality(String),
    -- Of the group.
    scope Enum8('tier' = 1, 'allowance' = 2, 'conversations' = 3),
    market LowCardinality(String),
    category LowCardinality(String),
    version UInt64,
    messages UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (group_key, side, hour_at, phone_number_id)
SETTINGS index_granularity = 1024;

-- Delivered messages per hour, number and whatever decides a price. No amounts: those are asked of the cards in force.
-- Recomputed whole, never added to; what is no more stands there with a volume of 0.
CREATE TABLE IF NOT EXISTS charge_hours
(
    phone_number_id LowCardinality(String),
    -- Of delivery, in the zone of the account.
    day Date,
    hour_at DateTime('UTC'),
    waba_id LowCardinality(String),
    market LowCardinality(String),
    -- The rated category (rules.md M1a).
    category LowCardinality(String),
    billing LowCardinality(String),
    model Enum8('conversation' = 1, 'message' = 2),
    -- What the list cost is made of: 'free' = 0 by rule, 'allowance' = 0 by a free place, 'rate' = a card's, 'none' = no amount.
    basis Enum8('free' = 0, 'allowance' = 1, 'rate' = 2, 'none' = 3),
    -- The lowest place of its stretch of a volume tier: every message in it has the same price. 0 = no tier.
    place UInt64,
    ad_id LowCardinality(String),
    source_type LowCardinality(String),
    version UInt64,
    volume UInt64
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(day)
ORDER BY (phone_number_id, day, hour_at, waba_id, market, category, billing, model, basis, place, ad_id, source_type);

-- The same per day of the account's zone: what reports read.
CREATE TABLE IF NOT EXISTS charge_days
(
    day Date,
    phone_number_id LowCardinality(String),
    waba_id LowCardinality(String),
    market LowCardinality(String),
    category LowCardinality(String),
    billing LowCardinality(String),
    model Enum8('conversation' = 1, 'message' = 2),
    basis Enum8('free' = 0, 'allowance' = 1, 'rate' = 2, 'none' = 3),
    place UInt64,
    ad_id LowCardinality(String),
    source_type LowCardinality(String),
    version UInt64,
    volume UInt64
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(day)
ORDER BY (day, phone_number_id, waba_id, market, category, billing, model, basis, place, ad_id, source_type);

-- The message at which a place is reached among those that are counted together, so that a price is found by comparing:
-- one late event renumbers a month, but moves few of these.
CREATE TABLE IF NOT EXISTS place_bounds
(
    group_key UInt64,
    side Enum8('charged' = 0, 'free_entry' = 1),
    place UInt64,
    is_reached UInt8,
    delivered_at DateTime('UTC'),
    phone_number_id String,
    message_id String,
    -- Which message it is of its side and hour: while that stays, and nothing in the hour changes, so does the message.
    hour_at DateTime('UTC'),
    nth UInt64,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (group_key, side, place);
