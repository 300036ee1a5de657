import { createHash } from 'node:crypto';
import { z } from 'zod';
import {
  accountSchema,
  DEFAULT_POLICY_SETTINGS,
  policySchema,
  type Account,
  type Config,
  type PolicySettings,
} from '@ctwa-ledger/schemas/config.ts';
import { canonicalJson, compareUtf8 } from '@ctwa-ledger/schemas/json.ts';
import { RULES_DATE } from '../../lifecycle/rulebook.ts';
import type { Database } from '../../clickhouse/database.ts';

/** Accounts and policy, as the ledger keeps them. */
export interface Settings {
  /** Accounts of the last configuration file that gave any; they win over those set by command. */
  readonly file_accounts: readonly Account[];
  readonly policy: PolicySettings;
}

/** The configuration that marks are computed under. */
export interface Configuration {
  readonly epoch: bigint;
  /** Hash of what decides marks: zones, numbers, policy. Names and currencies do not change it. */
  readonly hash: string;
  readonly settings: Settings;
  /** Effective accounts: the file's, then those set by command that the file does not list. */
  readonly accounts: readonly Account[];
}

const settingsSchema = z.object({ file_accounts: z.array(accountSchema), policy: policySchema });

/** The accounts in force: a configuration file wins over a command, account by account. */
export function effectiveAccounts(fromFile: readonly Account[], byCommand: readonly Account[]): Account[] {
  const listed = new Set(fromFile.map((account) => account.waba_id));
  return [...fromFile, ...byCommand.filter((account) => !listed.has(account.waba_id))].sort((a, b) =>
    compareUtf8(a.waba_id, b.waba_id),
  );
}

/** A hash of what decides marks besides the events. The order in which it was written does not change it. */
export function configurationHash(accounts: readonly Account[], policy: PolicySettings): string {
  const deciding = [...accounts]
    .map((a) => ({
      waba_id: a.waba_id,
      time_zone: a.time_zone ?? 'UTC',
      phone_number_ids: [...(a.phone_number_ids ?? [])].sort(compareUtf8),
    }))
    .filter((a) => a.time_zone !== 'UTC' || a.phone_number_ids.length > 0)
    .sort((a, b) => compareUtf8(a.waba_id, b.waba_id));
  const settled = { ...policy, entry_sources: [...new Set(policy.entry_sources)].sort(compareUtf8) };
  return createHash('sha256')
    .update(canonicalJson({ rules: RULES_DATE, accounts: deciding, policy: settled }))
    .digest('hex');
}

/** Accounts set with `accounts set`. */
export async function readCommandAccounts(database: Database): Promise<Account[]> {
  const rows = await database.query(
    z.object({ account: z.string() }),
    'SELECT account FROM accounts FINAL ORDER BY waba_id',
  );
  return rows.map((row) => accountSchema.parse(JSON.parse(row.account)));
}

/** Keeps an account set by command. If it changes marks, they are folded again when the ledger is next opened. */
export async function writeCommandAccount(database: Database, account: Account): Promise<void> {
  await database.command('INSERT INTO accounts SELECT {waba_id:String}, {account:String}, now64(3)', {
    waba_id: account.waba_id,
    account: canonicalJson(account),
  });
}

/** The configuration in force; null on a ledger that has none yet. */
export async function readConfiguration(database: Database): Promise<Configuration | null> {
  const [[row], byCommand] = await Promise.all([
    database.query(
      z.object({ epoch: z.string(), hash: z.string(), settings: z.string() }),
      'SELECT toString(epoch) AS epoch, hash, settings FROM configuration FINAL ORDER BY configuration.epoch DESC LIMIT 1',
    ),
    readCommandAccounts(database),
  ]);
  if (row === undefined) return null;
  const settings = settingsSchema.parse(JSON.parse(row.settings));
  return {
    epoch: BigInt(row.epoch),
    hash: row.hash,
    settings,
    accounts: effectiveAccounts(settings.file_accounts, byCommand),
  };
}

/** Whether this epoch and hash are in force: asked after every write of marks, so it reads nothing else. */
export async function isCurrent(database: Database, epoch: bigint, hash: string): Promise<boolean> {
  const [row] = await database.query(
    z.object({ epoch: z.string(), hash: z.string() }),
    'SELECT toString(epoch) AS epoch, hash FROM configuration FINAL ORDER BY configuration.epoch DESC LIMIT 1',
  );
  return row !== undefined && row.epoch === epoch.toString() && row.hash === hash;
}

export async function writeConfiguration(
  database: Database,
  epoch: bigint,
  hash: string,
  settings: Settings,
): Promise<void> {
  await database.command(
    'INSERT INTO configuration SELECT {epoch:UInt64}, {hash:String}, {settings:String}, now64(3)',
    { epoch: epoch.toString(), hash, settings: canonicalJson(settings) },
  );
}

/** Whether processes that changed the configuration at the same moment gave one epoch to different configurations. */
export async function isContested(database: Database, epoch: bigint): Promise<boolean> {
  const [row] = await database.query(
    z.object({ n: z.coerce.number() }),
    'SELECT uniqExact(hash) AS n FROM configuration WHERE epoch = {epoch:UInt64}',
    { epoch: epoch.toString() },
  );
  return row !== undefined && row.n > 1;
}

/** The settings after a command was given a configuration file; a key that the file leaves out stays as it was. */
export function settingsGiven(current: Settings | null, given: Config | null): Settings {
  return {
    file_accounts: given?.accounts ?? current?.file_accounts ?? [],
    policy: given?.policy ?? current?.policy ?? DEFAULT_POLICY_SETTINGS,
  };
}
