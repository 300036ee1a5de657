import fc from 'fast-check';
import { Decimal as DecimalOf20Digits } from 'decimal.js';
import { describe, expect, it } from 'vitest';

import { perOne, quotient, scaled, unscaled } from '../../services/imports/decimals.ts';
import { parseSpendFile } from '../../services/spend/spend-file.ts';

/** Digits enough that nothing is rounded twice. */
const Decimal = DecimalOf20Digits.clone({ precision: 60 });

const parse = (text: string) => parseSpendFile(Buffer.from(text));
const HEAD = 'Reporting starts,Reporting ends,Ad name,Ad ID,Amount spent (USD)';

describe('exports of Ads Manager are read', () => {
  const one = { ad_id: '12', first_day: '2026-10-01', last_day: '2026-10-01', currency: 'USD' };
  const cases: readonly [string, string, readonly object[]][] = [
    ['by day', `${HEAD}\n2026-10-01,2026-10-01,A,12,1.5\n`, [{ ...one, amount: '1.5' }]],
    [
      'with a byte order mark, CRLF and quotes',
      `\uFEFF${HEAD}\r\n"2026-10-01","2026-10-01","A, ""b""","12","1.50"\r\n`,
      [{ ...one, amount: '1.5' }],
    ],
    ['over some days', `${HEAD}\n2026-10-01,2026-10-31,A,12,7\n`, [{ ...one, last_day: '2026-10-31', amount: '7' }]],
    [
      'where a breakdown by day repeats the whole span',
      'Day,Reporting starts,Reporting ends,Ad ID,Amount spent (USD)\n2026-10-01,2026-10-01,2026-10-31,12,7\n',
      [{ ...one, amount: '7' }],
    ],
    [
      'with the currency in a column',
      'Ad ID,Day,Amount spent,Currency\n12,2026-10-01,7,US$\n',
      [{ ...one, amount: '7' }],
    ],
    [
      'as the API names columns',
      'ad_id,date_start,date_stop,spend,account_currency\n12,2026-10-01,2026-10-01,7,usd\n',
      [{ ...one, amount: '7' }],
    ],
    [
      'in any order and letters, with other columns',
      'results,AD ID,amount SPENT (usd),Day\n3,12,7,2026-10-01\n',
      [{ ...one, amount: '7' }],
    ],
    [
      'with the sums that some carry',
      `${HEAD}\n,,,,99\n2026-10-01,2026-10-01,A,12,7\n2026-10-01,2026-10-01,,,99\n`,
      [{ ...one, amount: '7' }],
    ],
    ['an ad that was not shown costs nothing', `${HEAD}\n2026-10-01,2026-10-01,A,12,\n`, [{ ...one, amount: '0' }]],
    [
      'rows of a breakdown are added up, to the last decimal',
      `${HEAD}\n2026-10-01,2026-10-01,A,12,0.1\n2026-10-01,2026-10-01,A,12,0.20000001\n2026-10-01,2026-10-01,A,12,9007199254\n`,
      [{ ...one, amount: '9007199254.30000001' }],
    ],
    [
      'ids longer than a number can be',
      `${HEAD}\n2026-10-01,2026-10-01,A,120226305854810726,7\n`,
      [{ ...one, ad_id: '120226305854810726', amount: '7' }],
    ],
    [
      'by a file that begins like an archive',
      'PK,Ad ID,Day,Amount spent (USD)\n1,12,2026-10-01,7\n',
      [{ ...one, amount: '7' }],
    ],
    ['names alone', 'Ad ID,Ad name,Campaign name\n12,A,C\n', []],
  ];
  it.each(cases)('%s', async (_, text, spend) => {
    expect(await parse(text)).toMatchObject({ ok: true, spend });
  });

  it('names are those of the last row that says them', async () => {
    const text = 'Ad ID,Ad name,Ad set name,Campaign name\n12,A,,C\n12,  B  b ,,\n13,,,\n14,,S,\n';
    expect(await parse(text)).toMatchObject({
      labels: [
        { ad_id: '12', ad_name: 'B b', adset_name: '', campaign_name: 'C' },
        { ad_id: '14', ad_name: '', adset_name: 'S', campaign_name: '' },
      ],
    });
  });
});

describe('what cannot be read says where and what to do, and nothing is taken', () => {
  const row = (cells: string): string => `${HEAD}\n2026-10-01,2026-10-01,A,11,1\n${cells}\n`;
  const cases: readonly [string, string, number | null, RegExp][] = [
    ['nothing', '', null, /empty/],
    [
      'no column of ads',
      'Campaign name,Amount spent (USD)\nC,1\n',
      1,
      /Ad ID.*"Campaign name", "Amount spent \(USD\)"/,
    ],
    ['no days', 'Ad ID,Amount spent (USD)\n12,1\n', 1, /Reporting starts/],
    ['no currency', 'Ad ID,Day,Amount spent\n12,2026-10-01,1\n', 1, /currency/],
    ['a currency that is none', 'Ad ID,Day,Amount spent (money)\n12,2026-10-01,1\n', 1, /"money" is not a currency/],
    ['nothing to import', 'Ad ID,Results\n12,1\n', 1, /nothing to import/],
    ['a column twice', 'Ad ID,Ad ID,Ad name\n12,12,A\n', 1, /twice/],
    ['no rows', `${HEAD}\n`, 1, /no rows/],
    ['an id that a spreadsheet spoilt', row('2026-10-01,2026-10-01,A,1.20226E+17,1'), 3, /spreadsheet/],
    ['an id that is none', row('2026-10-01,2026-10-01,A,ad one,1'), 3, /digits only/],
    ['a date in another order', row('01/10/2026,01/10/2026,A,12,1'), 3, /YYYY-MM-DD/],
    ['no day of the calendar', row('2026-02-30,2026-02-30,A,12,1'), 3, /YYYY-MM-DD/],
    ['an end before its beginning', row('2026-10-02,2026-10-01,A,12,1'), 3, /before it begins/],
    ['thousands separated by something else', row('2026-10-01,2026-10-01,A,12,"1_234.50"'), 3, /plain decimal/],
    ['a negative amount', row('2026-10-01,2026-10-01,A,12,-1'), 3, /plain decimal/],
    ['a decimal that would be lost', row('2026-10-01,2026-10-01,A,12,0.123456789'), 3, /none may be lost/],
    ['days that overlap', row('2026-09-20,2026-10-05,A,11,1'), 2, /counted twice/],
    ['no ads', 'Campaign;Amount\nx;1\n', 1, /No heading is known as Ad ID.*"Campaign", "Amount"/],
  ];
  it.each(cases)('%s', async (_, text, line, message) => {
    const read = await parse(text);
    expect(read.ok).toBe(false);
    if (read.ok) return;
    expect(read.problems.map((problem) => problem.line)).toContain(line);
    expect(read.problems.map((problem) => problem.message).join('\n')).toMatch(message);
  });

  it('any bytes are read or refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), fc.boolean(), async (bytes, hasHead) => {
        const head = hasHead ? Buffer.from(`${HEAD}\n`) : Buffer.alloc(0);
        expect(typeof (await parseSpendFile(Buffer.concat([head, bytes]))).ok).toBe('boolean');
      }),
      { numRuns: 300 },
    );
  });
});

describe('amounts are divided without a JavaScript number', () => {
  const amount = fc
    .tuple(fc.bigInt({ min: 0n, max: 9_999_999_999n }), fc.integer({ min: 0, max: 99_999_999 }))
    .map(([whole, rest]) => `${whole}.${String(rest).padStart(8, '0')}`);

  it('back and forth', () => {
    fc.assert(
      fc.property(amount, (text) => {
        expect(unscaled(scaled(text))).toBe(new Decimal(text).toFixed());
      }),
    );
  });

  it('to four decimals, half up', () => {
    expect(perOne('1', 3)).toBe('0.3333');
    expect(perOne('2', 3)).toBe('0.6667');
    expect(perOne('0.0001', 2)).toBe('0.0001');
    expect(perOne('5', 0)).toBeNull();
    expect(quotient(scaled('0'), scaled('0'))).toBeNull();
    fc.assert(
      fc.property(amount, fc.integer({ min: 1, max: 1_000_000 }), (text, count) => {
        expect(perOne(text, count)).toBe(new Decimal(text).div(count).toFixed(4, Decimal.ROUND_HALF_UP));
      }),
    );
  });
});
