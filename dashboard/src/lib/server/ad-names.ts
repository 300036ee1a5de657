import type { Reports } from '@ctwa-ledger/schemas/reports.ts';

import type { Names } from '../filters/picked.ts';

/** The names of some ads by id, and of posts their headlines. Empty ids are left out; without ids nothing is read. */
export async function readAdNames(reports: Pick<Reports, 'adNames'>, ad_ids: readonly string[]): Promise<Names['ads']> {
  const ids = [...new Set(ad_ids.filter((id) => id !== ''))];
  const named = ids.length === 0 ? [] : await reports.adNames(ids);
  return Object.fromEntries(
    named.flatMap(({ ad_id, ad_name, headline }) => (ad_name || headline ? [[ad_id, ad_name || headline]] : [])),
  );
}
