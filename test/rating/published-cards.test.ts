import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { EffectiveDayError } from '../../services/rating/effective-day.ts';
import { importRateFile, listRateCards, previewRateFile, type RateFile } from '../../services/rating/rate-cards.ts';
import { DataDirectory, openLedger, run, succeed } from '../support/ledger.ts';
import { sheetOfCsv, workbookOf } from '../support/workbook.ts';

const data = new DataDirectory();
let ledger: Ledger;

beforeAll(async () => {
  ledger = await openLedger(data, 'published');
});
afterAll(async () => {
  await ledger.close();
  await data.remove();
});
beforeEach(async () => {
  for (const table of ['rate_cards', 'rates']) await ledger.database.command(`TRUNCATE TABLE ${table}`);
});

const caseFile = (name: string): Buffer => readFileSync(new URL(`../cases/${name}`, import.meta.url));
const LIST = caseFile('30-list-card-2026.csv');
const TIERS = caseFile('31-volume-tiers-as-published.csv');
const CONVERSATIONS = caseFile('34-cbp-card-2024.csv');
const undated = Buffer.from('per message\nMarket,Currency,Marketing,Utility,Authentication\nBrazil,USD,1,1,1\n');

const file = (bytes: Buffer, how: Partial<RateFile> = {}): RateFile & { by: string } => ({
  name: 'f',
  bytes,
  by: 'ana',
  ...how,
});

const listed = async (): Promise<string[]> =>
  (await listRateCards(ledger.database)).map((card) =>
    [card.currency, card.model, card.kind, card.effective_date, card.state, card.rates].join(' '),
  );

describe('a file as it is published', () => {
  it('is in force from the day that it names, each rate to the last decimal', async () => {
    await importRateFile(ledger.database, file(LIST));
    await importRateFile(ledger.database, file(TIERS));
    await importRateFile(ledger.database, file(CONVERSATIONS));
    expect(await listed()).toEqual([
      'USD conversation list 2024-08-01 holds 15',
      'USD message list 2026-04-01 holds 25',
      'USD message tiers 2026-04-01 holds 12',
    ]);
    const prices = await ledger.database.query(
      z.object({ price: z.string() }),
      `SELECT concat(toString(rates.from_place), ' ', toString(rate)) AS price FROM rates FINAL
       INNER JOIN (SELECT card_id FROM rate_cards FINAL WHERE kind = 'tiers') AS tiers USING card_id
       WHERE market = 'Brazil' AND category = 'utility' ORDER BY rates.from_place`,
    );
    expect(prices.map(({ price }) => price)).toEqual(['1 0.0061', '3 0.0055', '2000001 0.005']);
  });

  it('is the same as a workbook of the list and the tiers, whatever its name says', async () => {
    const workbook = await workbookOf(
      sheetOfCsv('List', LIST.toString('utf8')),
      sheetOfCsv('Tiers', TIERS.toString('utf8')),
    );
    const cards = await importRateFile(ledger.database, file(workbook, { name: 'usd.csv' }));
    expect(cards).toMatchObject([
      { kind: 'list', outcome: 'imported', effective_date: '2026-04-01' },
      { kind: 'tiers', outcome: 'imported', effective_date: '2026-04-01' },
    ]);
    expect(await listed()).toEqual(['USD message list 2026-04-01 holds 25', 'USD message tiers 2026-04-01 holds 12']);
    expect(await importRateFile(ledger.database, file(workbook))).toMatchObject([
      { outcome: 'unchanged' },
      { outcome: 'unchanged' },
    ]);
  });

  it('with two sheets for the same day is taken where they say the same, else refused as a whole', async () => {
    const text = LIST.toString('utf8');
    const [first, same] = [sheetOfCsv('A', text), sheetOfCsv('B', text)];
    const other = sheetOfCsv('C', text.replace('0.0611', '0.0612'));
    await expect(importRateFile(ledger.database, file(await workbookOf(first, other)))).rejects.toThrow(
      'has two sheets with different USD rates (list, per message) for 2026-04-01',
    );
    expect(await listed()).toEqual([]);
    expect(await importRateFile(ledger.database, file(await workbookOf(first, same)))).toHaveLength(1);
    const october = sheetOfCsv('D', text.replace('April 1, 2026', 'October 1, 2026').replace('0.0611', '0.07'));
    expect(await importRateFile(ledger.database, file(await workbookOf(first, october)))).toHaveLength(2);
  });
});

describe('the day of a file', () => {
  it.each<[string, Buffer, Partial<RateFile>, string | RegExp]>([
    ['named', CONVERSATIONS, {}, '2024-08-01'],
    ['named and given', CONVERSATIONS, { effective: '2024-08-01' }, '2024-08-01'],
    ['given', undated, { effective: '2026-11-01' }, '2026-11-01'],
    ['given anyway', CONVERSATIONS, { effective: '2026-11-01', effective_anyway: true }, '2026-11-01'],
    ['neither', undated, {}, /^f does not say from which day.*--effective YYYY-MM-DD.*"effective October 1, 2026"/],
    [
      'both and different',
      CONVERSATIONS,
      { effective: '2026-11-01' },
      /^f says itself that it is effective 2024-08-01, but --effective 2026-11-01 was given.*--effective-anyway/,
    ],
    [
      'one of two',
      Buffer.from(`effective 2026-01-01 and effective 2026-02-01\n${undated.toString()}`),
      { effective: '2026-02-01' },
      '2026-02-01',
    ],
    [
      'two',
      Buffer.from(`effective 2026-01-01 and effective 2026-02-01\n${undated.toString()}`),
      {},
      /^f names several days \(effective 2026-01-01 and 2026-02-01\).*--effective/,
    ],
  ])('%s', async (_, bytes, how, day) => {
    for (const act of [previewRateFile, importRateFile]) {
      const done = act(ledger.database, file(bytes, how));
      if (typeof day === 'string') expect(await done).toMatchObject([{ effective_date: day }]);
      else {
        await expect(done).rejects.toThrow(day);
        await expect(done).rejects.toBeInstanceOf(EffectiveDayError);
        expect(await listed()).toEqual([]);
      }
    }
  });
});

describe('the command line', () => {
  it('takes a file as it is published, and refuses another day than its own', async () => {
    const path = data.file('card.xlsx');
    writeFileSync(path, await workbookOf(sheetOfCsv('Rates', CONVERSATIONS.toString('utf8'))));
    const other = await run(data, ['rates', 'import', path, '--effective', '2026-11-01']);
    expect([other.code, other.stdout]).toEqual([1, '']);
    expect(other.stderr).toMatch(/card\.xlsx says itself that it is effective 2024-08-01, but --effective 2026-11-01/);
    expect((await succeed(data, ['rates', 'import', path, '--dry-run'])).stdout).toContain(
      '"effective_date":"2024-08-01"',
    );
    const anyway = ['--effective', '2026-11-01', '--effective-anyway'];
    expect((await succeed(data, ['rates', 'import', path, ...anyway])).stdout).toContain(
      '"effective_date":"2026-11-01"',
    );
    const list = (await succeed(data, ['rates', 'list'])).stdout.trimEnd().split('\n');
    expect(list).toHaveLength(1);

    writeFileSync(
      path,
      await workbookOf(sheetOfCsv('Rates', CONVERSATIONS.toString('utf8').replace('0.0625', '0.06.25'))),
    );
    const broken = await run(data, ['rates', 'import', path]);
    expect(broken.code).toBe(1);
    expect(broken.stderr).toContain('sheet "Rates", cell C6 (Marketing): "0.06.25" is not a rate');
  });
});
