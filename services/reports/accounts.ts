import type { ListedAccount } from '@ctwa-ledger/schemas/changes.ts';
import { z } from 'zod';
import { readConfiguration } from '../ledger/configuration.ts';
import type { Database } from '../ledger/database.ts';

const seenRow = z.object({ waba_id: z.string(), delivered: z.number(), numbers: z.array(z.string()) });

export const ACCOUNTS_COLUMNS = [
  'waba_id',
  'name',
  'currency',
  'time_zone',
  'portfolio_id',
  'delivered_messages',
  'set_by',
  'phone_number_ids',
] as const;

/** Report `accounts`: `ACCOUNTS_COLUMNS` of {@link accounts}; what is not configured is null. */
export async function accountRows(
  database: Database,
): Promise<Record<(typeof ACCOUNTS_COLUMNS)[number], string | number | null>[]> {
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

/** Accounts that are configured, and those that messages name, by id; one without an id stands for messages that name none. */
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
