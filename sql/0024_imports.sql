-- Files that were imported, of every kind, as they came.
CREATE TABLE IF NOT EXISTS import_files
(
    checksum String,
    -- Sent as Base64, since a workbook is no text; only the bytes are kept.
    base64 String EPHEMERAL,
    raw String DEFAULT base64Decode(base64) CODEC(ZSTD(3))
)
ENGINE = ReplacingMergeTree
ORDER BY checksum
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Copied, not renamed: of processes that bring a ledger up to date at once, each goes through all of this. `meta_files` stays
-- as it was, and is not read any more.
INSERT INTO import_files (checksum, raw) SELECT checksum, raw FROM meta_files;

-- Imports of templates. Written after their rows, so that an interrupted import has none.
CREATE TABLE IF NOT EXISTS template_imports
(
    import_id String,
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
ORDER BY import_id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Empty in `templates`: imported before imports of templates were kept, at the time and by whom the row itself says.
ALTER TABLE templates
    ADD COLUMN IF NOT EXISTS import_id String,
    MODIFY ORDER BY (waba_id, name, language, import_id);
