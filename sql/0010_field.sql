-- What real traffic brought: groups, tags, errors on messages (contract.md 1).
ALTER TABLE events ADD COLUMN IF NOT EXISTS group_id String, ADD COLUMN IF NOT EXISTS tag String;

-- The thread of a group is named by the group (rules.md F8).
ALTER TABLE events MODIFY COLUMN customer String DEFAULT multiIf(group_id != '', group_id, wa_id != '', wa_id, user_id);

-- An event without the new fields keeps its variant: the same event, ingested again, must be found to be the same.
ALTER TABLE events MODIFY COLUMN variant UInt64 DEFAULT if(group_id = '' AND tag = '',
    sipHash64(
        wa_id, user_id, waba_id, direction, type, device, origin, context, sender,
        referral_source_type, referral_source_id, referral_source_url, referral_headline, referral_body,
        referral_media_type, referral_ctwa_clid, template_name, template_language, template_category,
        participant, conversation_id, conversation_expiration, conversation_origin,
        pricing_billable, pricing_model, pricing_type, pricing_category, errors),
    sipHash64(
        wa_id, user_id, waba_id, direction, type, device, origin, context, sender,
        referral_source_type, referral_source_id, referral_source_url, referral_headline, referral_body,
        referral_media_type, referral_ctwa_clid, template_name, template_language, template_category,
        participant, conversation_id, conversation_expiration, conversation_origin,
        pricing_billable, pricing_model, pricing_type, pricing_category, errors, group_id, tag));

-- Statuses that name a participant were stored with the group in the place of the customer's number.
INSERT INTO events (landing_rank, phone_number_id, id, kind, status, timestamp, waba_id, group_id, participant,
    conversation_id, conversation_expiration, conversation_origin,
    pricing_billable, pricing_model, pricing_type, pricing_category, errors)
SELECT landing_rank, phone_number_id, id, kind, status, timestamp, waba_id, customer, participant,
    conversation_id, conversation_expiration, conversation_origin,
    pricing_billable, pricing_model, pricing_type, pricing_category, errors
FROM events
WHERE kind = 'status' AND participant != '' AND group_id = '' AND customer != '';

ALTER TABLE events DELETE WHERE kind = 'status' AND participant != '' AND group_id = '' AND customer != ''
SETTINGS mutations_sync = 2;

-- A group message has a row for each participant.
ALTER TABLE message_marks
    ADD COLUMN IF NOT EXISTS participant String,
    MODIFY ORDER BY (phone_number_id, message_id, participant);

ALTER TABLE message_marks
    ADD COLUMN IF NOT EXISTS dialled_customer String,
    ADD COLUMN IF NOT EXISTS tag String,
    ADD COLUMN IF NOT EXISTS is_failed UInt8,
    ADD COLUMN IF NOT EXISTS error_code LowCardinality(String),
    ADD COLUMN IF NOT EXISTS error_title String,
    ADD COLUMN IF NOT EXISTS circumstance LowCardinality(String),
    ADD COLUMN IF NOT EXISTS reported_window_id String,
    ADD COLUMN IF NOT EXISTS opens_reported_window UInt8,
    ADD COLUMN IF NOT EXISTS reported_window_expires_at Nullable(DateTime('UTC'));

-- Rows that group messages had by the rules of before, under no participant.
ALTER TABLE message_marks DELETE
WHERE participant = '' AND (phone_number_id, message_id) IN (SELECT phone_number_id, id FROM events WHERE group_id != '')
SETTINGS mutations_sync = 2;

-- First messages of ads that came without their ad: no marks of their own, only counted.
CREATE TABLE IF NOT EXISTS lost_referrals
(
    phone_number_id LowCardinality(String),
    message_id String,
    version UInt64,
    is_retracted UInt8,
    customer String,
    written_at DateTime('UTC')
)
ENGINE = ReplacingMergeTree(version, is_retracted)
ORDER BY (phone_number_id, message_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

ALTER TABLE place_bounds ADD COLUMN IF NOT EXISTS participant String AFTER message_id;

ALTER TABLE closed_messages
    ADD COLUMN IF NOT EXISTS participant String,
    MODIFY ORDER BY (period_id, phone_number_id, message_id, participant);

ALTER TABLE closed_messages
    ADD COLUMN IF NOT EXISTS tag String,
    ADD COLUMN IF NOT EXISTS error_code LowCardinality(String),
    ADD COLUMN IF NOT EXISTS error_title String;

ALTER TABLE summary_cells
    ADD COLUMN IF NOT EXISTS lost_referrals UInt64,
    ADD COLUMN IF NOT EXISTS windows_reported_only UInt64,
    ADD COLUMN IF NOT EXISTS messages_reported_only UInt64,
    ADD COLUMN IF NOT EXISTS customers_differ UInt64;
