import { META_FIELDS, type MetaField } from '@ctwa-ledger/schemas/meta.ts';
import { monthSchema } from '@ctwa-ledger/schemas/periods.ts';
import { isDay } from '@ctwa-ledger/schemas/report-filters.ts';
import { DateTime } from 'luxon';
import { ActionableError } from '../../clickhouse/errors.ts';
import { fetchMetaAnswers } from '../../reconciliation/fetch.ts';
import { GraphClient } from '../../reconciliation/graph-client.ts';
import { importMetaAnswers, listMetaImports, withdrawMetaImport } from '../../reconciliation/imports.ts';
import type { AskedDays } from '../../reconciliation/points.ts';
import { readGivenFile } from '../given-file.ts';
import { withExistingLedger, withLedger } from '../open.ts';
import { writeLines } from '../output.ts';
import { environment, UsageError, type CommonOptions } from '../settings.ts';
import { userName } from '../user.ts';

export interface AskedDaysOptions {
  readonly from?: string;
  readonly to?: string;
}

export interface MetaImportCommandOptions extends CommonOptions, AskedDaysOptions {
  readonly waba?: string;
  readonly field?: string;
  readonly days?: 'utc';
  readonly incoming?: boolean;
}

/** A range of more days is probably a typing mistake. */
const MAX_DAYS = 366;

/** @throws UsageError when only one end is given, or an end is no day */
export function askedDays({ from, to }: AskedDaysOptions): AskedDays | null {
  if (from === undefined && to === undefined) return null;
  if (from === undefined || to === undefined)
    throw new UsageError('Give both --from and --to: the first day that was asked for, and the day after the last.');
  for (const [name, day] of [
    ['--from', from],
    ['--to', to],
  ] as const)
    if (!isDay(day)) throw new UsageError(`${name} "${day}" is not a date; use YYYY-MM-DD.`);
  if (from >= to) throw new UsageError(`--from ${from} is not before --to ${to}; "--to" is exclusive.`);
  if ((Date.parse(to) - Date.parse(from)) / 86_400_000 > MAX_DAYS)
    throw new UsageError(`${from} to ${to} is more than a year. Meta answers for at most one year.`);
  return { from, to };
}

export function fieldOf(name: string | undefined): MetaField | undefined {
  const field = META_FIELDS.find((known) => known === name);
  if (name !== undefined && field === undefined)
    throw new UsageError(`--field "${name}" must be one of ${META_FIELDS.join(', ')}.`);
  return field;
}

/** Prints one JSON object per account and field: the result of the import. */
export async function metaImport(paths: readonly string[], options: MetaImportCommandOptions): Promise<void> {
  const field = fieldOf(options.field);
  const asked = askedDays(options);
  const files = paths.map(readGivenFile);
  await withLedger('meta import', options, async ({ database }) => {
    const done = await importMetaAnswers(database, files, {
      waba_id: options.waba,
      field,
      days: options.days ?? 'account',
      asked,
      ...(options.incoming === true ? { counts: { direction: 'incoming' } } : {}),
      by: userName(),
    });
    writeLines(done);
    for (const { note, outcome, import_id } of done) {
      if (note !== null) process.stderr.write(`${note}\n`);
      if (outcome === 'unchanged')
        process.stderr.write(`${import_id} was imported before and was not withdrawn: nothing changes.\n`);
    }
  });
}

export interface MetaFetchOptions extends CommonOptions, AskedDaysOptions {
  readonly waba?: string;
  readonly month?: string;
}

const GRAPH_URL = 'https://graph.facebook.com/v24.0';

function graphClient(): GraphClient {
  const token = environment('META_ACCESS_TOKEN');
  if (token === null)
    throw new UsageError('META_ACCESS_TOKEN is not set: it is the token for requests to Meta. Set it.');
  const url = environment('META_GRAPH_URL') ?? GRAPH_URL;
  if (!URL.canParse(url) || !/^https?:/.test(url))
    throw new UsageError(`META_GRAPH_URL "${url}" is not an http(s) address; use one like ${GRAPH_URL}.`);
  return new GraphClient({ url, token });
}

/** The days to fetch: those given, else the finished days since the begin of the last month. */
function daysToFetch(options: MetaFetchOptions, zone: string): AskedDays {
  const today = DateTime.now().setZone(zone).startOf('day');
  const text = (day: DateTime): string => day.toFormat('yyyy-MM-dd');
  if (options.month !== undefined && !monthSchema.safeParse(options.month).success)
    throw new UsageError(`"${options.month}" is not a month; write it as YYYY-MM.`);
  const first = DateTime.fromISO(`${options.month ?? '2000-01'}-01`, { zone: 'utc' });
  const given =
    options.month === undefined ? askedDays(options) : { from: text(first), to: text(first.plus({ months: 1 })) };
  const { from, to } = given ?? { from: text(today.minus({ months: 1 }).startOf('month')), to: text(today) };
  if (from >= text(today))
    throw new UsageError(`${from} is not over yet: Meta's numbers of a day are there when it is.`);
  return { from, to: to < text(today) ? to : text(today) };
}

/** Prints one JSON object per account and month: the result of importing Meta's answer. */
export async function metaFetch(options: MetaFetchOptions): Promise<void> {
  const client = graphClient();
  if (options.month !== undefined && (options.from !== undefined || options.to !== undefined))
    throw new UsageError('--month already covers all of its days: leave out --from and --to.');
  await withLedger('meta fetch', options, async (ledger) => {
    const accounts = ledger.accounts.filter(({ waba_id }) => options.waba === undefined || waba_id === options.waba);
    if (accounts.length === 0)
      throw new ActionableError(
        options.waba === undefined
          ? 'No account is configured: set one with "ctwa-ledger accounts set".'
          : `There is no account ${options.waba}. List the ids with "ctwa-ledger accounts list".`,
      );
    const each = accounts.map((account) => ({ account, days: daysToFetch(options, account.time_zone ?? 'UTC') }));
    await fetchMetaAnswers(ledger.database, client, { accounts: each, by: userName(), counts: true }, (done) => {
      writeLines([done]);
      if (done.note !== null) process.stderr.write(`${done.note}\n`);
    });
  });
}

/** Prints one JSON object per import, replaced and withdrawn ones included. */
export async function metaList(options: CommonOptions): Promise<void> {
  await withExistingLedger('meta list', options, async ({ database }) => {
    writeLines(await listMetaImports(database));
  });
}

export async function metaWithdraw(import_id: string, options: CommonOptions): Promise<void> {
  await withExistingLedger('meta withdraw', options, async ({ database }) => {
    writeLines([await withdrawMetaImport(database, import_id, userName())]);
  });
}
