-- Months held against Meta's numbers, each time that was done, passes included. Rows are added and never changed.
CREATE TABLE IF NOT EXISTS case_evaluations
(
    waba_id String,
    -- The first day of the month.
    month Date,
    evaluation_id String,
    -- By the clock of ClickHouse, so that evaluations and decisions of all processes have one order.
    evaluated_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC'),
    -- What it was done for, and by whom.
    purpose LowCardinality(String),
    evaluated_by String,
    currency LowCardinality(String),
    -- Rows that were held, and those that differ.
    rows UInt64,
    different UInt64,
    -- Days that Meta's side says nothing of.
    missing_days Array(Date),
    -- JSON: a fingerprint of each thing that it was made of.
    sources String,
    -- JSON: how much differs, by explanation and day. Its rows are in case_rows.
    cases String
)
ENGINE = ReplacingMergeTree
ORDER BY (waba_id, month, evaluation_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- The rows behind cases, by their checksum: evaluations that find the same share them.
CREATE TABLE IF NOT EXISTS case_rows
(
    -- SHA-256, hexadecimal.
    checksum String,
    -- JSON: rows of the report reconciliation-differences, the largest first.
    rows String CODEC(ZSTD(3))
)
ENGINE = ReplacingMergeTree
ORDER BY checksum
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- What people decided and said. Rows are added and never changed; of two of one revision the first holds.
CREATE TABLE IF NOT EXISTS case_decisions
(
    waba_id String,
    month Date,
    explanation LowCardinality(String),
    revision UInt32,
    decision_id String,
    decided_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC'),
    action LowCardinality(String),
    decided_by String,
    note String,
    -- The last day on which an acceptance holds; empty: it is none.
    until String,
    assignee String,
    -- What was known when it was decided.
    evaluation_id String,
    -- The closing that held then; empty: the month was open.
    period_id String
)
ENGINE = ReplacingMergeTree
ORDER BY (waba_id, month, explanation, revision, decision_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
