-- What a landing names and touches, gathered by thread first: the names of a customer are found once for each thread, not for
-- each event. Half of the time that the two views took of a large insert was that. The rows are the same as before. Under new
-- names: what another process lands meanwhile is noted by the old view, the new one, or both.
CREATE MATERIALIZED VIEW IF NOT EXISTS message_names_by_thread TO message_names AS
SELECT noted.1 AS message_key, phone_number_id, customer, nameless_id, noted.2 AS name
FROM
(
    SELECT phone_number_id, customer, nameless_id,
        arrayJoin(arrayConcat(arrayMap(key -> (key, ''), keys), if(is_apart, [],
            arrayMap(part -> (sipHash64('name', phone_number_id, part), part), arrayFilter(part -> part != '', arrayDistinct(arrayConcat([customer, user_id, parent_user_id],
            arrayMap(part -> part.2, JSONExtractKeysAndValues(identity_change, 'String'))))))))) AS noted
    FROM
    (
        SELECT phone_number_id, customer, if(customer = '', id, '') AS nameless_id, group_id != '' OR customer = '' AS is_apart,
            user_id, parent_user_id, identity_change, arrayDistinct(groupArray(sipHash64(phone_number_id, id))) AS keys
        FROM events
        GROUP BY phone_number_id, customer, nameless_id, is_apart, user_id, parent_user_id, identity_change
    )
);

DROP TABLE IF EXISTS message_names_by_landing;

CREATE MATERIALIZED VIEW IF NOT EXISTS touched_by_thread TO touched AS
SELECT landing, phone_number_id, customer, nameless_id, message_key
FROM
(
    SELECT landing, phone_number_id, customer, nameless_id,
        arrayJoin(arrayConcat(keys, if(is_apart, [],
            arrayMap(part -> sipHash64('name', phone_number_id, part), arrayFilter(part -> part != '', arrayDistinct(arrayConcat([customer, user_id, parent_user_id],
            arrayMap(part -> part.2, JSONExtractKeysAndValues(identity_change, 'String'))))))))) AS message_key
    FROM
    (
        SELECT bitNot(landing_rank) AS landing, phone_number_id, customer, if(customer = '', id, '') AS nameless_id,
            group_id != '' OR customer = '' AS is_apart,
            user_id, parent_user_id, identity_change, arrayDistinct(groupArray(sipHash64(phone_number_id, id))) AS keys
        FROM events
        WHERE bitTest(landing_rank, 0)
        GROUP BY landing, phone_number_id, customer, nameless_id, is_apart, user_id, parent_user_id, identity_change
    )
);

DROP TABLE IF EXISTS touched_by_landing;
