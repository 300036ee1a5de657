-- Summaries of rows of one shape: messages, entries and windows, each with the quarter hour, ad and kind of ad that it counts for.
SELECT
    phone_number_id, at AS cell_at, ad AS ad_id, source AS source_type,
    %version% AS version,
    countIf(part = 'message') AS messages,
    countIf(part = 'message' AND mark != 'UNDELIVERED') AS delivered,
    countIf(mark = 'BILLABLE') AS billable,
    countIf(mark = 'FREE_ENTRY') AS free_entry,
    countIf(mark = 'FREE_SERVICE') AS free_service,
    countIf(mark = 'COVERED') AS covered,
    countIf(mark = 'UNKNOWN') AS unknown,
    sum(mismatch) AS mismatches,
    sum(is_reported) AS reported_messages,
    sum(allowance) AS allowance_differences,
    sum(odd) AS odd_reports,
    countIf(mark = 'FREE_ENTRY' AND alternative = 'BILLABLE') AS saved_from_charge,
    sum(in_window) AS free_messages,
    countIf(part = 'entry') AS entries,
    minIf(toNullable(time), part = 'entry') AS first_entry_at,
    maxIf(toNullable(time), part = 'entry') AS last_entry_at,
    countIf(part = 'entry' AND starts = 1) AS ad_conversations,
    groupArrayIf(assumeNotNull(seconds), part = 'entry' AND starts = 1 AND replied = 1) AS seconds_to_reply,
    groupArrayIf(assumeNotNull(last_entry), part = 'entry' AND starts = 1 AND replied = 0) AS unreplied_last_entry_at,
    countIf(part = 'window') AS windows_opened,
    countIf(part = 'window' AND confirmed = 1) AS windows_confirmed,
    countIf(part = 'lost referral') AS lost_referrals,
    sum(opens_reported) AS windows_reported_only,
    sum(in_reported) AS messages_reported_only,
    sum(is_renamed) AS customers_differ
FROM
(
%rows%
)
GROUP BY phone_number_id, at, ad, source
