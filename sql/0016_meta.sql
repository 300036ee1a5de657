-- What Meta's analytics count a message by, so that ours is summed up the same way (contract.md 7).
ALTER TABLE charge_hours
    ADD COLUMN IF NOT EXISTS country LowCardinality(String) AFTER source_type,
    ADD COLUMN IF NOT EXISTS meta_type LowCardinality(String) AFTER country,
    ADD COLUMN IF NOT EXISTS meta_category LowCardinality(String) AFTER meta_type,
    MODIFY ORDER BY (phone_number_id, day, hour_at, waba_id, market, category, billing, model, basis, place, ad_id, source_type,
        country, meta_type, meta_category);

ALTER TABLE charge_days
    ADD COLUMN IF NOT EXISTS country LowCardinality(String) AFTER source_type,
    ADD COLUMN IF NOT EXISTS meta_type LowCardinality(String) AFTER country,
    ADD COLUMN IF NOT EXISTS meta_category LowCardinality(String) AFTER meta_type,
    MODIFY ORDER BY (day, phone_number_id, waba_id, market, category, billing, model, basis, place, ad_id, source_type,
        country, meta_type, meta_category);

-- Answers of Meta's, one row for each account and field of what was imported at once. Written after all rows that belong to it, so
-- that an import that was interrupted says nothing. One that was withdrawn or replaced stays listed.
CREATE TABLE IF NOT EXISTS meta_imports
(
    import_id String,
    waba_id String,
    -- As the Graph API calls it: pricing_analytics, …
    field LowCardinality(String),
    -- Of the files.
    name String,
    -- SHA-256, hexadecimal, of the files as they are kept in `meta_files`.
    checksums Array(String),
    -- Whose midnight cut the days: that of the account's zone then, or of UTC.
    days Enum8('account' = 1, 'utc' = 2),
    time_zone String,
    -- Dimensions that its points have, in order.
    dimensions Array(LowCardinality(String)),
    -- Whether its points are of whole months.
    is_monthly UInt8,
    -- Days that it speaks of, the first and the last of each stretch.
    first_days Array(Date),
    last_days Array(Date),
    points UInt64,
    volume UInt64,
    -- Empty: no point gives a cost.
    cost Nullable(Decimal(38, 12)),
    imported_at DateTime64(3, 'UTC'),
    imported_by String,
    withdrawn_at Nullable(DateTime64(3, 'UTC')),
    withdrawn_by String,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY import_id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- The files themselves: Meta keeps one year.
CREATE TABLE IF NOT EXISTS meta_files
(
    checksum String,
    raw String CODEC(ZSTD(3))
)
ENGINE = ReplacingMergeTree
ORDER BY checksum
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- What an import counts, points of the same day and dimensions added up. A dimension that its points lack is empty.
CREATE TABLE IF NOT EXISTS meta_points
(
    import_id String,
    -- The first of the month where points are of whole months.
    day Date,
    -- The displayed number, digits only.
    phone_number LowCardinality(String),
    country LowCardinality(String),
    pricing_type LowCardinality(String),
    category LowCardinality(String),
    tier LowCardinality(String),
    volume UInt64,
    cost Nullable(Decimal(38, 12))
)
ENGINE = ReplacingMergeTree
ORDER BY (import_id, day, phone_number, country, pricing_type, category, tier)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Answers of the other fields, line by line as they are.
CREATE TABLE IF NOT EXISTS meta_lines
(
    import_id String,
    number UInt32,
    starts_at Nullable(DateTime('UTC')),
    ends_at Nullable(DateTime('UTC')),
    -- JSON
    line String
)
ENGINE = ReplacingMergeTree
ORDER BY (import_id, number)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- How a mapping says that amounts are written; empty: the file tells.
ALTER TABLE column_mappings ADD COLUMN IF NOT EXISTS decimal_mark LowCardinality(String);

-- Invoices of Meta or a partner, as imported. Written after their lines.
CREATE TABLE IF NOT EXISTS invoices
(
    import_id String,
    -- Empty: it does not say which account it is for.
    waba_id String,
    name String,
    checksum String,
    mapping String,
    imported_at DateTime64(3, 'UTC'),
    imported_by String,
    withdrawn_at Nullable(DateTime64(3, 'UTC')),
    withdrawn_by String,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY import_id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS invoice_lines
(
    import_id String,
    -- Line of the file, or row of the sheet.
    line UInt32,
    sheet String,
    -- The first day of the month.
    month Date,
    market String,
    category LowCardinality(String),
    kind LowCardinality(String),
    volume Nullable(UInt64),
    amount Decimal(38, 8),
    currency LowCardinality(String)
)
ENGINE = ReplacingMergeTree
ORDER BY (import_id, sheet, line)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
