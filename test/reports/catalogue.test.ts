import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import { streamLines, textOfLines } from '../../services/exports/csv-lines.ts';
import { csvText } from '../../services/exports/csv.ts';
import { csvReport, objectReport, readPage, settleReports } from '../../services/exports/report.ts';
import type { Database } from '../../services/clickhouse/database.ts';
import { DeadLetters } from '../../services/ledger/events/dead-letters.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { eraseCustomer } from '../../services/erasure/erase.ts';
import type { OutcomeCells } from '../../schemas/outcomes.ts';
import { importOutcomes } from '../../services/outcomes/outcomes.ts';
import { closePeriod } from '../../services/periods/periods.ts';
import { importRateFile } from '../../services/rating/rate-cards.ts';
import { makeClaim } from '../../services/reconciliation/claim-register.ts';
import { DEFAULT_TOLERANCE } from '../../services/reconciliation/judgement.ts';
import { accountsToReconcile, differingRows, reconcileMonth } from '../../services/reconciliation/reconcile.ts';
import { makeWriteOff } from '../../services/reconciliation/write-off-register.ts';
import { rowKeyOf } from '../../schemas/meta.ts';
import { importInvoice, keepInvoiceMapping } from '../../services/reconciliation/invoices.ts';
import { importMetaAnswers } from '../../services/reconciliation/imports.ts';
import { REPORTS, reportOf, type ReportName } from '../../services/catalogue/catalogue.ts';
import { UnknownPositionError } from '../../services/reports/paging.ts';
import { parametersOf } from '../../services/reports/parameters.ts';
import { reference } from '../support/reference.ts';
import { describedColumns, tablesOf } from '../../services/reports/report.ts';
import { Prng } from '../../services/simulate/prng.ts';
import { SAMPLE_ACCOUNTS, simulate } from '../../services/simulate/simulate.ts';
import { simulateSpend } from '../../services/simulate/spend.ts';
import { saveView } from '../../services/reports/views.ts';
import { importSpendFile } from '../../services/spend/spend.ts';
import type { Row } from '../oracle/oracle.ts';
import { parsed } from '../support/expected-rows.ts';
import { DataDirectory, openLedger } from '../support/ledger.ts';
import { csvRows } from '../support/product.ts';

const END = Date.UTC(2026, 10, 1) / 1000;
const DAYS = 40;
const MONTH = { from: '2026-10-01', to: '2026-11-01' };
const WABA = SAMPLE_ACCOUNTS[0]!.waba_id;
const BY = 'a test';

const data = new DataDirectory();
let ledger: Ledger;

const filtersOf = (name: ReportName, only: Partial<ReportFilters> = {}): ReportFilters => ({
  ...(reportOf(name).days === 'month' ? MONTH : { from: null, to: null }),
  tz: 'UTC',
  as_of: END,
  ...only,
});

/** Statements that the ledger was asked, since somebody emptied the list. */
const statements: string[] = [];

/** Notes every question of reports. */
function listen(database: Database): void {
  const [query, stream] = [database.query.bind(database), database.stream.bind(database)];
  const streamBlocks = database.streamBlocks.bind(database);
  database.query = (row, sql, parameters) => {
    statements.push(sql);
    return query(row, sql, parameters);
  };
  database.stream = (sql, parameters) => {
    statements.push(sql);
    return stream(sql, parameters);
  };
  database.streamBlocks = (sql, parameters) => {
    statements.push(sql);
    return streamBlocks(sql, parameters);
  };
}

async function readCsv(name: ReportName, only: Partial<ReportFilters>): Promise<string> {
  statements.length = 0;
  let text = '';
  for await (const part of csvReport(name, ledger.database, filtersOf(name, only))) text += part;
  return text;
}

/** What was read once of each report: the match of a month takes seconds. */
const read = new Map<ReportName, { readonly csv: string; readonly statements: string; readonly objects: JsonRow[] }>();

async function wholeOf(name: ReportName): Promise<NonNullable<ReturnType<typeof read.get>>> {
  const known = read.get(name);
  if (known !== undefined) return known;
  const csv = await readCsv(name, {});
  const found = { csv, statements: statements.join('\n'), objects: await objectsOf(name) };
  read.set(name, found);
  return found;
}

const rowsOf = async (name: ReportName, only: Partial<ReportFilters>): Promise<Row[]> =>
  csvRows(await readCsv(name, only));

type JsonRow = Readonly<Record<string, unknown>>;

async function objectsOf(name: ReportName, only: Partial<ReportFilters> = {}): Promise<JsonRow[]> {
  const rows: JsonRow[] = [];
  for await (const batch of objectReport(name, ledger.database, filtersOf(name, only))) rows.push(...batch);
  return rows;
}

/** Messages that are rare in traffic: with a tag, failed, in a window that only Meta reports, reported otherwise. */
function rareEvents(): unknown[] {
  const at = END - 3 * 86_400;
  const thread = { waba_id: WABA, phone_number_id: '106540352242922', wa_id: '5511955550000' };
  const template = (id: string, tag: string, timestamp: number): unknown => ({
    event: 'message',
    direction: 'outbound',
    type: 'template',
    template: { name: 'offer', category: 'MARKETING' },
    id,
    tag,
    timestamp,
    ...thread,
  });
  const free = { billable: false, pricing_model: 'PMP', type: 'free_entry_point', category: 'referral_conversion' };
  return [
    ...[1, 2, 3].flatMap((n) => [
      template(`wamid.tagged.${n}`, `campaign ${n % 2}`, at + n),
      { event: 'status', status: 'delivered', id: `wamid.tagged.${n}`, timestamp: at + 10 + n, ...thread },
    ]),
    ...[1, 2].flatMap((n) => [
      template(`wamid.failed.${n}`, `campaign ${n}`, at + n),
      {
        event: 'status',
        status: 'failed',
        id: `wamid.failed.${n}`,
        timestamp: at + 20 + n,
        errors: [{ code: 131_046 + n, title: `Error ${n}` }],
        ...thread,
      },
    ]),
    ...[1, 2].flatMap((n) => {
      const other = { ...thread, phone_number_id: `20654035224292${n}`, wa_id: `551195555000${n}` };
      const id = `wamid.reported.${n}`;
      return [
        {
          event: 'status',
          status: 'delivered',
          id,
          timestamp: at + n,
          pricing: free,
          conversation: {
            id: `reported ${n}`,
            expiration_timestamp: at + 80_000,
            origin: { type: 'referral_conversion' },
          },
          ...other,
        },
      ];
    }),
  ];
}

/** Leads and purchases of a few conversations. */
async function someOutcomes(): Promise<OutcomeCells[]> {
  const entries = await ledger.database.query(
    z.object({ entry_id: z.string(), at: z.coerce.number() }),
    'SELECT entry_id, toUnixTimestamp(entry_at) AS at FROM entry_marks FINAL ORDER BY entry_id LIMIT 6',
  );
  return entries.flatMap(({ entry_id, at }) => [
    { kind: 'lead', time: String(at + 60), conversation_id: entry_id },
    { kind: 'purchase', time: String(at + 600), conversation_id: entry_id, value: '12.5', currency: 'USD' },
  ]);
}

async function importFiles(): Promise<void> {
  const { database } = ledger;
  const directory = new URL('../../services/sample/rates/', import.meta.url);
  for (const name of readdirSync(directory).sort())
    await importRateFile(database, {
      name,
      bytes: readFileSync(new URL(name, directory)),
      effective: name.slice(-'YYYY-MM-DD.csv'.length, -'.csv'.length),
      model: 'message',
      by: BY,
    });
  for (const at of ['/', '/ads', '/billing'])
    await saveView(database, { name: `View of ${at}`, at, query: 'campaign=Autumn' }, BY);
  for (const { name, text } of simulateSpend({ days: DAYS, seed: 5, end_at: END }))
    await importSpendFile(database, { name, bytes: Buffer.from(text), by: BY });
  await importOutcomes(database, await someOutcomes(), BY);
  const point = (day: number, category: string, cost: number): unknown => ({
    start: Date.UTC(2026, 9, day) / 1000,
    end: Date.UTC(2026, 9, day + 1) / 1000,
    country: 'BR',
    pricing_type: 'REGULAR',
    pricing_category: category,
    volume: 100 + day,
    cost,
  });
  const answer = (waba_id: string, cost: number): object => ({
    id: waba_id,
    pricing_analytics: {
      data: [{ data_points: [1, 2].flatMap((day) => [point(day, 'MARKETING', cost), point(day, 'UTILITY', cost)]) }],
    },
  });
  const ids = SAMPLE_ACCOUNTS.slice(0, 2).map(({ waba_id }) => waba_id);
  const answers = [
    ...ids.map((waba_id) => answer(waba_id, 6.5)),
    // What Meta says later of the same days is a restatement.
    ...ids.map((waba_id) => ({
      ...answer(waba_id, 7.5),
      analytics: {
        data_points: [1, 2].map((day) => ({
          start: Date.UTC(2026, 9, day) / 1000,
          end: Date.UTC(2026, 9, day + 1) / 1000,
          sent: 50 + day,
          delivered: 40 + day,
        })),
      },
      business_invoices: { data: [{ id: `${waba_id}.1` }, { id: `${waba_id}.2` }] },
    })),
  ];
  for (const [i, value] of answers.entries())
    await importMetaAnswers(database, [{ name: `meta ${i}.json`, bytes: Buffer.from(JSON.stringify(value)) }], {
      days: 'utc',
      asked: { from: '2026-10-01', to: '2026-10-03' },
      by: BY,
    });
  await keepInvoiceMapping(
    database,
    { name: 'plain', columns: { month: 'Month', amount: 'Amount' }, currency: 'USD' },
    BY,
  );
  await importInvoice(
    database,
    {
      name: 'invoice.csv',
      bytes: Buffer.from('Month,Amount\n2026-10,1.5\n2026-10,2.5\n2026-09,3\n'),
      waba_id: WABA,
      by: BY,
    },
    'plain',
  );
  for (const waba_id of ids)
    for (const amount of ['1.5', '2.5'])
      await makeClaim(database, {
        ...{ waba_id, month: '2026-10', explanation: 'unexplained', amount, currency: 'USD' },
        ...{ reference: '', note: '', by: BY },
      });
}

/** Writes off a row of October of each account. */
async function writeOffOneEach(): Promise<void> {
  const { database } = ledger;
  for (const waba_id of await accountsToReconcile(database, '2026-10')) {
    const asked = { waba_id, month: '2026-10' };
    const [first] = differingRows(await reconcileMonth(database, asked, DEFAULT_TOLERANCE));
    if (first === undefined) continue;
    const rows = [rowKeyOf(first.row)];
    await makeWriteOff(database, { ...asked, rows, reason: 'immaterial', note: 'not worth a claim', by: BY });
  }
}

beforeAll(async () => {
  const limits = { write_off_amount: '1000', write_off_messages: 1_000 };
  ledger = await openLedger(data, 'catalogue', { accounts: SAMPLE_ACCOUNTS.map((one) => ({ ...one, ...limits })) });
  const { database } = ledger;
  const traffic = [...simulate({ threads: 120, days: DAYS, seed: 5, end_at: END })];
  await ledger.record(parsed([...traffic.map((line) => JSON.parse(line) as unknown), ...rareEvents()]));
  await importFiles();
  const letters = new DeadLetters(database);
  for (const [i, code] of (['not_json', 'schema', 'schema'] as const).entries())
    await letters.add({
      source: 'events.ndjson',
      partition: 0,
      position: i,
      code,
      message: 'It cannot be read.',
      raw: Buffer.from(`line ${i}`),
    });
  await letters.flush();
  for (const customer of ['5511955550001', '5511955550002'])
    await eraseCustomer(database, { customer, phone_number_id: '', by: BY });
  await settleReports(REPORTS, database);
  await writeOffOneEach();
  await closePeriod(database, { waba_id: WABA, month: '2026-10', accept: true, by: BY }, () => (END + 86_400) * 1000);
  // What comes after the closing is an adjustment.
  const late = { waba_id: WABA, phone_number_id: '106540352242922', wa_id: '5511955559999' };
  await ledger.record(
    parsed(
      ['MARKETING', 'UTILITY'].flatMap((category, i) => [
        {
          event: 'message',
          direction: 'outbound',
          type: 'template',
          template: { name: 'late', category },
          id: `wamid.late.${i}`,
          timestamp: END - 10 * 86_400,
          ...late,
        },
        { event: 'status', status: 'delivered', id: `wamid.late.${i}`, timestamp: END - 10 * 86_400 + 5, ...late },
      ]),
    ),
  );
  await settleReports(REPORTS, database);
  listen(database);
});
afterAll(async () => {
  await ledger.close();
  await data.remove();
});

/** The columns of docs/reports.md. */
function documentedColumns(name: ReportName): string[] {
  const document = readFileSync(new URL('../../docs/reports.md', import.meta.url), 'utf8');
  const section = document.split(/^## /m).find((text) => text.startsWith(`${name}\n`)) ?? '';
  return [...section.matchAll(/^\| `(\w+)` \|/gm)].map(([, column = '']) => column);
}

/** A value that nothing has. */
const NOBODY = 'no such value';

/** The column that a filter compares, where a report prints it. */
function columnOf(name: ReportName, filter: string): string | undefined {
  const { columns } = reportOf(name);
  if (filter === 'category' && columns.includes('rated_category')) return 'rated_category';
  // Of an ad there are also the rows under its address; a search finds parts of a number.
  if (['ad', 'q', 'state'].includes(filter)) return undefined;
  return columns.includes(filter) ? filter : undefined;
}

const isOfType: Readonly<Record<string, (value: unknown) => boolean>> = {
  text: (value) => typeof value === 'string',
  integer: Number.isSafeInteger,
  number: Number.isFinite,
  boolean: (value) => typeof value === 'boolean',
  decimal: (value) => typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value),
  time: (value) => typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:\d\d|Z)$/.test(value),
};

describe.each(REPORTS)('report %s', (name) => {
  const report = reportOf(name);

  it('has the same columns in CSV, JSON, catalogue and reference, with the types that it says', async () => {
    const columns = describedColumns(report);
    const names = columns.map((column) => column.name);
    const { csv, objects } = await wholeOf(name);
    expect(csv.slice(0, csv.indexOf('\n')).split(',')).toEqual(names);
    expect(documentedColumns(name)).toEqual(names);
    const rows = csvRows(csv);
    expect(rows.length).toBeGreaterThan(0);
    expect(objects.map((row) => Object.keys(row))).toEqual(rows.map(() => names));
    for (const column of columns) {
      expect(column.meaning).toMatch(/^\S.*\.$/s);
      const wrong = objects.filter((row) => {
        const value = row[column.name];
        if (value === null) return !column.is_nullable;
        if (column.values.length > 0 && !column.values.includes(String(value))) return true;
        return !isOfType[column.type]!(value);
      });
      expect([column.name, column.type, wrong.map((row) => row[column.name]).slice(0, 3)]).toEqual([
        column.name,
        column.type,
        [],
      ]);
    }
    // A cell that a spreadsheet would run begins with an apostrophe in CSV alone.
    const cells = objects.map((row) => names.map((column) => String(row[column] ?? '')));
    expect(rows.map((row) => names.map((column) => row[column]!.replace(/^'(?=[=+\-@])/, '')))).toEqual(cells);
  });

  it('is narrowed by each of its filters', async () => {
    const all = csvRows((await wholeOf(name)).csv);
    for (const filter of report.filters) {
      const without = await rowsOf(name, { [filter]: NOBODY });
      expect([filter, without.length < all.length || without.length === 1]).toEqual([filter, true]);
      expect(without, filter).not.toEqual(all);
      const column = columnOf(name, filter);
      if (column === undefined) continue;
      const value = all.at(-1)![column]!;
      expect(await rowsOf(name, { [filter]: value }), `${filter}=${value}`).toEqual(
        all.filter((row) => row[column] === value),
      );
    }
  });

  it('gives every row exactly once, in its order, page by page', async () => {
    // A month held against Meta's numbers is dear to read: one account of it, and fewer pages.
    const isMonth = report.days === 'month' && report.filters.includes('waba_id');
    const only = isMonth ? { waba_id: WABA } : {};
    const all = isMonth ? await objectsOf(name, only) : (await wholeOf(name)).objects;
    const limit = Math.max(1, Math.ceil(all.length / (isMonth ? 2 : 4)));
    const asked = { filters: filtersOf(name, only), by: 'sent' } as const;
    const paged: JsonRow[] = [];
    let pages = 0;
    for (let after: string | null = null; ; pages++) {
      const page = await readPage(name, ledger.database, { ...asked, page: { limit, after } });
      expect(csvRows(page.csv)).toHaveLength(page.rows.length);
      paged.push(...page.rows);
      after = page.next;
      if (after === null) break;
      expect(page.rows).toHaveLength(limit);
    }
    expect(paged).toEqual(all);
    expect(pages).toBe(Math.ceil(all.length / limit) - 1);
    const elsewhere = readPage(name, ledger.database, { ...asked, page: { limit, after: '["1"]' } });
    // A report of one row without a key has a place alone.
    await (name === 'overview' ? elsewhere : expect(elsewhere).rejects.toThrow(UnknownPositionError));
  });

  it('reads no table that it does not name', async () => {
    const { database } = ledger;
    const tables = await database.query(
      z.object({ name: z.string() }),
      'SELECT name FROM system.tables WHERE database = currentDatabase()',
    );
    const only = Object.fromEntries(report.filters.map((filter) => [filter, '1']));
    const isOfZone = parametersOf(report).includes('tz');
    const asked = [only, ...(isOfZone ? [{ tz: 'Asia/Tokyo', is_tz_given: true }] : [])];
    const texts = [{ filters: {}, text: (await wholeOf(name)).statements }];
    for (const filters of asked) {
      await readCsv(name, filters);
      texts.push({ filters, text: statements.join('\n') });
    }
    for (const { filters, text } of texts) {
      const found = tables
        .map((table) => table.name)
        .filter((table) => new RegExp(`\\b(FROM|JOIN)\\s+${table}\\b`).test(text));
      const said = tablesOf(report, filtersOf(name, filters));
      expect([filters, found.filter((table) => !said.includes(table))]).toEqual([filters, []]);
      expect(found.length).toBeGreaterThan(0);
    }
  });
});

it('has columns of one name that are of one type, but for what the contract calls alike', () => {
  const types = new Map<string, Set<string>>();
  for (const name of REPORTS)
    for (const column of describedColumns(reportOf(name)))
      types.set(column.name, (types.get(column.name) ?? new Set()).add(column.type));
  const several = [...types].filter(([, kinds]) => kinds.size > 1).map(([name]) => name);
  expect(several.sort()).toEqual(['billable', 'line', 'unrated', 'volume']);
});

it('is what docs/reports.md says', async () => {
  await expect(reference()).toMatchFileSnapshot('../../docs/reports.md');
});

describe('CSV as ClickHouse writes it', () => {
  it.each(REPORTS.filter((name) => reportOf(name).statement !== undefined))(
    'is that of the rows of %s',
    async (name) => {
      const report = reportOf(name);
      for (const tz of ['UTC', 'America/Sao_Paulo']) {
        let text = csvText([report.columns]);
        const asked = { filters: filtersOf(name, { tz }), by: 'sent', page: null } as const;
        for await (const batch of report.rows(ledger.database, asked)) text += csvText(batch);
        expect(await readCsv(name, { tz })).toBe(text);
        expect(csvRows(text).length).toBeGreaterThan(0);
      }
    },
  );

  it('is that of any text, and is read back as what it was', async () => {
    const { database } = ledger;
    const prng = new Prng(20_261_129);
    const parts = [
      '"',
      '""',
      ',',
      '\n',
      '\r',
      '\r\n',
      '=',
      '+',
      '-',
      '@',
      '\t',
      "'",
      '\\',
      '\0',
      '\x1b',
      '\u2028',
      ' ',
      '.',
    ];
    const words = ['a', '12', '0.5', '-12.50', '+5', '1.', 'é', '漢', '😀', 'NULL', '\\N', 'x'.repeat(40)];
    const cell = (): string => {
      // Most cells are harmless, so that lines of both kinds lie beside each other.
      if (prng.chance(0.6)) return prng.chance(0.3) ? '' : prng.pick(words);
      return Array.from({ length: prng.int(1, 6) }, () => prng.pick(prng.chance(0.6) ? parts : words)).join('');
    };
    const rows = Array.from({ length: 5_000 }, () => [cell(), cell(), cell()]);
    rows[17] = ['=', `${'a,"b"\n😀'.repeat(300_000)}`, ''];
    await database.command('CREATE TABLE any_text (n UInt32, a String, b String, c String) ENGINE = Memory');
    const lines = rows.map((row, n) => `${JSON.stringify([n, ...row])}\n`).join('');
    await database.insertLines('any_text', ['n', 'a', 'b', 'c'], lines);
    const statement = { sql: 'SELECT * FROM any_text', cells: ['a', 'b', 'c'], order: ['n'], parameters: {} };
    for (const columns of [[0, 1, 2], [1]]) {
      let text = '';
      for await (const block of streamLines(database, statement, columns))
        for (const piece of textOfLines(block)) text += piece;
      const asked = rows.map((row) => columns.map((at) => row[at] ?? ''));
      // Not `toBe`: what differs would be megabytes of words.
      expect(text === csvText(asked)).toBe(true);
      const found = csvRows(`${csvText([columns.map(String)])}${text}`).map((row) => Object.values(row));
      expect(found.length).toBe(rows.length);
      const different = found.findIndex((row, i) =>
        row.some((value, k) => value !== asked[i]?.[k] && value !== `'${asked[i]?.[k] ?? ''}`),
      );
      expect(different).toBe(-1);
    }
    await database.command('DROP TABLE any_text');
  });
});
