import { writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { RateModel } from '@ctwa-ledger/schemas/rate-file.ts';
import { BrokenFileError } from '../../services/imports/broken-file.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import {
  MARKET_CHANGES,
  marketKey,
  marketKeySql,
  marketOf,
  MARKETS,
  marketSql,
} from '../../services/rating/markets.ts';
import {
  CARDS_IN_FORCE,
  importRateFile,
  listRateCards,
  previewRateFile,
  withdrawRateCard,
  type RateFile,
} from '../../services/rating/rate-cards.ts';
import { parseRateFile } from '../../services/rating/rate-file.ts';
import { DataDirectory, openLedger, run, succeed, withLedger } from '../support/ledger.ts';

const data = new DataDirectory();
const TABLES = ['rate_cards', 'rates'] as const;

let ledger: Ledger;

beforeAll(async () => {
  ledger = await openLedger(data, 'rates');
});

afterAll(async () => {
  await ledger.close();
  await data.remove();
});

function card(...rows: string[]): string {
  return `Cost per message\nMarket,Currency,Marketing,Utility,Authentication\n${rows.join('\n')}\n`;
}

function file(name: string, text: string, effective = '2026-07-01', model?: RateModel): RateFile & { by: string } {
  return { name, bytes: Buffer.from(text), effective, by: 'ana', ...(model === undefined ? {} : { model }) };
}

/** Begins with no cards. */
async function forget(): Promise<void> {
  for (const table of TABLES) await ledger.database.command(`TRUNCATE TABLE ${table}`);
}

/** Names of the cards that hold, by date. */
async function holding(): Promise<string[]> {
  const rows = await ledger.database.query(
    z.object({ card: z.string() }),
    `SELECT concat(toString(effective_date), ' ', currency, ' ', name) AS card FROM (${CARDS_IN_FORCE}) ORDER BY card`,
  );
  return rows.map((row) => row.card);
}

/** What a card says as the ledger has it, one line per rate. */
async function pricesOf(card_id: string): Promise<string[]> {
  const rows = await ledger.database.query(
    z.object({ price: z.string() }),
    `SELECT concat(market, ' ', category, ' ', toString(from_place), ' ', toString(to_place), ' ', ifNull(toString(rate), 'n/a')) AS price
     FROM rates FINAL WHERE card_id = {card_id:String} ORDER BY price`,
    { card_id },
  );
  return rows.map((row) => row.price);
}

describe('an imported card', () => {
  it('holds, to the last decimal, until it is replaced, and again when that is withdrawn', async () => {
    await forget();
    const first = file('july.csv', card('Brazil,USD,0.12345678,n/a,9999999999.00000001'));
    const [july] = await importRateFile(ledger.database, first);
    expect(july).toMatchObject({
      outcome: 'imported',
      replaces: null,
      follows: null,
      until: null,
      markets: 1,
      rates: 3,
    });
    expect(july?.card_id).toMatch(/^[0-9a-f]{12}$/);
    expect(await pricesOf(july!.card_id)).toEqual([
      'Brazil authentication 1 18446744073709551615 9999999999.00000001',
      'Brazil marketing 1 18446744073709551615 0.12345678',
      'Brazil utility 1 18446744073709551615 n/a',
    ]);

    const [mended] = await importRateFile(ledger.database, file('mended.csv', card('Brazil,USD,0.5,0.5,0.5')));
    expect(mended).toMatchObject({ outcome: 'imported', replaces: july!.card_id });
    expect(await holding()).toEqual(['2026-07-01 USD mended.csv']);

    expect(await importRateFile(ledger.database, first)).toMatchObject([
      { outcome: 'imported', card_id: july!.card_id, replaces: mended!.card_id },
    ]);
    expect(await holding()).toEqual(['2026-07-01 USD july.csv']);
    await importRateFile(ledger.database, file('mended.csv', card('Brazil,USD,0.5,0.5,0.5')));
    expect(await importRateFile(ledger.database, file('mended.csv', card('Brazil,USD,0.5,0.5,0.5')))).toMatchObject([
      { outcome: 'unchanged', card_id: mended!.card_id, replaces: null },
    ]);
    expect(await holding()).toEqual(['2026-07-01 USD mended.csv']);

    expect(await withdrawRateCard(ledger.database, mended!.card_id, 'rui')).toEqual({
      card_id: mended!.card_id,
      outcome: 'withdrawn',
      restores: july!.card_id,
    });
    expect(await withdrawRateCard(ledger.database, mended!.card_id, 'rui')).toMatchObject({ outcome: 'unchanged' });
    expect(await holding()).toEqual(['2026-07-01 USD july.csv']);
    const listed = await listRateCards(ledger.database);
    expect(
      listed.map(({ name, state, imported_by, withdrawn_by }) => [name, state, imported_by, withdrawn_by]),
    ).toEqual([
      ['mended.csv', 'withdrawn', 'ana', 'rui'],
      ['july.csv', 'holds', 'ana', ''],
    ]);

    expect(await importRateFile(ledger.database, file('mended.csv', card('Brazil,USD,0.5,0.5,0.5')))).toMatchObject([
      { outcome: 'imported', card_id: mended!.card_id, replaces: july!.card_id },
    ]);
    expect(await holding()).toEqual(['2026-07-01 USD mended.csv']);
    expect(await listRateCards(ledger.database)).toMatchObject([
      { name: 'mended.csv', state: 'holds', withdrawn_at: null, withdrawn_by: '', markets: 1, rates: 3 },
      { name: 'july.csv', state: 'replaced' },
    ]);
  });

  it('is listed beside those of other dates, currencies, models and kinds', async () => {
    await forget();
    const rows = ['Brazil,USD,1,1,1', 'Brazil,EUR,2,2,2'];
    const { database } = ledger;
    const first = await importRateFile(database, file('a.csv', card(...rows), '2026-07-01'));
    expect(first.map(({ currency }) => currency)).toEqual(['USD', 'EUR']);
    const [october] = await importRateFile(database, file('b.csv', card(rows[0]!), '2026-10-01'));
    expect(october).toMatchObject({ replaces: null, follows: first[0]!.card_id, until: null });
    const [august] = await importRateFile(database, file('c.csv', card(rows[0]!), '2026-08-01'));
    expect(august).toMatchObject({ replaces: null, follows: first[0]!.card_id, until: '2026-10-01' });
    await importRateFile(database, file('d.csv', card(rows[0]!).replace('per message', 'per conversation')));
    await importRateFile(
      database,
      file('e.csv', 'Market,Currency,Message type,From,To,Rate\nBrazil,USD,utility,1,MAX,0.5\n'),
    );
    expect(await holding()).toEqual([
      '2026-07-01 EUR a.csv',
      '2026-07-01 USD a.csv',
      '2026-07-01 USD d.csv',
      '2026-07-01 USD e.csv',
      '2026-08-01 USD c.csv',
      '2026-10-01 USD b.csv',
    ]);
    const [tiers] = (await listRateCards(database)).filter(({ kind }) => kind === 'tiers');
    expect(await pricesOf(tiers!.card_id)).toEqual(['Brazil utility 1 18446744073709551615 0.5']);
  });

  it('counts as later than those before it, whatever the clock says', async () => {
    await forget();
    const { database } = ledger;
    await importRateFile(database, file('old.csv', card('Brazil,USD,1,1,1')));
    await database.command(
      `INSERT INTO rate_cards SELECT * REPLACE (now64(3, 'UTC') + INTERVAL 1 DAY AS imported_at, version + 1 AS version) FROM rate_cards FINAL`,
    );
    await importRateFile(database, file('new.csv', card('Brazil,USD,2,2,2')));
    expect(await holding()).toEqual(['2026-07-01 USD new.csv']);
  });

  it('says which of its markets no customer belongs to', async () => {
    await forget();
    expect(
      await importRateFile(
        ledger.database,
        file('a.csv', card('BRAZIL,USD,1,1,1', 'Atlantis,USD,1,1,1', 'Other,USD,1,1,1')),
      ),
    ).toMatchObject([{ markets: 3, unknown_markets: ['Atlantis'] }]);
  });

  it('that is not there cannot be withdrawn', async () => {
    await expect(withdrawRateCard(ledger.database, '000000000000', 'ana')).rejects.toThrow(
      'There is no rate card "000000000000". List the ids with "ctwa-ledger rates list".',
    );
  });
});

describe('an import', () => {
  it('that ends between the rates and the card has changed nothing, and can be run again', async () => {
    await forget();
    const { database } = ledger;
    await importRateFile(database, file('a.csv', card('Brazil,USD,1,1,1')));
    const command = database.command.bind(database);
    database.command = () => Promise.reject(new Error('The process was killed.'));
    const next = file('b.csv', card('Brazil,USD,2,2,2', 'Brazil,EUR,2,2,2'));
    await expect(importRateFile(database, next)).rejects.toThrow('killed');
    database.command = command;
    expect(await holding()).toEqual(['2026-07-01 USD a.csv']);
    expect(await listRateCards(database)).toHaveLength(1);
    expect(await importRateFile(database, next)).toMatchObject([{ outcome: 'imported' }, { outcome: 'imported' }]);
    expect(await holding()).toEqual(['2026-07-01 EUR b.csv', '2026-07-01 USD b.csv']);
    expect((await listRateCards(database)).map(({ rates }) => rates)).toEqual([3, 3, 3]);
  });

  it('of a file with a row that cannot be read applies nothing', async () => {
    await forget();
    const broken = file('broken.csv', card('Brazil,USD,1,1,1', 'Peru,USD,1,"1,5",1'));
    const refused = importRateFile(ledger.database, broken);
    await expect(refused).rejects.toThrow(BrokenFileError);
    await expect(refused).rejects.toThrow(
      /^broken\.csv cannot be imported[^]+line 4, column 4 \(Utility\): "1,5" is not a rate/,
    );
    expect(await listRateCards(ledger.database)).toEqual([]);
  });

  it('of thousands of rates keeps all of them', async () => {
    await forget();
    const rows = Array.from({ length: 20_000 }, (_, index) => `Market ${index},USD,0.${index + 1},1,n/a`);
    const [imported] = await importRateFile(ledger.database, file('large.csv', card(...rows)));
    const parsed = await parseRateFile(Buffer.from(card(...rows)));
    expect(imported).toMatchObject({ rates: 60_000 });
    expect(await listRateCards(ledger.database)).toMatchObject([{ markets: 20_000, rates: 60_000 }]);
    expect(await pricesOf(imported!.card_id)).toEqual(
      (parsed.ok ? parsed.cards[0]!.rates : [])
        .map((r) => `${r.market} ${r.category} ${r.from_place} ${r.to_place} ${r.rate ?? 'n/a'}`)
        .sort(),
    );
  });
});

describe('a preview', () => {
  it('shows what would change against the card before, and changes nothing', async () => {
    await forget();
    const { database } = ledger;
    const [july] = await importRateFile(
      database,
      file('a.csv', card('Brazil,USD,0.10,0.2,n/a', 'Peru,USD,1,1,1', 'Rest of  Africa,USD,1,1,1')),
    );
    const next = file(
      'b.csv',
      card('brazil,USD,0.1,0.25,0.3', 'Poland,USD,1,1,1', 'Rest of Africa,USD,1,1,n/a'),
      '2026-10-01',
    );
    expect(await previewRateFile(database, next)).toEqual([
      expect.objectContaining({
        outcome: 'imported',
        currency: 'USD',
        model: 'message',
        kind: 'list',
        effective_date: '2026-10-01',
        replaces: null,
        follows: july!.card_id,
        added_markets: ['Poland'],
        removed_markets: ['Peru'],
        changes: [
          { market: 'brazil', category: 'utility', old_rate: '0.2', new_rate: '0.25' },
          { market: 'brazil', category: 'authentication', old_rate: null, new_rate: '0.3' },
          { market: 'Rest of Africa', category: 'authentication', old_rate: '1', new_rate: null },
        ],
      }),
    ]);
    expect(await previewRateFile(database, file('a.csv', card('Brazil,USD,1,0.2,n/a')))).toMatchObject([
      {
        replaces: july!.card_id,
        added_markets: [],
        removed_markets: ['Peru', 'Rest of Africa'],
        changes: [{ category: 'marketing', old_rate: '0.1', new_rate: '1' }],
      },
    ]);
    expect(await holding()).toEqual(['2026-07-01 USD a.csv']);
  });

  it('shows tiers that move', async () => {
    await forget();
    const tiers = (...rows: string[]): string => `Market,Currency,Message type,From,To,Rate\n${rows.join('\n')}\n`;
    const { database } = ledger;
    await importRateFile(database, file('a.csv', tiers('Peru,USD,utility,1,100,0.3', 'Peru,USD,utility,101,MAX,0.2')));
    expect(
      await previewRateFile(database, file('b.csv', tiers('Peru,USD,utility,1,200,0.3', 'Peru,USD,utility,201,,0.2'))),
    ).toMatchObject([
      {
        changes: [
          { market: 'Peru', category: 'utility', tier: '1:200', old_rate: null, new_rate: '0.3' },
          { market: 'Peru', category: 'utility', tier: '201:MAX', old_rate: null, new_rate: '0.2' },
          { market: 'Peru', category: 'utility', tier: '1:100', old_rate: '0.3', new_rate: null },
          { market: 'Peru', category: 'utility', tier: '101:MAX', old_rate: '0.2', new_rate: null },
        ],
      },
    ]);
  });
});

describe('the market in SQL', () => {
  const marketRow = z.object({ customer: z.string(), day: z.string(), market: z.string(), key: z.string() });
  const DAYS = ['2023-06-01', '2025-09-30', '2026-06-30', '2026-09-30', '2030-01-01', ...MARKET_CHANGES];

  it('is the market in TypeScript, for every customer and day', async () => {
    const rows = await ledger.database.query(
      marketRow,
      `SELECT customer, toString(c.day) AS day, ${marketSql('customer', 'c.day')} AS market, ${marketKeySql('market')} AS key
       FROM (
         SELECT arrayJoin(arrayConcat(
             -- Every start of a number, random ones in full, every country, and what is neither.
             arrayMap(n -> toString(n), range(10000)),
             arrayMap(n -> toString(cityHash64(n) % 1000000000000000), range(4000)),
             arrayMap(n -> concat(char(65 + intDiv(n, 26), 65 + n % 26), '.', toString(cityHash64(n))), range(676)),
             arrayMap(n -> concat(char(65 + intDiv(n, 26), 65 + n % 26)), range(676)),
             ['', ' ', '.', 'US', 'us.1', 'USA.1', 'US.ENT.1', 'U.1', '55x', '+5511', '5511 ', '55\\n', '٣٣', 'É.1', '1.', '44.1', '1809']
           )) AS customer, arrayJoin({days:Array(Date)}) AS day) AS c`,
      { days: DAYS },
    );
    expect(rows.length).toBeGreaterThan(8 * 15_000);
    const wrong = rows.filter(
      ({ customer, day, market, key }) => market !== marketOf(customer, day) || key !== marketKey(market),
    );
    expect(wrong).toEqual([]);
    expect(new Set(rows.map(({ market }) => market))).toEqual(MARKETS);
  });
});

describe('the command line', () => {
  it('imports, shows, lists and withdraws', async () => {
    const good = data.file('good.csv');
    writeFileSync(good, card('Brazil,USD,0.0625,0.0068,0.0068', 'Brazil,BRL,0.3217,0.035,0.035'));
    const lines = (text: string): Record<string, unknown>[] =>
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    const effective = ['--effective', '2026-07-01'];

    const shown = await succeed(data, ['rates', 'import', good, ...effective, '--dry-run']);
    expect(lines(shown.stdout)).toMatchObject([
      { currency: 'USD', outcome: 'would import', added_markets: ['Brazil'], changes: [] },
      { currency: 'BRL', outcome: 'would import', added_markets: ['Brazil'], changes: [] },
    ]);
    const imported = lines((await succeed(data, ['rates', 'import', good, ...effective])).stdout);
    expect(imported).toMatchObject([
      { currency: 'USD', outcome: 'imported', effective_date: '2026-07-01' },
      { currency: 'BRL', outcome: 'imported', effective_date: '2026-07-01' },
    ]);
    const again = await succeed(data, ['rates', 'import', good, ...effective]);
    expect(lines(again.stdout)).toMatchObject([{ outcome: 'unchanged' }, { outcome: 'unchanged' }]);
    expect(again.stderr).toContain('of this file and date was imported before and is in force: nothing changes.');

    const id = String(imported[0]!['card_id']);
    expect(lines((await succeed(data, ['rates', 'withdraw', id])).stdout)).toEqual([
      { card_id: id, outcome: 'withdrawn', restores: null },
    ]);
    expect(lines((await succeed(data, ['rates', 'list'])).stdout)).toMatchObject([
      { currency: 'BRL', state: 'holds', name: 'good.csv', imported_by: userInfo().username },
      { currency: 'USD', state: 'withdrawn', withdrawn_by: userInfo().username },
    ]);
  });

  it('refuses a file that it cannot use, and says why', async () => {
    const bad = data.file('bad.csv');
    writeFileSync(bad, 'Rates\nMarket,Currency,Marketing,Utility,Authentication\nBrazil,USD,1,1,x\n');
    const refusals: [args: string[], code: number, words: string][] = [
      [['import', bad, '--effective', '2026-02-30'], 2, '--effective "2026-02-30" is not a date'],
      [['import', bad, '--effective', '1.7.2026'], 2, 'write it as YYYY-MM-DD'],
      [['import', bad, '--effective-anyway'], 2, 'needs --effective'],
      [['import', bad, '--model', 'message'], 1, 'line 3, column 5 (Authentication): "x"'],
      [['import', bad, '--effective', '2026-07-01', '--model', 'free'], 2, 'conversation, message'],
      [['import', bad, '--effective', '2026-07-01'], 1, 'line 2: Above the header the file names neither'],
      [['import', bad, '--effective', '2026-07-01', '--model', 'message'], 1, 'line 3, column 5 (Authentication): "x"'],
      [['import', data.file('none.csv'), '--effective', '2026-07-01'], 1, 'none.csv cannot be read'],
      [['withdraw', 'nonsense'], 1, 'There is no rate card "nonsense"'],
    ];
    for (const [args, code, words] of refusals) {
      const refused = await run(data, ['rates', ...args]);
      expect([args, refused.code, refused.stdout]).toEqual([args, code, '']);
      expect(refused.stderr).toContain(words);
    }
    await withLedger(data, 'ctwa_ledger', async ({ database }) => {
      expect((await listRateCards(database)).filter(({ name }) => name === 'bad.csv')).toEqual([]);
    });
  });
});
