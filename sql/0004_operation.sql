-- Accounts and policy that decide marks, with the epoch they belong to. The highest epoch holds.
CREATE TABLE IF NOT EXISTS configuration
(
    epoch UInt64,
    hash String,
    settings String,
    changed_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(changed_at)
ORDER BY epoch;

-- Accounts set by command; a configuration file wins over them.
CREATE TABLE IF NOT EXISTS accounts
(
    waba_id String,
    account String,
    changed_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(changed_at)
ORDER BY waba_id;

-- Processes that write, so that a change of configuration does not cross them.
CREATE TABLE IF NOT EXISTS writers
(
    writer String,
    command String,
    configuration_hash String,
    seen_at DateTime64(3, 'UTC'),
    is_gone UInt8
)
ENGINE = ReplacingMergeTree(seen_at)
ORDER BY writer
TTL toDateTime(seen_at) + INTERVAL 1 DAY;

-- Inputs that cannot be used, raw bytes untouched.
CREATE TABLE IF NOT EXISTS dead_letters
(
    source String,
    source_partition Int32,
    position UInt64,
    content_hash UInt64 DEFAULT sipHash64(raw),
    version UInt64,
    code LowCardinality(String),
    message String,
    first_seen_at DateTime64(3, 'UTC'),
    is_replayed UInt8,
    raw_base64 String EPHEMERAL,
    raw String DEFAULT base64Decode(raw_base64)
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (source, source_partition, position, content_hash)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Facts about the ledger as a whole, by name.
CREATE TABLE IF NOT EXISTS ledger_facts
(
    name String,
    value String,
    changed_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(changed_at)
ORDER BY name;
