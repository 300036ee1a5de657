import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { configSchema, type Config } from '@ctwa-ledger/schemas/config.ts';
import type { Location } from '../clickhouse/database.ts';
import { ActionableError } from '../clickhouse/errors.ts';

/** A command was called wrongly: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const DEFAULT_DATA_DIR = '.data';
const CONFIG_FILE = 'ctwa-ledger.config.json';

export interface CommonOptions {
  readonly data?: string;
  readonly config?: string;
}

/** A variable of the environment; null when it is unset or empty. */
export function environment(name: string): string | null {
  const value = process.env[name];
  return value === undefined || value === '' ? null : value;
}

/** Folder of scheduled exports, below the data directory of an embedded ledger. */
export const EXPORTS_FOLDER = 'exports';

/** The place of the ledger: the server in `CLICKHOUSE_URL`, else the embedded engine in the data directory. */
export function locationOf(options: CommonOptions): Location {
  const url = environment('CLICKHOUSE_URL');
  if (url === null) return { kind: 'embedded', dataDir: resolve(options.data ?? DEFAULT_DATA_DIR) };
  if (options.data !== undefined)
    throw new UsageError(
      '--data is for the embedded ClickHouse, but CLICKHOUSE_URL names a server. Leave out one of the two.',
    );
  const caFile = environment('CLICKHOUSE_CA_FILE');
  const readUser = environment('CLICKHOUSE_READ_USER');
  if (!/^https?:\/\//.test(url))
    throw new UsageError(`CLICKHOUSE_URL "${url}" is not an http(s) address; use one like https://clickhouse:8443.`);
  if (new URL(url).username !== '')
    throw new UsageError(
      'CLICKHOUSE_URL contains a user or password. Set them as CLICKHOUSE_USER and CLICKHOUSE_PASSWORD.',
    );
  return {
    kind: 'server',
    url,
    username: environment('CLICKHOUSE_USER') ?? 'default',
    password: environment('CLICKHOUSE_PASSWORD') ?? '',
    ca: caFile === null ? null : readText(caFile, 'CLICKHOUSE_CA_FILE'),
    ...(readUser === null
      ? {}
      : { reader: { username: readUser, password: environment('CLICKHOUSE_READ_PASSWORD') ?? '' } }),
  };
}

/** @throws ActionableError that names the file and its purpose */
export function readText(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ActionableError(
      `${what}: ${path} cannot be read (${error instanceof Error ? error.message : String(error)}).`,
    );
  }
}

export function databaseName(): string {
  return environment('CLICKHOUSE_DATABASE') ?? 'ctwa_ledger';
}

export function webhookSecrets(): { readonly appSecret: string | null; readonly verifyToken: string | null } {
  return { appSecret: environment('META_APP_SECRET'), verifyToken: environment('META_VERIFY_TOKEN') };
}

/** Signs requests of triggers; null = none is sent. */
export function triggerSecret(): string | null {
  return environment('CTWA_TRIGGER_SECRET');
}

/** The configuration file, checked; null when there is none (contract.md 5). */
export function readConfig(options: CommonOptions): Config | null {
  const named = options.config ?? environment('CTWA_CONFIG');
  const path = named ?? (existsSync(CONFIG_FILE) ? CONFIG_FILE : null);
  if (path === null) return null;
  const text = readText(path, 'The configuration file');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ActionableError(
      `The configuration file ${path} is not JSON (${error instanceof Error ? error.message : String(error)}).`,
    );
  }
  const parsed = configSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue === undefined || issue.path.length === 0 ? 'at the top' : `at "${issue.path.join('.')}"`;
  throw new ActionableError(
    `The configuration file ${path} is wrong ${where}: ${issue?.message ?? 'unknown'}. Correct it and run the command again.`,
  );
}
