import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseRateFile } from '../../services/rating/rate-file.ts';
import { effectiveDaysOf } from '../../services/rating/rate-header.ts';
import { tierName } from '../../services/rating/rate-tiers.ts';
import { sheetOfCsv, workbookOf, type WorkbookCell } from '../support/workbook.ts';

const read = (name: string): string => readFileSync(new URL(`../cases/${name}`, import.meta.url), 'utf8');
const LIST_2026 = read('30-list-card-2026.csv');
const TIERS = read('31-volume-tiers-as-published.csv');
const LIST_OCTOBER = read('33-list-card-oct-2026.csv');
const CONVERSATIONS = read('34-cbp-card-2024.csv');

/** A file as a price list: one line per rate, after a line with kind, model, currency and the day that it names. */
async function priceList(bytes: Uint8Array | string): Promise<string[]> {
  const parsed = await parseRateFile(Buffer.from(bytes));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.cards.flatMap((card) => [
    `${card.kind} ${card.model} ${card.currency} ${card.effective_said.join(' or ')}`,
    ...card.rates.map((rate) =>
      [rate.market, rate.category, ...(card.kind === 'list' ? [] : [tierName(rate)]), rate.rate ?? 'n/a'].join(' '),
    ),
  ]);
}

async function problems(bytes: Uint8Array | string): Promise<string[]> {
  const parsed = await parseRateFile(Buffer.from(bytes));
  if (parsed.ok) throw new Error('The file could be read.');
  return parsed.problems.map(({ sheet, line, column, message }) =>
    [...(sheet === null ? [] : [sheet]), line ?? '-', column ?? '-', message].join(' | '),
  );
}

const TIERS_READ = [
  'tiers message USD 2026-04-01',
  'Brazil utility 1:2 0.0061',
  'Brazil authentication 1:1000 0.0061',
  'Brazil utility 3:2000000 0.0055',
  'Brazil authentication 1001:3000000 0.0055',
  'Brazil utility 2000001:MAX 0.005',
  'Brazil authentication 3000001:MAX 0.005',
  'Egypt utility 1:100000 0.0041',
  'Egypt authentication 1:300000 0.0041',
  'Egypt authentication_international 1:300000 0.0611',
  'Egypt utility 100001:MAX 0.0034',
  'Egypt authentication 300001:MAX 0.0034',
  'Egypt authentication_international 300001:MAX 0.0618',
];

const cases: readonly [string, string, readonly string[]][] = [
  [
    'the list card of April 2026',
    LIST_2026,
    [
      'list message USD 2026-04-01',
      'Brazil marketing 0.0611',
      'Brazil utility 0.0061',
      'Brazil authentication 0.0061',
      'Brazil authentication_international n/a',
      'Brazil service n/a',
    ],
  ],
  ['the volume tiers', TIERS, TIERS_READ],
  [
    'the list card of October 2026, with a service rate and a column of tokens',
    LIST_OCTOBER,
    [
      'list message USD 2026-10-01',
      'Brazil marketing 0.0611',
      'Brazil utility 0.0061',
      'Brazil authentication 0.0061',
      'Brazil authentication_international n/a',
      'Brazil service 0.0061',
    ],
  ],
  [
    'a list card per conversation, with other days in its notes',
    CONVERSATIONS,
    [
      'list conversation USD 2024-08-01',
      'India marketing 0.0099',
      'India utility 0.0014',
      'India authentication 0.0014',
    ],
  ],
];

describe('files of rates as Meta publishes them are read as they are', () => {
  it.each(cases)('%s', async (_, text, rates) => {
    expect((await priceList(text)).slice(0, rates.length)).toEqual(rates);
  });

  it.each(cases)('and the same as a workbook: %s', async (_, text) => {
    const workbook = await workbookOf({ name: 'Notes', rows: [['Rates', 'of Meta']] }, sheetOfCsv('Rates', text));
    expect(await priceList(workbook)).toEqual(await priceList(text));
  });

  it('a workbook with the list and the tiers gives both', async () => {
    const workbook = await workbookOf(sheetOfCsv('List', LIST_2026), sheetOfCsv('Tiers', TIERS));
    expect(await priceList(workbook)).toEqual([...(await priceList(LIST_2026)), ...(await priceList(TIERS))]);
  });

  it('the list with semicolons or in UTF-16 is the same', async () => {
    const semicolons = LIST_OCTOBER.replace(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/g, ';');
    expect(semicolons).toContain('Market;Currency');
    expect(await priceList(semicolons)).toEqual(await priceList(LIST_OCTOBER));
    expect(await priceList(Buffer.from(`\ufeff${LIST_OCTOBER}`, 'utf16le'))).toEqual(await priceList(LIST_OCTOBER));
  });
});

describe('volume tiers side by side', () => {
  const changed = (from: string, to: string): string => {
    expect(TIERS).toContain(from);
    return TIERS.replace(from, to);
  };

  it('may have their sections in another order, with other columns and without some', async () => {
    const rows = [
      'per message,,,,,,,,,',
      ',,,Authentication,,,,Utility,,',
      'Currency,Market (PER rate card),Notes,To,Rate,From,vs.,From,To,Rate',
      'USD,Peru,x,--,1,0,,1,10,2',
      ',,,n/a,n/a,n/a,,11,MAX,3',
    ];
    expect(await priceList(rows.join('\n'))).toEqual([
      'tiers message USD ',
      'Peru authentication 1:MAX 1',
      'Peru utility 1:10 2',
      'Peru utility 11:MAX 3',
    ]);
  });

  it.each<[string, string, string, string]>([
    [
      'a gap',
      '"3","2,000,000"',
      '"4","2,000,000"',
      '8 | 3 (From) | The tier begins with 4, but the one before, on line 7, ends with 2: what is between belongs to no tier.',
    ],
    ['an overlap', '"3","2,000,000"', '"2","2,000,000"', '8 | 3 (From) | The tier overlaps with the one on line 7.'],
    ['a tier after the last one', '0,"2"', '0,--', '8 | 3 (From) | The tier overlaps with the one on line 7.'],
    [
      'a bound that is none',
      '"3,000,000"',
      '3000k',
      '8 | 9 (To) | "3000k" is not a bound: write a whole number, or MAX.',
    ],
    ['a rate that is none', 'Tier rate,0.0055', 'Tier rate,0.0055 USD', '8 | 6 (Rate) | "0.0055 USD" is not a rate'],
    [
      'a rate with too many decimals',
      'Tier rate,0.0055',
      'Tier rate,0.000000001',
      '8 | 6 (Rate) | "0.000000001" has more than 10 digits before or 8 after the point',
    ],
    [
      'a tier that lacks its beginning',
      'List rate,0.0061,0%,0,"1,000"',
      'List rate,0.0061,0%,n/a,"1,000"',
      '7 | 8 (From) | "n/a" is not a bound',
    ],
    ['a block without a market', 'Brazil,USD', ',USD', '7 | 1 (Market (per rate card)) | The market is missing.'],
    ['a currency that is none', ',USD,"3"', ',US,"3"', '8 | 2 (Currency) | "US" is not a currency'],
    [
      'a section that has no tiers',
      ',,Utility,',
      ',,Marketing,',
      '5 | 3 (From) | The section "Marketing" has no tiers',
    ],
    [
      'a section that is there twice',
      ',,Utility,',
      ',,Authentication,',
      '3 | 8 (Authentication) | The section Authentication is there twice.',
    ],
    [
      'a section without its rates',
      'Currency,From,To,Rate type,Rate,',
      'Currency,From,To,Rate type,,',
      '5 | 3 (From) | The section Utility lacks Rate.',
    ],
  ])('with %s are refused', async (_, from, to, problem) => {
    expect((await problems(changed(from, to)))[0]).toContain(problem);
  });

  it('without the names of their sections are refused', async () => {
    const [title, learn, , messages, ...rest] = TIERS.split('\n');
    expect((await problems([title, learn, messages, ...rest].join('\n')))[0]).toContain(
      'The header lacks Message type, or above it a row with Utility',
    );
  });

  it('in a workbook name the sheet and the cell of what is wrong', async () => {
    const sheet = sheetOfCsv(
      'Tiers of April',
      changed('"3","2,000,000"', '"4","2,000,000"').replace('0.0618', '0.061800000001'),
    );
    expect(await problems(await workbookOf(sheet))).toEqual([
      expect.stringMatching(/^Tiers of April \| 10 \| P \(Rate\) \| "0.061800000001" has more than/),
      expect.stringMatching(/^Tiers of April \| 7 \| C \(From\) \| The tier begins with 4/),
    ]);
  });
});

describe('rates in a workbook', () => {
  const HEAD = ['Market', 'Currency', 'Marketing', 'Utility', 'Authentication'];
  const card = (...rates: readonly WorkbookCell[]): Promise<Buffer> =>
    workbookOf({ name: 'Card', rows: [['per message'], HEAD, ['Brazil', 'USD', ...rates]] });

  it('are the shortest decimals that are the same number', async () => {
    expect(await priceList(await card(0.1, 0.00000001, 1e-7))).toEqual([
      'list message USD ',
      'Brazil marketing 0.1',
      'Brazil utility 0.00000001',
      'Brazil authentication 0.0000001',
    ]);
    expect(await priceList(await card(9999999999.1, '0.12345678', 12))).toContain('Brazil utility 0.12345678');
  });

  it.each<[WorkbookCell, string]>([
    [0.1 + 0.2, '"0.30000000000000004" has more than 10 digits before or 8 after'],
    [1e-9, '"0.000000001" has more than'],
    [-0.1, '"-0.1" is not a rate'],
    [1e20, '"1E+20" is not a rate'],
    ['0,1', '"0,1" is not a rate'],
    [new Date('2026-10-01'), '"2026-10-01" is not a rate'],
  ])('%s is refused, with sheet and cell', async (rate, message) => {
    expect((await problems(await card(1, rate, 1)))[0]).toContain(`Card | 3 | D (Utility) | ${message}`);
  });

  it('have to be in some sheet', async () => {
    const workbook = await workbookOf({ name: 'A', rows: [['Market']] }, { name: 'B', rows: [[null, 1]] });
    expect(await problems(workbook)).toEqual([expect.stringContaining('There is no header in any sheet')]);
  });
});

describe('the day that a file names', () => {
  it.each<[string, readonly string[]]>([
    ['Cost per message in USD, effective October 1, 2026', ['2026-10-01']],
    ['Effective 1 October 2026', ['2026-10-01']],
    ['EFFECTIVE 2026-10-01', ['2026-10-01']],
    ['Effective as of Oct 1st 2026, 12am', ['2026-10-01']],
    ['effective from Sept. 30, 2026', ['2026-09-30']],
    ['Effective date: 2026-10-01', ['2026-10-01']],
    ['Effective  on 3 of May, 2027', ['2027-05-03']],
    ['Effective: 1-Oct-2026', ['2026-10-01']],
    ['effective October 1, 2026. Effective October 1, 2026', ['2026-10-01']],
    ['effective October 1, 2026, later effective 2027-01-01', ['2026-10-01', '2027-01-01']],
    ['available as of July 1, 2024', []],
    ['effective soon', []],
    ['effective February 30, 2026', []],
    ['effective 10/11/2026', []],
    ['effective Octopus 1, 2026', []],
    ['ineffective October 1, 2026', []],
  ])('in %j is %j', (preamble, days) => {
    expect(effectiveDaysOf(preamble)).toEqual(days);
  });

  it('may be a day of a workbook', async () => {
    const rows = [
      ['Cost per message', 'Effective', new Date('2026-10-01')],
      ['Market', 'Currency', 'Marketing', 'Utility', 'Authentication'],
      ['Brazil', 'USD', 1, 1, 1],
    ];
    expect((await priceList(await workbookOf({ name: 'Card', rows })))[0]).toBe('list message USD 2026-10-01');
  });
});
