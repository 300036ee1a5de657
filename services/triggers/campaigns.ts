import { z } from 'zod';
import type { Database } from '../clickhouse/database.ts';
import { LABELS_IN_FORCE } from '../spend/spend.ts';

/** The campaign of each ad, from imported ad spend. */
export type Campaigns = ReadonlyMap<string, string>;

export async function campaignsOfAds(database: Database): Promise<Campaigns> {
  const rows = await database.query(
    z.object({ ad_id: z.string(), campaign_name: z.string() }),
    `SELECT ad_id, campaign_name FROM (${LABELS_IN_FORCE}) WHERE campaign_name != ''`,
  );
  return new Map(rows.map(({ ad_id, campaign_name }) => [ad_id, campaign_name]));
}
