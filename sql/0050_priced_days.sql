-- The rows of `charge_days` with their prices, so that reports of amounts read sums and search no cards: planning that
-- search takes ten times as long as reading a month's rows.
-- Written for the days that were recomputed, and for all days when cards or currencies change.
CREATE TABLE IF NOT EXISTS priced_days
(
    -- Identifies the cards and currencies. Rows of other ones stay for a while, for reports that are being read.
    prices UInt64,
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
    currency LowCardinality(String),
    -- Name and date of the list card; empty when none priced the messages.
    card LowCardinality(String),
    tier LowCardinality(String),
    -- Of one message; null = no amount.
    rate Nullable(Decimal(18, 8)),
    -- Why there is no amount (rules.md M5); empty when there is one.
    unrated LowCardinality(String),
    version UInt64,
    volume UInt64
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(day)
ORDER BY (prices, day, phone_number_id, waba_id, market, category, billing, model, basis, place, ad_id, source_type)
SETTINGS min_age_to_force_merge_seconds = 300, min_age_to_force_merge_on_partition_only = 1;

-- The prices under which all days are stored in `priced_days`; 0 while they are being written. One row.
CREATE TABLE IF NOT EXISTS priced_under
(
    place UInt8 DEFAULT 0,
    prices UInt64,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY place;
