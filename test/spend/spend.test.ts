import { Decimal } from 'decimal.js';
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Prng } from '../../services/simulate/prng.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { adFigures, adNames } from '../../services/reports/ads.ts';
import {
  importSpendFile,
  importTypedSpend,
  listSpendImports,
  previewSpendFile,
  withdrawSpendImport,
} from '../../services/spend/spend.ts';
import { parsed } from '../support/expected-rows.ts';
import { DataDirectory, EVERYTHING, isFull, openLedger, run, succeed } from '../support/ledger.ts';

const data = new DataDirectory();
let ledger: Ledger;

beforeAll(async () => {
  ledger = await openLedger(data, 'spend');
});
afterAll(async () => {
  await ledger.close();
  await data.remove();
});
beforeEach(async () => {
  for (const table of ['spend_imports', 'ad_spend', 'ad_labels'])
    await ledger.database.command(`TRUNCATE TABLE ${table}`);
});

interface Amount {
  readonly ad_id: string;
  readonly first_day: string;
  readonly last_day: string;
  readonly currency: string;
  readonly amount: string;
}

/** A file that says what it is called in a column that is passed over, so that no two are the same bytes. */
function exported(name: string, amounts: readonly Amount[]) {
  const rows = amounts.map((one) => [one.ad_id, one.first_day, one.last_day, one.amount, one.currency, name].join(','));
  const text = ['Ad ID,Reporting starts,Reporting ends,Amount spent,Currency,File', ...rows, ''].join('\n');
  return { name, bytes: Buffer.from(text), by: 'ana' };
}

const october = (day: number): string => `2026-10-${String(day).padStart(2, '0')}`;

/** Spend by ad and currency as the report says it, over days of October, both included. */
async function spent(first = 1, last = 31): Promise<Record<string, string>> {
  const rows = await adFigures(ledger.database, { ...EVERYTHING, from: october(first), to: after(last) });
  return Object.fromEntries(
    rows.flatMap(({ ad_id, currency, spend }) => (spend === null ? [] : [[`${ad_id} ${currency}`, spend]])),
  );
}
const after = (day: number): string => (day === 31 ? '2026-11-01' : october(day + 1));

const one = (day: number, amount: string, rest: Partial<Amount> = {}): Amount => ({
  ad_id: '1',
  first_day: october(day),
  last_day: october(day),
  currency: 'BRL',
  amount,
  ...rest,
});

describe('what holds of several imports', () => {
  it('is the last one about an ad and its days, and the one before when that is withdrawn', async () => {
    await importSpendFile(ledger.database, exported('a', [one(1, '10'), one(2, '20')]));
    const second = await importSpendFile(ledger.database, exported('b', [one(2, '21.5'), one(3, '30')]));
    expect(second).toMatchObject({ outcome: 'imported', replaced: 1, changed: 1, rows: 2 });
    expect(await spent()).toEqual({ '1 BRL': '61.5' });
    expect((await listSpendImports(ledger.database)).map((row) => [row.name, row.state, row.rows_in_force])).toEqual([
      ['b', 'holds', 2],
      ['a', 'holds', 1],
    ]);
    await withdrawSpendImport(ledger.database, second.import_id, 'ben');
    expect(await spent()).toEqual({ '1 BRL': '30' });
    // Imported again, it holds again, and once more nothing changes.
    expect((await importSpendFile(ledger.database, exported('b', [one(2, '21.5'), one(3, '30')]))).outcome).toBe(
      'imported',
    );
    expect((await importSpendFile(ledger.database, exported('b', [one(2, '21.5'), one(3, '30')]))).outcome).toBe(
      'unchanged',
    );
    expect(await spent()).toEqual({ '1 BRL': '61.5' });
  });

  it('currencies and ads stand beside each other', async () => {
    await importSpendFile(
      ledger.database,
      exported('a', [one(1, '10'), one(1, '3', { currency: 'USD' }), one(1, '5', { ad_id: '2' })]),
    );
    expect(await spent()).toEqual({ '1 BRL': '10', '1 USD': '3', '2 BRL': '5' });
  });

  it('names an ad as the last import says it, and an earlier file names it again when it is imported again', async () => {
    const named = (file: string, ad_name: string, ad_id = '1') => ({
      name: file,
      bytes: Buffer.from(`Ad ID,Ad name\n${ad_id},${ad_name}\n`),
      by: 'ana',
    });
    await importSpendFile(ledger.database, exported('a', [one(1, '10')]));
    const nameOf = async (): Promise<string> => (await adFigures(ledger.database, EVERYTHING))[0]!.ad_name;
    expect((await importSpendFile(ledger.database, named('old', 'Sofa'))).outcome).toBe('imported');
    expect((await importSpendFile(ledger.database, named('old', 'Sofa'))).outcome).toBe('unchanged');
    await importSpendFile(ledger.database, named('new', 'Couch'));
    expect(await nameOf()).toBe('Couch');
    expect((await previewSpendFile(ledger.database, named('old', 'Sofa'))).outcome).toBe('imported');
    expect((await importSpendFile(ledger.database, named('old', 'Sofa'))).outcome).toBe('imported');
    expect(await nameOf()).toBe('Sofa');
    expect((await importSpendFile(ledger.database, named('old', 'Sofa'))).outcome).toBe('unchanged');
  });

  it('counts every ad of an import once, whatever it says of it', async () => {
    const text =
      'Ad ID,Ad name,Day,Amount spent,Currency\n1,Sofa,2026-10-01,1,BRL\n2,,2026-10-01,1,USD\n3,Lamp,2026-10-01,0,USD\n';
    const planned = await importSpendFile(ledger.database, { name: 'f', bytes: Buffer.from(text), by: 'ana' });
    expect(planned.ads).toBe(3);
    expect((await listSpendImports(ledger.database)).map(({ ads }) => ads)).toEqual([3]);
  });

  it('is what ads cost under each address that their customers came from', async () => {
    const click = (id: string, source_url: string, at: string): object => ({
      event: 'message',
      direction: 'inbound',
      phone_number_id: '9',
      wa_id: '5511955550001',
      id,
      timestamp: Date.parse(at) / 1000,
      type: 'text',
      referral: { source_type: 'ad', source_id: '7', source_url },
    });
    await ledger.record(
      parsed([
        click('one', 'https://fb.me/1', '2026-10-01T12:00:00Z'),
        click('other', 'https://www.instagram.com/p/1', '2026-10-04T12:00:00Z'),
      ]),
    );
    await importSpendFile(ledger.database, exported('a', [one(1, '10', { ad_id: '7' })]));
    for (const ad of ['https://fb.me/1', 'https://www.instagram.com/p/1', '7'])
      expect([ad, (await adFigures(ledger.database, { ...EVERYTHING, ad }))[0]]).toMatchObject([ad, { spend: '10' }]);
    expect(await adFigures(ledger.database, { ...EVERYTHING, ad: 'https://fb.me/2' })).toEqual([]);
  });

  it('counts days wholly in the range, and says what reaches beyond', async () => {
    await importSpendFile(ledger.database, exported('a', [one(1, '10', { last_day: october(7) }), one(8, '1')]));
    expect(await spent(1, 7)).toEqual({ '1 BRL': '10' });
    expect(await spent(8, 31)).toEqual({ '1 BRL': '1' });
    expect(await spent(2, 31)).toEqual({ '1 BRL': '1' });
    const rows = await adFigures(ledger.database, { ...EVERYTHING, from: october(2), to: october(8) });
    expect(rows).toMatchObject([{ ad_id: '1', spend: null, spend_left_out: 1 }]);
  });

  it('refuses days that would be counted twice, and changes nothing', async () => {
    const held = await importSpendFile(ledger.database, exported('days', [one(3, '1'), one(4, '2')]));
    const month = exported('month', [one(1, '100', { last_day: october(31) })]);
    await expect(importSpendFile(ledger.database, month)).rejects.toThrow(`withdraw ${held.import_id} first`);
    await expect(previewSpendFile(ledger.database, month)).rejects.toThrow('counted twice');
    const typed = { ...one(3, '9', { last_day: october(4) }), ad_name: '' };
    await expect(importTypedSpend(ledger.database, typed, 'ana')).rejects.toThrow('counted twice');
    expect(await spent()).toEqual({ '1 BRL': '3' });
    expect(await listSpendImports(ledger.database)).toHaveLength(1);
    await withdrawSpendImport(ledger.database, held.import_id, 'ana');
    await importSpendFile(ledger.database, month);
    expect(await spent()).toEqual({ '1 BRL': '100' });
    // What was withdrawn would overlap now.
    await expect(importSpendFile(ledger.database, exported('days', [one(3, '1'), one(4, '2')]))).rejects.toThrow(
      'counted twice',
    );
  });

  it('a typed amount replaces one of the same days, and names the ad', async () => {
    await importSpendFile(ledger.database, exported('a', [one(1, '10')]));
    await importTypedSpend(ledger.database, { ...one(1, '12.25'), ad_name: 'Sofa' }, 'ana');
    expect(await spent()).toEqual({ '1 BRL': '12.25' });
    expect(await adFigures(ledger.database, EVERYTHING)).toMatchObject([
      { ad_id: '1', ad_name: 'Sofa', spend: '12.25' },
    ]);
  });
});

/** What holds, reckoned by hand: imports in their order, each with its rows. */
class Model {
  readonly imports = new Map<string, { rows: readonly Amount[]; at: number; withdrawn: boolean }>();
  #clock = 0;

  key = (row: Amount): string => [row.ad_id, row.currency, row.first_day, row.last_day].join(' ');

  inForce(): Map<string, Amount> {
    const held = new Map<string, Amount>();
    const standing = [...this.imports.values()].filter((one) => !one.withdrawn).sort((a, b) => a.at - b.at);
    for (const { rows } of standing) for (const row of rows) held.set(this.key(row), row);
    return held;
  }

  isRefused(name: string, rows: readonly Amount[]): boolean {
    const others = [...this.imports]
      .filter(([other, one]) => other !== name && !one.withdrawn)
      .flatMap(([, one]) => one.rows);
    return rows.some((row) =>
      others.some(
        (other) =>
          other.ad_id === row.ad_id &&
          other.currency === row.currency &&
          this.key(other) !== this.key(row) &&
          other.first_day <= row.last_day &&
          other.last_day >= row.first_day,
      ),
    );
  }

  add(name: string, rows: readonly Amount[]): void {
    this.imports.set(name, { rows, at: this.#clock++, withdrawn: false });
  }
}

describe('any order of imports and withdrawals', () => {
  it('gives the figures computed by hand', async () => {
    const random = new Prng(7);
    const model = new Model();
    const ids = new Map<string, string>();
    for (let step = 0; step < (isFull ? 400 : 30); step++) {
      if (ids.size > 0 && random.chance(0.3)) {
        const name = random.pick([...ids.keys()]);
        await withdrawSpendImport(ledger.database, ids.get(name)!, 'ana');
        model.imports.get(name)!.withdrawn = true;
      } else {
        const name = `file ${random.int(0, 12)}`;
        // A name stands for the same bytes always.
        const dice = new Prng(Number(name.slice(5)));
        const rows = new Map<string, Amount>();
        for (let i = 0; i < 6; i++) {
          const day = dice.int(1, 10);
          const row = one(day, `${dice.int(0, 99)}.${dice.int(0, 99_999_999)}`, {
            ad_id: String(dice.int(1, 4)),
            currency: dice.pick(['BRL', 'USD']),
            last_day: october(dice.chance(0.15) ? day + 2 : day),
          });
          const overlaps = [...rows.values()].some(
            (other) =>
              other.ad_id === row.ad_id &&
              other.currency === row.currency &&
              other.first_day <= row.last_day &&
              other.last_day >= row.first_day,
          );
          if (!overlaps) rows.set(model.key(row), row);
        }
        const given = [...rows.values()];
        const work = importSpendFile(ledger.database, exported(name, given));
        if (model.isRefused(name, given)) await expect(work, name).rejects.toThrow('counted twice');
        else {
          const { outcome, import_id } = await work;
          ids.set(name, import_id);
          // What holds as it is keeps its place; what was replaced or withdrawn becomes the last.
          if (outcome === 'imported') model.add(name, given);
        }
      }
      const [first, last] = [random.int(1, 6), random.int(6, 14)];
      const expected = new Map<string, Decimal>();
      for (const row of model.inForce().values())
        if (row.first_day >= october(first) && row.last_day <= october(last)) {
          const key = `${row.ad_id} ${row.currency}`;
          expected.set(key, (expected.get(key) ?? new Decimal(0)).plus(row.amount));
        }
      expect(await spent(first, last), `step ${step}`).toEqual(
        Object.fromEntries([...expected].map(([key, sum]) => [key, sum.toFixed()])),
      );
    }
    expect(ids.size).toBeGreaterThan(3);
  });
});

describe('figures of ads', () => {
  const AT = Math.floor(Date.UTC(2026, 9, 5, 12) / 1000);
  let events = 0;
  const entry = (ad_id: string, wa_id: string, extra: object = {}) => ({
    event: 'message',
    direction: 'inbound',
    waba_id: '5',
    phone_number_id: '9',
    wa_id,
    id: `in${events++}`,
    timestamp: AT,
    type: 'text',
    referral: { source_type: 'ad', source_id: ad_id, headline: `Head ${ad_id}`, media_type: 'video', ...extra },
  });
  const reply = (wa_id: string, type: string) => {
    const id = `out${events++}`;
    const base = { phone_number_id: '9', waba_id: '5', wa_id, id };
    return [
      {
        ...base,
        event: 'message',
        direction: 'outbound',
        timestamp: AT + 60,
        type: 'template',
        template: { category: 'MARKETING' },
      },
      {
        ...base,
        event: 'status',
        status: 'delivered',
        timestamp: AT + 61,
        pricing: { billable: type === 'regular', type, category: 'marketing' },
      },
    ];
  };

  it('have cost, saving, names and what belongs to no ad; the same by command, and with the price of the market', async () => {
    const lines = [
      entry('1', '5511900000001'),
      entry('1', '5511900000002'),
      entry('1', '5511900000003'),
      ...reply('5511900000001', 'free_entry_point'),
      ...reply('5511900000002', 'free_entry_point'),
      entry('77', '5511900000004', { source_type: 'post', media_type: 'image' }),
      // Free entry that nobody's ad explains.
      ...reply('5511900000009', 'free_entry_point'),
    ];
    const own = new DataDirectory();
    try {
      writeFileSync(own.file('e.ndjson'), lines.map((line) => JSON.stringify(line)).join('\n'));
      writeFileSync(
        own.file('card.csv'),
        'Cost per message\nMarket,Currency,Marketing,Utility,Authentication\nBrazil,BRL,0.375,0.1,0.1\n',
      );
      writeFileSync(
        own.file('s.csv'),
        'Ad ID,Ad name,Campaign name,Day,Amount spent (BRL)\n1,Sofa,Autumn,2026-10-05,1\n404,,Winter,2026-10-05,2.5\n',
      );
      await succeed(own, ['ingest', 'e.ndjson']);
      await succeed(own, ['accounts', 'set', '5', '--currency', 'BRL']);
      await succeed(own, ['rates', 'import', 'card.csv', '--effective', '2026-10-01']);
      const dry = await succeed(own, ['spend', 'import', 's.csv', '--dry-run']);
      expect(JSON.parse(dry.stdout)).toMatchObject({ outcome: 'would import', unknown_ads: ['404'], rows: 2 });
      await succeed(own, ['spend', 'import', 's.csv']);
      const { stdout } = await succeed(own, ['export', 'ad-figures', '--as-of', '2026-10-09T00:00:00Z']);
      const [head = '', ...rows] = stdout.trim().split('\n');
      const named = rows.map((row) => Object.fromEntries(head.split(',').map((name, i) => [name, row.split(',')[i]])));
      expect(named).toMatchObject([
        {
          ad_id: '404',
          source_type: 'ad',
          campaign_name: 'Winter',
          ad_conversations: '0',
          spend: '2.5',
          cost_per_conversation: '',
          cost_per_replied: '',
          savings: '',
        },
        // Two replied of three; two messages saved 0.375 each.
        {
          ad_id: '1',
          ad_name: 'Sofa',
          campaign_name: 'Autumn',
          headline: 'Head 1',
          media_type: 'video',
          ad_conversations: '3',
          replied: '2',
          mature: '3',
          spend: '1',
          cost_per_conversation: '0.3333',
          cost_per_replied: '0.5000',
          savings: '0.75',
          savings_per_spend: '0.7500',
        },
        { ad_id: '77', source_type: 'post', media_type: 'image', spend: '', cost_per_conversation: '' },
        {
          ad_id: '',
          source_type: 'reported',
          ad_conversations: '0',
          free_messages: '1',
          savings: '0.375',
          currency: 'BRL',
        },
      ]);
      const list = JSON.parse((await succeed(own, ['spend', 'list'])).stdout) as { import_id: string };
      await succeed(own, ['spend', 'withdraw', list.import_id]);
      expect((await succeed(own, ['export', 'ad-figures'])).stdout).not.toContain('404');
      expect(await run(own, ['spend', 'withdraw', 'none'])).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('spend list') as string,
      });
    } finally {
      await own.remove();
    }
  });

  it('names are asked for by id', async () => {
    expect(await adNames(ledger.database, ['1'])).toEqual([]);
    expect(await adNames(ledger.database, [])).toEqual([]);
  });
});
