import { suggestionRow, type Suggested, type Suggestion } from '@ctwa-ledger/schemas/suggestions.ts';
import type { Database } from '../clickhouse/database.ts';
import { LABELS_IN_FORCE } from '../spend/spend.ts';

/** Suggestions for one text. */
const MAX_SUGGESTIONS = 50;

const ofCharges = (column: string): string =>
  `SELECT DISTINCT toString(${column}) AS value, '' AS name FROM charge_days WHERE volume > 0 AND ${column} != ''`;
const ofLabels = (column: string): string => `SELECT DISTINCT ${column} AS value, '' AS name FROM (${LABELS_IN_FORCE})`;

/** The values of each filter, with names of ids. */
const VALUES: Readonly<Record<Suggested, string>> = {
  ad: `SELECT ad_id AS value, arrayStringConcat(arrayFilter(text -> text != '', [max(ad_name), max(title), max(campaign_name)]), ' · ') AS name FROM
    (
      SELECT ad_id, ad_name, '' AS title, campaign_name FROM (${LABELS_IN_FORCE})
      UNION ALL
      SELECT ad_id, '', argMaxIfMerge(ad_referrals.headline), '' FROM ad_referrals WHERE ad_id != '' GROUP BY ad_id
    ) GROUP BY ad_id`,
  campaign: ofLabels('campaign_name'),
  adset: ofLabels('adset_name'),
  waba_id: ofCharges('waba_id'),
  phone_number_id: `${ofCharges('phone_number_id')} UNION DISTINCT
    SELECT DISTINCT toString(phone_number_id), '' FROM summary_cells`,
  market: ofCharges('market'),
  category: ofCharges('category'),
  billing: ofCharges('billing'),
  tag: "SELECT DISTINCT tag AS value, '' AS name FROM message_marks WHERE tag != ''",
};

/** Values of a filter that contain a text, in any letter case, or whose name does. */
export function suggestions(database: Database, of: Suggested, text: string): Promise<Suggestion[]> {
  return database.query(
    suggestionRow,
    `SELECT value, name FROM (${VALUES[of]})
     WHERE value != '' AND ({text:String} = '' OR positionCaseInsensitiveUTF8(concat(value, '\\n', name), {text:String}) > 0)
     ORDER BY name = '', lower(name), value LIMIT ${MAX_SUGGESTIONS}`,
    { text },
  );
}
