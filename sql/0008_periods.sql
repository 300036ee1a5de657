-- Closed months, one row per closing. Written after all rows that belong to it, so that a closing that was interrupted
-- half-way has closed nothing. One that was reopened stays listed.
CREATE TABLE IF NOT EXISTS closed_periods
(
    period_id String,
    -- Empty: the messages that belong to no account.
    waba_id String,
    -- The first day of the month, in the zone that the account had.
    month Date,
    time_zone String,
    -- The same in UTC, the end excluded: whatever zone the account is given later, these messages are closed.
    starts_at DateTime('UTC'),
    ends_at DateTime('UTC'),
    closed_at DateTime64(3, 'UTC'),
    closed_by String,
    -- The copy is of what was stored up to here.
    cut_off DateTime64(3, 'UTC'),
    -- JSON: the cards that priced its rows.
    rate_cards String,
    -- JSON: sums by currency.
    totals String,
    -- Number of rows in closed_charges and in closed_messages.
    charges UInt64,
    messages UInt64,
    -- SHA-256, hexadecimal, of its charges as they are exported, header included.
    checksum String,
    -- JSON: what was not complete, and accepted.
    findings String,
    reopened_at Nullable(DateTime64(3, 'UTC')),
    reopened_by String,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY period_id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- The charges of a closing, as text: what was printed when it was closed is printed for good.
CREATE TABLE IF NOT EXISTS closed_charges
(
    period_id LowCardinality(String),
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

-- The delivered messages of a closing, so that every cent of its charges can be followed down to a message.
CREATE TABLE IF NOT EXISTS closed_messages
(
    period_id LowCardinality(String),
    phone_number_id LowCardinality(String),
    message_id String,
    customer String,
    sent_at DateTime('UTC'),
    delivered_at DateTime('UTC'),
    -- Of delivery, in the zone that the account had.
    day Date,
    type LowCardinality(String),
    template_name LowCardinality(String),
    category LowCardinality(String),
    policy LowCardinality(String),
    predicted LowCardinality(String),
    reported LowCardinality(String),
    billing LowCardinality(String),
    conversation_id String,
    ad_id LowCardinality(String),
    waba_id LowCardinality(String),
    market LowCardinality(String),
    rated_category LowCardinality(String),
    tier LowCardinality(String),
    currency LowCardinality(String),
    rate_card LowCardinality(String),
    -- What such a message cost on the list; empty without an amount.
    rate Nullable(Decimal(18, 8)),
    unrated LowCardinality(String)
)
ENGINE = ReplacingMergeTree
ORDER BY (period_id, phone_number_id, message_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
