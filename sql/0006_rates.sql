-- Imported price lists, one row per card: a file that speaks of several currencies makes several cards. A card that was
-- withdrawn or replaced stays listed.
CREATE TABLE IF NOT EXISTS rate_cards
(
    card_id String,
    kind Enum8('list' = 1, 'tiers' = 2),
    model Enum8('conversation' = 1, 'message' = 2),
    currency LowCardinality(String),
    effective_date Date,
    -- Of the file.
    name String,
    -- SHA-256 of the file, hexadecimal.
    checksum String,
    imported_at DateTime64(3, 'UTC'),
    imported_by String,
    withdrawn_at Nullable(DateTime64(3, 'UTC')),
    withdrawn_by String,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY card_id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- What a card says. Written before the card itself, so that what an interrupted import left behind belongs to no card.
CREATE TABLE IF NOT EXISTS rates
(
    card_id String,
    -- As the card prints it.
    market String,
    -- Lower case, single spaces, "and": what markets are compared by.
    market_key String,
    category LowCardinality(String),
    -- Messages of a month are counted from 1; both bounds belong to the range.
    from_place UInt64,
    -- The highest number: no upper bound.
    to_place UInt64 DEFAULT 18446744073709551615,
    -- Empty: the market is on the card, but the category is not offered there.
    rate Nullable(Decimal(18, 8))
)
ENGINE = ReplacingMergeTree
ORDER BY (card_id, market_key, category, from_place)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
