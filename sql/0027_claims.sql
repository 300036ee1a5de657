-- What happened to claims against Meta or a partner. Rows are added and never changed; of two of one revision the first holds.
CREATE TABLE IF NOT EXISTS claim_entries
(
    claim_id String,
    revision UInt32,
    entry_id String,
    -- By the clock of ClickHouse, so that entries of all processes have one order.
    entered_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC'),
    entered_by String,
    -- make, refer, grant, refuse, pay, withdraw.
    action LowCardinality(String),
    note String,
    waba_id String,
    -- The first day of the month.
    month Date,
    -- The case that it is about; empty: it is about none.
    explanation LowCardinality(String),
    -- make: what is claimed. pay: what was paid.
    amount Decimal(38, 12),
    currency LowCardinality(String),
    -- Of the case at Meta or the partner; empty: not said in this entry.
    reference String,
    -- pay: the line of an invoice, or Meta's invoice.
    credit String
)
ENGINE = ReplacingMergeTree
ORDER BY (claim_id, revision, entry_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
