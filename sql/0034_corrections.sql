-- What closed months were billed afterwards: corrections that a later month of the account took in when it was closed. Text,
-- as the charges of a closing; volumes and amounts have signs. Written before the closing that they belong to.
CREATE TABLE IF NOT EXISTS closed_corrections
(
    -- Of the closing that bills them.
    period_id LowCardinality(String),
    -- Of the charge that is corrected, in an earlier month.
    day Date,
    waba_id LowCardinality(String),
    phone_number_id LowCardinality(String),
    market LowCardinality(String),
    category LowCardinality(String),
    billing LowCardinality(String),
    tier LowCardinality(String),
    volume String,
    rate LowCardinality(String),
    list_cost String,
    billed_cost String,
    savings String,
    currency LowCardinality(String),
    rate_card LowCardinality(String),
    unrated String
)
ENGINE = ReplacingMergeTree
ORDER BY (period_id, day, waba_id, phone_number_id, market, category, billing, tier, rate, currency, rate_card)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
