import type { ListedAccount } from '@ctwa-ledger/schemas/changes.ts';
import { count } from '@ctwa-ledger/schemas/cells.ts';
import { z } from 'zod';
import { readConfiguration } from '../ledger/configuration/configuration.ts';
import type { Database } from '../clickhouse/database.ts';
import { columnsOf, whole } from './report.ts';

const seenRow = z.object({ waba_id: z.string(), delivered: z.number(), numbers: z.array(z.string()) });

const accountRow = z.object({
  waba_id: z.string(),
  name: z.string().nullable().describe('Name of the account; null where none is set.'),
  currency: z.string().nullable().describe('Currency of its amounts, ISO 4217; null where none is set.'),
  time_zone: z.string().nullable().describe('IANA time zone of its days; null where none is set.'),
  portfolio_id: z.string().nullable(),
  delivered_messages: count,
  set_by: z.enum(['configuration file', 'command']).nullable(),
  phone_number_ids: z.string(),
});
export const ACCOUNTS_COLUMNS = columnsOf(accountRow);

/** The rows of report `accounts`, see {@link accounts}; what is not configured is null. */
async function accountRows(database: Database): Promise<z.infer<typeof accountRow>[]> {
  return (await accounts(database)).map(({ account, set_by, delivered_messages, phone_number_ids }) => ({
    waba_id: account.waba_id,
    name: account.name ?? null,
    currency: account.currency ?? null,
    time_zone: account.time_zone ?? null,
    portfolio_id: account.portfolio_id ?? null,
    delivered_messages,
    set_by,
    phone_number_ids: phone_number_ids.join(' '),
  }));
}

/**
 * The configured accounts and those that messages name, by id. An empty id stands for messages that name no account.
 */
export async function accounts(database: Database): Promise<ListedAccount[]> {
  const configuration = await readConfiguration(database);
  const seen = await database.query(
    seenRow,
    `SELECT toString(waba_id) AS waba_id, toUInt32(sum(volume)) AS delivered, arraySort(groupUniqArray(toString(phone_number_id))) AS numbers
     FROM charge_days FINAL WHERE volume > 0 GROUP BY waba_id`,
  );
  const byId = new Map(seen.map((row) => [row.waba_id, row]));
  const fromFile = new Set(configuration?.settings.file_accounts.map((account) => account.waba_id));
  const configured = new Map((configuration?.accounts ?? []).map((account) => [account.waba_id, account]));
  return [...new Set([...configured.keys(), ...byId.keys()])].sort().map((waba_id) => {
    const account = configured.get(waba_id);
    return {
      account: account ?? { waba_id },
      set_by: account === undefined ? null : fromFile.has(waba_id) ? 'configuration file' : 'command',
      delivered_messages: byId.get(waba_id)?.delivered ?? 0,
      phone_number_ids: byId.get(waba_id)?.numbers ?? [],
    };
  });
}

export const accountsReport = whole({
  name: 'accounts',
  one_row_per: 'account that is configured or seen in messages',
  row: accountRow,
  days: 'none',
  filters: [],
  settles: ['charges'],
  reads: ['charge_days', 'configuration', 'accounts'],
  key: ['waba_id'],
  rows: accountRows,
});
