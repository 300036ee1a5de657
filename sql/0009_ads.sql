-- What ads and posts say of themselves, by the latest message that says it. Descriptions only: nothing is counted by them.
CREATE TABLE IF NOT EXISTS ad_referrals
(
    ad_id String,
    source_type LowCardinality(String),
    headline AggregateFunction(argMaxIf, String, DateTime('UTC'), UInt8),
    source_url AggregateFunction(argMaxIf, String, DateTime('UTC'), UInt8),
    media_type AggregateFunction(argMaxIf, String, DateTime('UTC'), UInt8)
)
ENGINE = AggregatingMergeTree
ORDER BY (ad_id, source_type);

CREATE MATERIALIZED VIEW IF NOT EXISTS ad_referrals_by_landing TO ad_referrals AS
SELECT
    referral_source_id AS ad_id,
    referral_source_type AS source_type,
    argMaxIfState(referral_headline, timestamp, referral_headline != '') AS headline,
    argMaxIfState(referral_source_url, timestamp, referral_source_url != '') AS source_url,
    argMaxIfState(toString(referral_media_type), timestamp, referral_media_type != '') AS media_type
FROM events
WHERE referral_source_type != ''
GROUP BY ad_id, source_type;

INSERT INTO ad_referrals
SELECT
    referral_source_id,
    referral_source_type,
    argMaxIfState(referral_headline, timestamp, referral_headline != ''),
    argMaxIfState(referral_source_url, timestamp, referral_source_url != ''),
    argMaxIfState(toString(referral_media_type), timestamp, referral_media_type != '')
FROM events
WHERE referral_source_type != ''
GROUP BY referral_source_id, referral_source_type;

-- Imports of what ads cost, and of their names. Written after their rows, so that an interrupted import has none.
CREATE TABLE IF NOT EXISTS spend_imports
(
    import_id String,
    -- Of the file, or what was typed.
    name String,
    -- SHA-256, hexadecimal.
    checksum String,
    imported_at DateTime64(3, 'UTC'),
    imported_by String,
    withdrawn_at Nullable(DateTime64(3, 'UTC')),
    withdrawn_by String,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY import_id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- What an import says. Of several imports about the same ad, days and currency the last one that is not withdrawn holds.
CREATE TABLE IF NOT EXISTS ad_spend
(
    import_id String,
    ad_id String,
    -- Both days are meant, in the zone of the ad account.
    first_day Date,
    last_day Date,
    currency LowCardinality(String),
    amount Decimal(18, 8)
)
ENGINE = ReplacingMergeTree
ORDER BY (import_id, ad_id, first_day, last_day, currency)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS ad_labels
(
    import_id String,
    ad_id String,
    ad_name String,
    adset_name String,
    campaign_name String
)
ENGINE = ReplacingMergeTree
ORDER BY (import_id, ad_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
