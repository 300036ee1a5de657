    SELECT phone_number_id, cell_at AS at, ad_id AS ad, source_type AS source, 'message' AS part,
        cell_at AS time,
        billing AS mark, without_free_entry AS alternative, is_mismatch AS mismatch, is_reported,
        is_allowance_difference AS allowance, odd_reports AS odd, is_in_window AS in_window,
        0 AS starts, 0 AS replied, CAST(NULL AS Nullable(Int64)) AS seconds,
        CAST(NULL AS Nullable(DateTime('UTC'))) AS last_entry, 0 AS confirmed,
        opens_reported_window AS opens_reported, is_in_reported_window AS in_reported, is_renamed
    FROM messages_by_time FINAL
    WHERE (phone_number_id, cell_at) IN cells
    UNION ALL
    -- An entry counts where it came, and where its window opened. Not FINAL: that would merge all entries each time.
    SELECT phone_number_id, toStartOfFifteenMinutes(moment.2) AS at, ad_id, source_type, moment.1,
        moment.2, '', '', 0, 0, 0, 0, 0,
        starts_conversation, conversation_is_replied, conversation_seconds_to_reply, conversation_last_entry_at, is_confirmed, 0, 0, 0
    FROM
    (
        SELECT * FROM entry_marks
        WHERE (phone_number_id, entry_id) IN
        (
            SELECT phone_number_id, entry_id FROM entry_marks
            WHERE toStartOfFifteenMinutes(entry_at) IN (SELECT cell_at FROM cells)
               OR toStartOfFifteenMinutes(ifNull(opened_at, toDateTime(0, 'UTC'))) IN (SELECT cell_at FROM cells)
        )
        ORDER BY version DESC LIMIT 1 BY phone_number_id, entry_id
    )
    ARRAY JOIN if(opened_at IS NULL, [('entry', entry_at)], [('entry', entry_at), ('window', assumeNotNull(opened_at))]) AS moment
    WHERE is_retracted = 0 AND (phone_number_id, toStartOfFifteenMinutes(moment.2)) IN cells
    UNION ALL
    SELECT phone_number_id, toStartOfFifteenMinutes(written_at) AS at, '', '', 'lost referral',
        written_at, '', '', 0, 0, 0, 0, 0, 0, 0, NULL, NULL, 0, 0, 0, 0
    FROM lost_referrals FINAL
    WHERE (phone_number_id, at) IN cells
    UNION ALL
    SELECT phone_number_id, cell_at, ad_id, source_type, 'stood',
        cell_at, '', '', 0, 0, 0, 0, 0, 0, 0, NULL, NULL, 0, 0, 0, 0
    FROM summary_cells
    WHERE (phone_number_id, cell_at) IN cells
