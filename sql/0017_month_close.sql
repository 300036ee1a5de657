-- What a person said when a month was closed or reopened, and what the checklist said then.
ALTER TABLE closed_periods
    ADD COLUMN IF NOT EXISTS note String,
    ADD COLUMN IF NOT EXISTS reopened_because String,
    -- Empty, as the checklist: closed before there was one.
    ADD COLUMN IF NOT EXISTS verdict LowCardinality(String),
    -- JSON
    ADD COLUMN IF NOT EXISTS checklist String;
