import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RateModel } from '@ctwa-ledger/schemas/rate-file.ts';
import { parseRateFile, type ParsedRateFile } from '../../services/rating/rate-file.ts';

const HEADER = 'Market,Currency,Marketing,Utility,Authentication,"Authentication-\nInternational",Service';
const TIERS = 'Market,Currency,Message type,From,To,Rate';

function parse(content: string | Uint8Array, model?: RateModel): Promise<ParsedRateFile> {
  return parseRateFile(Buffer.from(content), model === undefined ? {} : { model });
}

/** A card as a price list: one line per rate, after a line with kind, model and currency. */
async function priceList(content: string | Uint8Array, model?: RateModel): Promise<string[]> {
  const parsed = await parse(content, model);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.cards.flatMap((card) => [
    `${card.kind} ${card.model} ${card.currency}`,
    ...card.rates.map(({ market, category, from_place, to_place, rate }) => {
      const tier =
        card.kind === 'list' ? '' : ` ${from_place}:${to_place === '18446744073709551615' ? 'MAX' : to_place}`;
      return `${market} ${category}${tier} ${rate ?? 'n/a'}`;
    }),
  ]);
}

async function problems(content: string | Uint8Array, model?: RateModel): Promise<string[]> {
  const parsed = await parse(content, model);
  if (parsed.ok) throw new Error('The file could be read.');
  return parsed.problems.map(({ line, column, message }) => `${line ?? '-'} | ${column ?? '-'} | ${message}`);
}

/** A list card with one row, whose marketing rate is the given cell. */
function withRate(cell: string): string {
  return `Cost per message in USD\nMarket,Currency,Marketing,Utility,Authentication\nBrazil,USD,${cell},0.01,0.01\n`;
}

describe("Meta's list card", () => {
  it('is read with its preamble, its broken heading and what is not offered', async () => {
    const file = `"Cost per message in BRL",,,,,\n"Effective October 1, 2026, 12am",,\n\n${HEADER}\nBrazil,BRL,0.3217,0.0350,0.0350,n/a,\nIndia,BRL,0.0604,0.0071,0.0071,0.1557,0.0071\n\n,,,,,,\n`;
    expect(await priceList(file)).toEqual([
      'list message BRL',
      'Brazil marketing 0.3217',
      'Brazil utility 0.035',
      'Brazil authentication 0.035',
      'Brazil authentication_international n/a',
      'Brazil service n/a',
      'India marketing 0.0604',
      'India utility 0.0071',
      'India authentication 0.0071',
      'India authentication_international 0.1557',
      'India service 0.0071',
    ]);
  });

  const SMALL = [
    'list message USD',
    'Brazil marketing 0.0625',
    'Brazil utility 0.0068',
    'Brazil authentication 0.0068',
  ];

  it.each([
    [
      'as it is',
      'Cost per message\nMarket,Currency,Marketing,Utility,Authentication\nBrazil,USD,0.0625,0.0068,0.0068\n',
    ],
    [
      'with a byte order mark and CRLF',
      '\ufeffCost PER  MESSAGE\r\nMarket,Currency,Marketing,Utility,Authentication\r\nBrazil,USD,0.0625,0.0068,0.0068\r\n',
    ],
    [
      'without an end of line',
      'per-message\nMarket,Currency,Marketing,Utility,Authentication\nBrazil,USD,0.0625,0.0068,0.0068',
    ],
    [
      'with ends of lines of two kinds',
      'Cost per message\n\nMarket,Currency,Marketing,Utility,Authentication\r\nBrazil,USD,0.0625,0.0068,0.0068\r\n\r\n',
    ],
    [
      'in another order and letter case',
      'Cost per message\n UTILITY ,marketing,AUTHENTICATION,market,Currency\n0.0068,0.0625,0.0068, Brazil ,usd\n',
    ],
    [
      'with columns that nobody knows',
      'Cost per message\nMarket,Region,Currency,Marketing,Utility,Authentication,Notes\nBrazil,South,$US,0.0625,0.0068,0.0068,"new, since\nJuly"\n',
    ],
    [
      'with a ragged preamble',
      'Rates "per message" in USD,,,\n,,,,,,,,,,\n"a\nb",c\nMarket,Currency,Marketing,Utility,Authentication\nBrazil,US$,0.0625,0.0068,0.0068,,,\n',
    ],
    [
      'with zeros that mean nothing',
      'Cost per message\nMarket,Currency,Marketing,Utility,Authentication\nBrazil,USD,00.062500000000,0.00680,0.0068\n',
    ],
  ])('is the same %s', async (_, file) => {
    expect(await priceList(file)).toEqual(SMALL);
  });

  it('with the rates of several currencies makes a card of each', async () => {
    expect(
      await priceList(
        'per message\nMarket,Currency,Marketing,Utility,Authentication\nIndia,USD,0.01,0.02,0.03\nIndia,INR,0.8,n/a,N/A\nPeru,$US,1,2,3\n',
      ),
    ).toEqual([
      'list message USD',
      'India marketing 0.01',
      'India utility 0.02',
      'India authentication 0.03',
      'Peru marketing 1',
      'Peru utility 2',
      'Peru authentication 3',
      'list message INR',
      'India marketing 0.8',
      'India utility n/a',
      'India authentication n/a',
    ]);
  });

  it.each([
    ['USD', 'USD'],
    [' usd ', 'USD'],
    ['$US', 'USD'],
    ['US$', 'USD'],
    ['US $', 'USD'],
    ['R$', 'BRL'],
    ['€', 'EUR'],
    ['₹', 'INR'],
    ['CLP', 'CLP'],
  ])('prints %j for %s', async (cell, currency) => {
    expect((await priceList(withRate('1').replace('Brazil,USD', `Brazil,${cell}`)))[0]).toBe(
      `list message ${currency}`,
    );
  });

  it.each([
    ['0.1', '0.1'],
    ['0.12345678', '0.12345678'],
    ['0.1234567800', '0.12345678'],
    ['9999999999.99999999', '9999999999.99999999'],
    ['0', '0'],
    ['0.000', '0'],
    ['007', '7'],
    ['100', '100'],
    ['N/A', 'n/a'],
    ['', 'n/a'],
    [' 0.5 ', '0.5'],
  ])('with the rate %j says %s', async (cell, rate) => {
    expect((await priceList(withRate(cell)))[1]).toBe(`Brazil marketing ${rate}`);
  });

  it.each([
    '-0.1',
    '+0.1',
    '1e-3',
    '1E5',
    '"0,1"',
    '"1,234.5"',
    '1 234',
    '$0.1',
    '0.1 USD',
    '.5',
    '5.',
    '1.2.3',
    'free',
    '٣',
    '0x1',
    'NaN',
    'Infinity',
  ])('with the rate %s is refused, with line and column', async (cell) => {
    expect(await problems(withRate(cell))).toEqual([
      expect.stringMatching(/^3 \| 3 \(Marketing\) \| ".+" is not a rate: write a plain decimal/),
    ]);
  });

  it.each(['0.123456789', '12345678901', '99999999999.5'])(
    'with the rate %s would lose digits, and is refused',
    async (cell) => {
      expect(await problems(withRate(cell))).toEqual([
        `3 | 3 (Marketing) | "${cell}" has more than 10 digits before or 8 after the point, and none may be lost.`,
      ]);
    },
  );

  it('is refused when a comma inside a number moves the cells', async () => {
    expect(await problems(withRate('0,0625'))).toEqual([
      '3 | 6 | The row goes on after the last column of the header ("0.01"): is there a comma inside a number?',
    ]);
  });

  it('has every problem named, by the line on which its row begins', async () => {
    const file = `per message\n${HEADER}\n"Brazil",US,0.1,0.1,0.1\n"Rest of\nAfrica",USD,x,0.1,0.1,n/a,n/a\n,USD,0.1,0.1,0.1\nPeru,USD,0.1,0.1\nPeru,USD,0.1,-1,0.1\n PERU ,$US,0.1,0.2,0.1\n"Chi"le,USD,1,1,1\n`;
    expect(await problems(file)).toEqual([
      '4 | 2 (Currency) | "US" is not a currency: use three letters (ISO 4217), like USD.',
      '5 | 3 (Marketing) | "x" is not a rate: write a plain decimal like 0.0225, without sign, exponent, currency or thousands separators, or n/a.',
      '7 | 1 (Market) | The market is missing.',
      '8 | 5 (Authentication) | The row ends before this column.',
      '9 | 4 (Utility) | "-1" is not a rate: write a plain decimal like 0.0225, without sign, exponent, currency or thousands separators, or n/a.',
      '9 | 1 (Market) | "Peru" in USD is already on line 8: leave out one of the two.',
      '10 | 1 (Market) | "PERU" in USD is already on line 8: leave out one of the two.',
      '11 | 1 (Market) | The quotation marks of "Chi"le do not match.',
    ]);
  });

  it('has the first twenty problems named, and the others counted', async () => {
    const rows = Array.from({ length: 30 }, (_, index) => `Market ${index},USD,x,1,1\n`).join('');
    const parsed = await parse(`per message\nMarket,Currency,Marketing,Utility,Authentication\n${rows}`);
    expect(parsed).toMatchObject({ ok: false, more: 10 });
    if (!parsed.ok) expect(parsed.problems).toHaveLength(20);
  });
});

describe('what is charged for', () => {
  const card = (preamble: string): string =>
    `${preamble}\nMarket,Currency,Marketing,Utility,Authentication\nBrazil,USD,1,1,1\n`;

  it.each<[string, RateModel | undefined, string]>([
    ['Cost per message', undefined, 'list message USD'],
    ['Cost PER Conversation', undefined, 'list conversation USD'],
    ['Cost per message', 'message', 'list message USD'],
    ['Rates', 'conversation', 'list conversation USD'],
    ['per message, no longer per conversation', 'message', 'list message USD'],
  ])('by %j and --model %s is %s', async (preamble, model, first) => {
    expect((await priceList(card(preamble), model))[0]).toBe(first);
  });

  it.each<[string, RateModel | undefined, RegExp]>([
    ['Rates', undefined, /neither "per conversation" nor "per message".+--model conversation or --model message/],
    ['per message, no longer per conversation', undefined, /both "per conversation" and "per message".+--model/],
    ['Cost per message', 'conversation', /says "per message", but --model conversation was given/],
    ['Cost per conversation', 'message', /says "per conversation", but --model message was given/],
  ])('by %j and --model %s is not clear', async (preamble, model, message) => {
    expect(await problems(card(preamble), model)).toEqual([expect.stringMatching(message)]);
  });
});

describe('a tier file', () => {
  const tiers = (...rows: string[]): string => `Volume tiers per message\n${TIERS}\n${rows.join('\n')}\n`;

  it('is recognised by its header', async () => {
    expect(
      await priceList(
        tiers(
          'India,USD,Utility,0,100000,0.0014',
          'India,USD,UTILITY,100001,25000000,0.00130',
          'India,USD,utility,25000001,MAX,0.0012',
          'India,USD,Authentication-\tInternational,1,,0.0304',
          'India,INR,authentication international,5,max,2',
          'Peru,USD,Authentication,1,10,n/a',
          'Chile,USD,Utility,1,"1,000",1',
          'Chile,USD,Utility,"1,001",12 345 678,2',
          'Chile,USD,Utility,"12,345,679",--,3',
        ),
      ),
    ).toEqual([
      'tiers message USD',
      'India utility 1:100000 0.0014',
      'India utility 100001:25000000 0.0013',
      'India utility 25000001:MAX 0.0012',
      'India authentication_international 1:MAX 0.0304',
      'Chile utility 1:1000 1',
      'Chile utility 1001:12345678 2',
      'Chile utility 12345679:MAX 3',
      'tiers message INR',
      'India authentication_international 5:MAX 2',
    ]);
  });

  it('needs no preamble, nor a first tier', async () => {
    expect(
      await priceList(`rate,to,from,MESSAGE TYPE,currency,market\n1,10,5,utility,USD,Peru\n0.5,,11,utility,USD,Peru\n`),
    ).toEqual(['tiers message USD', 'Peru utility 5:10 1', 'Peru utility 11:MAX 0.5']);
  });

  it('with a gap between tiers is refused', async () => {
    expect(await problems(tiers('Peru,USD,utility,1,10,1', 'Peru,USD,utility,12,,0.5'))).toEqual([
      '4 | 4 (From) | The tier begins with 12, but the one before, on line 3, ends with 10: what is between belongs to no tier.',
    ]);
  });

  it.each([
    [
      'Peru,USD,marketing,1,10,1',
      '3 | 3 (Message type) | "marketing" has no tiers: only utility, authentication, authentication_international have.',
    ],
    ['Peru,USD,utility,10,9,1', '3 | 5 (To) | The tier ends (9) before it begins (10).'],
    ['Peru,USD,utility,,9,1', '3 | 4 (From) | "" is not a bound: write a whole number.'],
    ['Peru,USD,utility,1.5,9,1', '3 | 4 (From) | "1.5" is not a bound: write a whole number.'],
    ['Peru,USD,utility,1,"10,00",1', '3 | 5 (To) | "10,00" is not a bound: write a whole number, or MAX.'],
    ['Peru,USD,utility,1,10.000,1', '3 | 5 (To) | "10.000" is not a bound: write a whole number, or MAX.'],
    [
      'Peru,USD,utility,1,10,1e-2',
      '3 | 6 (Rate) | "1e-2" is not a rate: write a plain decimal like 0.0225, without sign, exponent, currency or thousands separators, or n/a.',
    ],
  ])('with the row %s is refused', async (row, problem) => {
    expect(await problems(tiers(row))).toEqual([problem]);
  });

  it('with tiers that overlap is refused', async () => {
    expect(
      await problems(
        tiers(
          'Peru,USD,utility,50,60,1',
          'Peru,USD,utility,1,100,1',
          'Peru,USD,authentication,1,100,1',
          'Peru,USD,utility,100,,1',
          'Peru,EUR,utility,1,,1',
        ),
      ),
    ).toEqual([
      '3 | 4 (From) | The tier overlaps with the one on line 4.',
      '6 | 4 (From) | The tier overlaps with the one on line 4.',
    ]);
  });

  it.each<[string, RateModel | undefined]>([
    ['Tiers per conversation', undefined],
    ['Tiers', 'conversation'],
  ])('that is to be per conversation is refused: %j, --model %s', async (preamble, model) => {
    expect(await problems(`${preamble}\n${TIERS}\nPeru,USD,utility,1,10,1\n`, model)).toEqual([
      '2 | - | Tiers are for rates per message, but this is to be one per conversation.',
    ]);
  });
});

describe('a file that is no rate file', () => {
  it.each<[string, string | Uint8Array, string]>([
    ['empty', '', 'The file is empty.'],
    ['white space', '\ufeff \n\n', 'The file is empty.'],
    ['a ZIP archive that is damaged', 'PK\u0003\u0004…', 'is a ZIP archive'],
    ['an old Excel workbook', Buffer.from('d0cf11e0a1b11ae1', 'hex'), 'export it as CSV'],
    ['a PDF', '%PDF-1.7', 'is a PDF'],
    ['compressed', Buffer.from('1f8b0800', 'hex'), 'unpack it first'],
    ['UTF-16 that is damaged', Buffer.from('fffe41d84142', 'hex'), 'is not UTF-8'],
    ['Latin-1', Buffer.from('M\xe1rket,Currency', 'latin1'), 'is not UTF-8: export it as "CSV UTF-8"'],
    ['binary', 'Market,\0', 'is binary, not CSV'],
    ['a web page', '\n<!DOCTYPE html><html></html>', 'is a web page, not CSV'],
    ['too large', Buffer.alloc(32 * 1024 * 1024 + 1, 'a'), 'is larger than 32 MB'],
    ['too long', 'a\n'.repeat(100_001), 'more than 100000 rows'],
    ['without a header', 'Brazil,USD,0.1\n', 'There is no header: a row with Market, Currency, Marketing'],
    [
      'with signs that no CSV has',
      'per message\nMarket|Currency|Marketing|Utility|Authentication\n',
      'There is no header',
    ],
    ['with nothing under the header', `per message\n${HEADER}\n,,\n`, 'There are no rows under the header.'],
    [
      'without columns that a card needs',
      'per message\nMarket,Currency,Marketing\nA,USD,1\n',
      'The header lacks Utility, Authentication.',
    ],
    [
      'without columns that tiers need',
      'Market,Currency,From,To,Rate\nA,USD,1,2,1\n',
      'The header lacks Message type, or above it a row with Utility, Authentication or Authentication-International.',
    ],
    [
      'with a column twice',
      `per message\nMarket,Currency,Marketing,Utility,Authentication,UTILITY\n`,
      'The header names Utility twice.',
    ],
    [
      'with an open quotation mark',
      `per message\n${HEADER}\n"Brazil,USD,1,1,1\nPeru,USD,1,1,1\n`,
      'The row is not CSV',
    ],
    ['with a row without an end', `per message\n${HEADER}\n${'a'.repeat(200_000)}`, 'The row is not CSV'],
  ])('is refused: %s', async (_, content, words) => {
    expect(await problems(content)).toEqual([expect.stringContaining(words)]);
  });

  it('is read or refused, whatever is in it', async () => {
    const pieces = fc.constantFrom(
      ',',
      '\n',
      '\r\n',
      '"',
      'Market',
      'Currency',
      'From',
      'per message',
      HEADER,
      TIERS,
      'USD',
      '0.1',
      'n/a',
    );
    const content = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.array(fc.oneof(pieces, fc.string()), { maxLength: 60 }).map((parts) => Buffer.from(parts.join(''))),
    );
    await fc.assert(
      fc.asyncProperty(content, async (bytes) => {
        const parsed = await parse(bytes);
        return parsed.ok ? parsed.cards.length > 0 : parsed.problems.length > 0;
      }),
      { numRuns: 2_000 },
    );
  });
});
