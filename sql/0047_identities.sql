-- What events say about the names of a customer (rules.md F9): the user id of the parent company, and for a `system` message
-- that a customer changed number or id the names in it, as JSON.
ALTER TABLE events ADD COLUMN IF NOT EXISTS parent_user_id String, ADD COLUMN IF NOT EXISTS identity_change String;

-- An event without the new fields keeps its variant: the same event, ingested again, must be found to be the same.
ALTER TABLE events MODIFY COLUMN variant UInt64 DEFAULT multiIf(parent_user_id != '' OR identity_change != '',
    sipHash64(
        wa_id, user_id, waba_id, direction, type, device, origin, context, sender,
        referral_source_type, referral_source_id, referral_source_url, referral_headline, referral_body,
        referral_media_type, referral_ctwa_clid, template_name, template_language, template_category,
        participant, conversation_id, conversation_expiration, conversation_origin,
        pricing_billable, pricing_model, pricing_type, pricing_category, errors, group_id, tag, parent_user_id, identity_change),
    group_id = '' AND tag = '',
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

-- Which threads have or give a name is noted as which threads name a message is: under the key of the name, with its text.
-- An event of a group says nothing of identities; one without a customer has no thread to link.
ALTER TABLE message_names ADD COLUMN IF NOT EXISTS name String;

DROP TABLE IF EXISTS message_names_by_landing;

CREATE MATERIALIZED VIEW IF NOT EXISTS message_names_by_landing TO message_names AS
SELECT DISTINCT noted.1 AS message_key, phone_number_id, customer, nameless_id, noted.2 AS name
FROM
(
    SELECT phone_number_id, customer, if(customer = '', id, '') AS nameless_id,
        arrayJoin(arrayPushFront(if(group_id != '' OR customer = '', [],
            arrayMap(part -> (sipHash64('name', phone_number_id, part), part), arrayFilter(part -> part != '', arrayDistinct(arrayConcat([customer, user_id, parent_user_id],
            arrayMap(part -> part.2, JSONExtractKeysAndValues(identity_change, 'String'))))))),
            (sipHash64(phone_number_id, id), ''))) AS noted
    FROM events
);

INSERT INTO message_names (message_key, phone_number_id, customer, nameless_id, name)
SELECT DISTINCT sipHash64('name', phone_number_id, given) AS message_key, phone_number_id, customer, '' AS nameless_id, given AS name
FROM
(
    SELECT phone_number_id, customer, arrayJoin(arrayFilter(part -> part != '', arrayDistinct(arrayConcat([customer, user_id, parent_user_id],
            arrayMap(part -> part.2, JSONExtractKeysAndValues(identity_change, 'String')))))) AS given
    FROM events WHERE group_id = '' AND customer != ''
);

DROP TABLE IF EXISTS touched_by_landing;

CREATE MATERIALIZED VIEW IF NOT EXISTS touched_by_landing TO touched AS
SELECT DISTINCT landing, phone_number_id, customer, nameless_id, message_key
FROM
(
    SELECT bitNot(landing_rank) AS landing, phone_number_id, customer, if(customer = '', id, '') AS nameless_id,
        arrayJoin(arrayPushFront(if(group_id != '' OR customer = '', [],
            arrayMap(part -> sipHash64('name', phone_number_id, part), arrayFilter(part -> part != '', arrayDistinct(arrayConcat([customer, user_id, parent_user_id],
            arrayMap(part -> part.2, JSONExtractKeysAndValues(identity_change, 'String'))))))),
            sipHash64(phone_number_id, id))) AS message_key
    FROM events
    WHERE bitTest(landing_rank, 0)
);

-- The name by which the message's own events call its customer (rules.md F3): its market is that of this name (M2).
ALTER TABLE message_marks ADD COLUMN IF NOT EXISTS recipient String DEFAULT customer;

-- What rows call the customer of events that are landed under a name, where it may be another name (rules.md F9). On disk
-- before `folded_threads` says that the marks are.
CREATE TABLE IF NOT EXISTS customer_names
(
    phone_number_id LowCardinality(String),
    name String,
    version UInt64,
    customer String
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (phone_number_id, name)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1;
