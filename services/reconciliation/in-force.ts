import { COUNTED_FIELDS } from '@ctwa-ledger/schemas/meta.ts';

const COUNTED = COUNTED_FIELDS.map((field) => `'${field}'`).join(', ');

/** Every day that an import covers. */
export const SPOKEN_DAYS = `
  SELECT import_id, waba_id, toString(field) AS field, toString(days) AS days, time_zone, is_monthly, dimensions, imported_at,
    arrayJoin(arrayFlatten(arrayMap(
      (first, last) -> arrayMap(n -> first + n, range(toUInt32(last - first + 1))), first_days, last_days))) AS day
  FROM meta_imports FINAL
  WHERE withdrawn_at IS NULL AND field IN (${COUNTED})`;

/** The numbers in an import; the empty one if it has none. */
export const NAMED_NUMBERS = `
  SELECT import_id, arrayJoin(if(empty(numbers), [''], numbers)) AS phone_number
  FROM (SELECT import_id FROM meta_imports FINAL) AS imports
  LEFT JOIN (SELECT import_id, groupUniqArray(toString(phone_number)) AS numbers FROM meta_points FINAL GROUP BY import_id) AS named
    USING import_id`;

/**
 * The import in force for a day and number, among those of the same account, field, kind of days and set of dimensions:
 * the latest one with the number (contract.md 7). A number that a later answer does not contain keeps its earlier
 * points. Sets are not distinguished by tier, because an answer without a charged message has no tier, whatever was
 * requested.
 */
export const META_IN_FORCE = `
  SELECT waba_id, field, days, time_zone, is_monthly, arrayFilter(dimension -> dimension != 'tier', dimensions) AS split, day,
    phone_number, argMax(spoken.import_id, (spoken.imported_at, spoken.import_id)) AS import_id,
    max(spoken.imported_at) AS latest_at
  FROM (${SPOKEN_DAYS}) AS spoken
  INNER JOIN (${NAMED_NUMBERS}) AS named USING import_id
  GROUP BY waba_id, field, days, time_zone, is_monthly, split, day, phone_number`;
