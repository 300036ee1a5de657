import { writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { DoneMetaImport } from '../../schemas/meta.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import {
  importMetaAnswers,
  listMetaImports,
  withdrawMetaImport,
  type MetaImportOptions,
} from '../../services/reconciliation/imports.ts';
import { DataDirectory, openLedger, run, succeed, withLedger } from '../support/ledger.ts';
import { file } from './meta.ts';
import { WABA, ZONE } from './world.ts';

const data = new DataDirectory();
let ledger: Ledger;

beforeAll(async () => {
  ledger = await openLedger(data, 'meta', { accounts: [{ waba_id: WABA, time_zone: ZONE, currency: 'BRL' }] });
});
afterAll(async () => {
  await ledger.close();
  await data.remove();
});
const TABLES = ['meta_imports', 'meta_points', 'meta_lines', 'import_files'] as const;
/** Most tests here store nothing, and show it. */
let hasStored = false;
afterEach(async () => {
  if (hasStored) for (const table of TABLES) await ledger.database.command(`TRUNCATE TABLE ${table}`);
  hasStored = false;
});

const OPTIONS: MetaImportOptions = { days: 'account', asked: null, by: 'ana' };

/** Midnight of a day of October in the zone of the account. */
const midnight = (day: number): number => Date.parse('2026-10-01T03:00:00Z') / 1000 + (day - 1) * 86_400;

function point(day: number, rest: object = {}): Record<string, unknown> {
  return {
    start: midnight(day),
    end: midnight(day + 1),
    phone_number: '15550783881',
    country: 'BR',
    pricing_type: 'REGULAR',
    pricing_category: 'MARKETING',
    tier: '0:MAX',
    volume: 2,
    cost: 0.125,
    ...rest,
  };
}

const series = (...data_points: unknown[]) => ({ data: [{ data_points }] });
const answerOf = (...points: unknown[]) => ({ pricing_analytics: series(...points), id: WABA });

async function takeFiles(files: ReturnType<typeof file>[], options: Partial<MetaImportOptions> = {}) {
  const done = await importMetaAnswers(ledger.database, files, { ...OPTIONS, ...options });
  hasStored = true;
  return done;
}

const take = (value: unknown, options: Partial<MetaImportOptions> = {}, name = 'a.json') =>
  takeFiles([file(name, value)], options);

async function stored(): Promise<string[]> {
  const rows = await ledger.database.query(
    z.object({ one: z.string() }),
    `SELECT concat(toString(day), ' ', phone_number, ' ', country, ' ', pricing_type, ' ', category, ' ', tier, ' ',
        toString(volume), ' ', ifNull(toString(cost), '-')) AS one
     FROM meta_points FINAL ORDER BY one`,
  );
  return rows.map(({ one }) => one);
}

describe('every shape of an answer is taken', () => {
  const expected = ['2026-10-01 15550783881 BR REGULAR MARKETING 0:MAX 2 0.125'];

  it.each<[string, unknown, Partial<MetaImportOptions>]>([
    ['the field in an account', answerOf(point(1)), {}],
    ['the field alone', { pricing_analytics: series(point(1)) }, { waba_id: WABA }],
    ['a page of accounts', { data: [answerOf(point(1))], paging: { cursors: { after: 'x' }, next: 'https://y' } }, {}],
    ['without key or id', series(point(1)), { waba_id: WABA, field: 'pricing_analytics' }],
    ['a list', [answerOf(point(1))], {}],
    ['words in other letters', answerOf(point(1, { pricing_type: 'regular', pricing_category: 'Marketing' })), {}],
    ['texts for numbers', answerOf(point(1, { start: String(midnight(1)), volume: '2', cost: '0.125' })), {}],
    ['a plus before the number', answerOf(point(1, { phone_number: '+1 555-078-3881' })), {}],
    [
      'several series, added up',
      {
        pricing_analytics: {
          data: [
            { data_points: [point(1, { volume: 1, cost: 0.1 })] },
            { data_points: [point(1, { volume: 1, cost: 0.025 })] },
          ],
        },
        id: WABA,
      },
      {},
    ],
  ])('%s', async (_, value, options) => {
    expect(await take(value, options)).toMatchObject([
      { waba_id: WABA, field: 'pricing_analytics', outcome: 'imported', volume: '2', cost: '0.125', note: null },
    ]);
    expect(await stored()).toEqual(expected);
  });

  it('unknown words are kept, and what was not asked for is empty', async () => {
    const { start, end } = point(1);
    await take(
      answerOf(
        { start, end, pricing_type: 'free-something-new', volume: 7 },
        { start, end, pricing_type: 'REGULAR', volume: 1, cost: null },
      ),
    );
    expect(await stored()).toEqual(['2026-10-01   FREE_SOMETHING_NEW   7 -', '2026-10-01   REGULAR   1 -']);
    expect(await listMetaImports(ledger.database)).toMatchObject([{ dimensions: ['pricing_type'], cost: null }]);
  });

  it('amounts are kept to the twelfth digit', async () => {
    const text = JSON.stringify(answerOf(point(1, { cost: 'COST' })));
    await take(text.replace('"COST"', '123456789012345.12345678'));
    await take(
      text
        .replace('"COST"', '4.600000000000000123')
        .replaceAll(String(midnight(1)), String(midnight(2)))
        .replace(`"end":${midnight(2)}`, `"end":${midnight(3)}`),
      {},
      'b.json',
    );
    expect((await stored()).map((line) => line.split(' ').at(-1))).toEqual(['123456789012345.12345678', '4.6']);
  });

  it('conversations have their own words', async () => {
    const { start, end } = point(1);
    await take({
      conversation_analytics: series({
        start,
        end,
        conversation: 3,
        conversation_type: 'FREE_ENTRY',
        conversation_category: 'service',
        conversation_direction: 'UNKNOWN',
        cost: 0,
      }),
      id: WABA,
    });
    expect(await stored()).toEqual(['2026-10-01   FREE_ENTRY SERVICE  3 0']);
  });

  it('other fields are kept line by line, as they are', async () => {
    const analytics = {
      phone_numbers: ['15550783881'],
      granularity: 'DAY',
      data_points: [{ start: midnight(1), end: midnight(2), sent: 9, delivered: 8 }],
    };
    const invoice = {
      id: '1',
      invoice_type: 'INV',
      billed_amount_details: { currency: 'BRL', total_amount: '1,234.50' },
    };
    await take({ id: WABA, analytics });
    await take({ data: [invoice] }, { waba_id: WABA, field: 'business_invoices' }, 'invoices.json');
    const lines = await ledger.database.query(
      z.object({ line: z.string(), starts_at: z.string().nullable() }),
      `SELECT line, toString(meta_lines.starts_at) AS starts_at FROM meta_lines FINAL ORDER BY line`,
    );
    expect(lines.map(({ line, starts_at }) => [JSON.parse(line) as unknown, starts_at])).toEqual([
      [invoice, null],
      [{ phone_numbers: ['15550783881'], granularity: 'DAY', ...analytics.data_points[0] }, '2026-10-01 03:00:00'],
    ]);
  });

  it('pages of one answer count together, wherever they are cut', async () => {
    const open = { ...series(point(1)), paging: { next: 'https://graph.example/next' } };
    const pages = [file('1.json', { pricing_analytics: open, id: WABA }), file('2.json', series(point(2)))];
    expect(await takeFiles(pages)).toMatchObject([{ first_day: '2026-10-01', last_day: '2026-10-02', volume: '4' }]);
  });
});

describe('what holds of several imports', () => {
  it('is the latest; the same file again changes nothing, and the files are kept', async () => {
    const value = answerOf(point(1));
    const [first] = await take(value);
    expect(await take(value)).toMatchObject([{ import_id: first!.import_id, outcome: 'unchanged' }]);
    await take(answerOf(point(1, { volume: 5 })), {}, 'b.json');
    // An old file that is found again does not push away what is newer.
    expect(await take(value)).toMatchObject([{ outcome: 'unchanged' }]);
    expect((await listMetaImports(ledger.database)).map(({ name, state }) => [name, state])).toEqual([
      ['b.json', 'holds'],
      ['a.json', 'replaced'],
    ]);
    const [raw] = await ledger.database.query(
      z.object({ raw: z.string() }),
      'SELECT raw FROM import_files FINAL INNER JOIN (SELECT arrayJoin(checksums) AS checksum FROM meta_imports FINAL WHERE name = {name:String}) AS kept USING checksum',
      { name: 'a.json' },
    );
    expect(raw?.raw).toBe(JSON.stringify(value));
    await withdrawMetaImport(ledger.database, first!.import_id, 'ben');
    expect(await take(value)).toMatchObject([{ outcome: 'imported' }]);
    expect((await listMetaImports(ledger.database)).map(({ state }) => state)).toEqual(['holds', 'replaced']);
  });

  it('is nothing of those that are given together when one of them cannot be taken', async () => {
    const files = [file('good.json', answerOf(point(1))), file('bad.json', '{"pricing_analytics":')];
    await expect(takeFiles(files)).rejects.toThrow(/bad\.json.*ends too early/s);
    expect(await listMetaImports(ledger.database)).toEqual([]);
    expect(await stored()).toEqual([]);
  });
});

describe('what cannot be taken says why, and changes nothing', () => {
  const asked = { from: '2026-10-01', to: '2026-11-01' };

  it.each<[string, unknown, Partial<MetaImportOptions>, RegExp]>([
    ['no JSON', 'Market,Currency\n', {}, /is not JSON/],
    ['a file that ends early', JSON.stringify(answerOf(point(1))).slice(0, 120), {}, /ends too early/],
    ['an empty file', '', {}, /ends too early/],
    [
      'an error of the API',
      { error: { message: 'Session has expired', code: 190 } },
      {},
      /code 190: Session has expired/,
    ],
    ['another document', { rows: [] }, {}, /no answer of the Graph API/],
    ['no account', { pricing_analytics: series(point(1)) }, {}, /which account it is about. Say it with --waba/],
    ['no field', series(point(1)), { waba_id: WABA }, /Say it with --field/],
    ['another account', answerOf(point(1)), { waba_id: '1' }, /about account 102290129340398, but --waba says 1/],
    [
      'days of another zone',
      answerOf(point(1, { start: midnight(1) + 3_600, end: midnight(2) + 3_600 })),
      {},
      /data_points\[0\].*not whole days of America\/Sao_Paulo/s,
    ],
    ['two days in one', answerOf(point(1, { end: midnight(3) })), {}, /They are whole days in no zone/],
    [
      'a half hour over midnight',
      answerOf(point(1, { start: midnight(2) - 900, end: midnight(2) + 900 })),
      {},
      /not whole days/,
    ],
    [
      'days and half hours',
      answerOf(point(1), point(1, { end: midnight(1) + 1_800 })),
      {},
      /of a half hour, but .* of a day: what lies in both would be counted twice/,
    ],
    ['a day of another month', answerOf(point(32)), { asked }, /of 2026-11-01, which is not among the days/],
    ['a volume that is none', answerOf(point(1, { volume: 1.5 })), {}, /volume: "1.5" is not a whole number/],
    ['a negative volume', answerOf(point(1, { volume: -1 })), {}, /volume: "-1" is not a whole number/],
    ['no volume', answerOf(point(1, { volume: undefined })), {}, /volume: It is missing/],
    ['a cost that is none', answerOf(point(1, { cost: 'free' })), {}, /cost: "free" is not an amount/],
    ['a time that is none', answerOf(point(1, { start: 'today' })), {}, /start: "today" is not a time/],
    ['a word too long', answerOf(point(1, { country: 'B'.repeat(101) })), {}, /longer than 100 characters/],
    ['no points', answerOf(), {}, /names no day. Say which days were asked for/],
    ['no such field', { id: WABA }, {}, /either nothing, or a missing permission. Say which days/],
    [
      'one page of several',
      { pricing_analytics: { ...series(point(1)), paging: { next: 'https://x' } }, id: WABA },
      {},
      /its next page was not given/,
    ],
    ['a deep nest', `${'['.repeat(100)}${']'.repeat(100)}`, {}, /nested more than 64 deep/],
  ])('%s', async (_, value, options, message) => {
    await expect(take(value, options)).rejects.toThrow(message);
    for (const table of TABLES) {
      const rows = await ledger.database.query(z.object({}), `SELECT 1 AS one FROM ${table} LIMIT 1`);
      expect(rows).toEqual([]);
    }
  });

  it('two files about the same day', async () => {
    const files = [file('1.json', answerOf(point(1))), file('2.json', answerOf(point(1, { volume: 9 })))];
    await expect(takeFiles(files)).rejects.toThrow(/1\.json and 2\.json both speak of 2026-10-01/);
  });

  it('what has nothing in it is taken for the days that were asked for, with a note', async () => {
    expect(await take({ id: WABA }, { asked })).toMatchObject([
      {
        first_day: '2026-10-01',
        last_day: '2026-10-31',
        volume: '0',
        note: expect.stringMatching(/nothing on these days, or a missing permission/) as unknown,
      },
    ]);
  });
});

describe('on the command line', () => {
  const CLI = 'ctwa_ledger';

  it('a month is imported, reconciled, exported and withdrawn', async () => {
    await withLedger(data, CLI, () => Promise.resolve(), {
      accounts: [{ waba_id: WABA, time_zone: ZONE, currency: 'BRL' }],
    });
    const path = data.file('answer.json');
    writeFileSync(
      path,
      JSON.stringify(answerOf(point(1), point(2, { pricing_type: 'FREE_ENTRY_POINT', tier: undefined, cost: 0 }))),
    );
    const imported = await succeed(data, ['meta', 'import', path]);
    expect(JSON.parse(imported.stdout)).toMatchObject({ outcome: 'imported', volume: '4', cost: '0.125' });
    const incomplete = await run(data, ['reconcile', '--month', '2026-10']);
    expect([incomplete.code, incomplete.stdout]).toEqual([1, '']);
    expect(incomplete.stderr).toMatch(/missing for 29 days of 2026-10: 2026-10-03, /);
    await succeed(data, ['meta', 'import', path, '--from', '2026-10-01', '--to', '2026-11-01']);
    const reconciled = await run(data, ['reconcile', '--month', '2026-10']);
    expect(reconciled.code).toBe(3);
    expect(JSON.parse(reconciled.stdout)).toEqual({
      month: '2026-10',
      waba_id: WABA,
      rows: 2,
      match: 0,
      within_tolerance: 0,
      different: 2,
      our_volume: 0,
      meta_volume: 4,
      our_cost: '0',
      meta_cost: '0.125',
      currency: 'BRL',
      gross_volume_difference: 4,
      gross_cost_difference: '0.125',
      explained_volume: 4,
      unexplained_volume: 0,
    });
    const exported = await succeed(data, ['export', 'reconciliation', '--month', '2026-10', '--waba', WABA]);
    expect(exported.stdout).toBe(
      [
        'waba_id,month,day,phone_number,country,category,pricing_type,tier,our_volume,meta_volume,volume_difference,currency,our_cost,meta_cost,cost_difference,status,explanation,explained_volume',
        `${WABA},2026-10,2026-10-01,15550783881,BR,MARKETING,REGULAR,0:MAX,0,2,-2,BRL,0,0.125,-0.125,only_meta,unknown_number,2`,
        `${WABA},2026-10,2026-10-02,15550783881,BR,ANY,FREE_ENTRY_POINT,,0,2,-2,BRL,0,0,0,only_meta,unknown_number,2`,
        '',
      ].join('\n'),
    );
    const withdrawn = await succeed(data, [
      'meta',
      'withdraw',
      (JSON.parse(imported.stdout) as DoneMetaImport).import_id,
    ]);
    expect(JSON.parse(withdrawn.stdout)).toMatchObject({ state: 'withdrawn', imported_by: userInfo().username });
  });
});
