import { readFileSync } from 'node:fs';
import type { SpendMapping } from '@ctwa-ledger/schemas/spend.ts';
import { describe, expect, it } from 'vitest';
import { parseSpendFile } from '../../services/spend/spend-file.ts';
import { sheetOfCsv, workbookOf } from '../support/workbook.ts';

const read = (name: string): string => readFileSync(new URL(`../cases/${name}`, import.meta.url), 'utf8');
const PORTUGUESE = read('40-ads-ptbr.csv');
const WITH_SUMS = read('46-ads-all-rows-hierarchy.csv');

const parse = (bytes: Uint8Array | string, mapping?: SpendMapping) => parseSpendFile(Buffer.from(bytes), mapping);

/** What a file says: `ad first..last amount currency`, and how many rows were passed over. */
async function spendOf(bytes: Uint8Array | string, mapping?: SpendMapping): Promise<string[]> {
  const file = await parse(bytes, mapping);
  if (!file.ok) throw new Error(JSON.stringify(file.problems));
  return [
    ...file.spend.map((row) => `${row.ad_id} ${row.first_day}..${row.last_day} ${row.amount} ${row.currency}`),
    `${file.passed_over} passed over`,
  ];
}

async function problemsOf(bytes: Uint8Array | string, mapping?: SpendMapping): Promise<string[]> {
  const file = await parse(bytes, mapping);
  if (file.ok) throw new Error('The file could be read.');
  return file.problems.map(({ sheet, line, column, message }) =>
    [...(sheet === null ? [] : [sheet]), line ?? '-', column ?? '-', message].join(' | '),
  );
}

const PORTUGUESE_SPEND = [
  '120200000000000001 2026-10-01..2026-10-01 8.97 BRL',
  '120200000000000001 2026-10-02..2026-10-02 12.04 BRL',
  '0 passed over',
];

describe('exports of Ads Manager come in the language of the user', () => {
  it('in Portuguese, for one ad over two days', async () => {
    expect(await spendOf(PORTUGUESE)).toEqual(PORTUGUESE_SPEND);
    expect(await parse(PORTUGUESE)).toMatchObject({
      labels: [{ ad_id: '120200000000000001', ad_name: 'Criativo 1', adset_name: 'Conj', campaign_name: 'Camp' }],
    });
  });

  it.each<[string, string, string, string]>([
    [
      'Portuguese',
      'Nome do anúncio,Identificação do anúncio',
      'Valor usado',
      'Início dos relatórios,Término dos relatórios',
    ],
    [
      'Spanish',
      'Nombre del anuncio,Identificador del anuncio',
      'Importe gastado',
      'Inicio del informe,Fin del informe',
    ],
    ['German', 'Name der Anzeige,Anzeigen-ID', 'Ausgegebener Betrag', 'Berichtsstart,Berichtsende'],
    ['German as it was', 'Anzeigenname,Anzeigen-ID', 'Ausgegebener Betrag', 'Auswertungsbeginn,Auswertungsende'],
    ['French', 'Nom de la publicité,ID de publicité', 'Montant dépensé', 'Début des rapports,Fin des rapports'],
    ['Italian', "Nome dell'inserzione,ID inserzione", 'Importo speso', 'Inizio dei report,Fine dei report'],
    ['Indonesian', 'Nama iklan,ID iklan', 'Jumlah yang dibelanjakan', 'Awal pelaporan,Akhir pelaporan'],
    ['Japanese', '広告名,広告ID', '消化金額', 'レポート開始日,レポート終了日'],
    ['Korean', '광고 이름,광고 ID', '지출 금액', '보고 시작,보고 종료'],
    ['Chinese, simplified', '广告名称,广告编号', '已花费金额', '报告开始日期,报告结束日期'],
    ['Chinese, traditional', '廣告名稱,廣告編號', '花費金額', '分析報告開始,分析報告結束'],
  ])('in %s', async (_, names, amount, days) => {
    for (const heading of [`${amount} (BRL)`, `${amount}（BRL）`.normalize('NFD'), `${amount.toUpperCase()}(R$)`]) {
      const text = `${names},${heading},${days}\nSofa,12,8.97,2026-10-01,2026-10-02\n`;
      expect(await spendOf(text)).toEqual(['12 2026-10-01..2026-10-02 8.97 BRL', '0 passed over']);
      expect(await parse(text)).toMatchObject({ labels: [{ ad_id: '12', ad_name: 'Sofa' }] });
    }
  });

  it.each([
    ['Identificação do anúncio,Dia,Valor gasto,Moeda'],
    ['Identificador del anuncio,Día,Importe gastado,Divisa'],
    ['Anzeigen-ID,Tag,Ausgegebener Betrag,Währung'],
    ['ID de publicité,Jour,Montant dépensé,Devise'],
    ['ID inserzione,Giorno,Importo speso,Valuta'],
    ['ID iklan,Hari,Jumlah yang dibelanjakan,Mata uang'],
    ['広告ID,日,消化金額,通貨'],
    ['광고 ID,일,지출 금액,통화'],
    ['广告编号,日期,已花费金额,货币'],
    ['廣告編號,日,花費金額,貨幣'],
  ])('by day, with the currency in a column: %s', async (header) => {
    expect(await spendOf(`${header}\n12,2026-10-01,8.97,BRL\n`)).toEqual([
      '12 2026-10-01..2026-10-01 8.97 BRL',
      '0 passed over',
    ]);
  });

  it('a short word of one language means nothing in another one', async () => {
    const text = 'Ad ID,Day,Tag,Amount spent (USD)\n12,2026-10-01,sale,7\n';
    expect(await spendOf(text)).toEqual(['12 2026-10-01..2026-10-01 7 USD', '0 passed over']);
  });
});

describe('exports come as spreadsheets save them', () => {
  it('with semicolons or tabs, in UTF-16 with either end first', async () => {
    const tabs = PORTUGUESE.replaceAll(',', '\t');
    const bytes = Buffer.from(`\ufeff${tabs}`, 'utf16le');
    for (const file of [PORTUGUESE.replaceAll(',', ';'), tabs, bytes, Buffer.from(bytes).swap16()])
      expect(await spendOf(file)).toEqual(PORTUGUESE_SPEND);
  });

  it('as a workbook, with days that are days and ids that are text', async () => {
    const rows = [
      ['Nome do anúncio', 'Identificação do anúncio', 'Dia', 'Valor gasto (BRL)'],
      ['Criativo 1', '120200000000000001', new Date('2026-10-01'), 8.97],
      ['Criativo 1', '120200000000000001', '2026-10-02', '12.04'],
    ];
    expect(await spendOf(await workbookOf({ name: 'Notas', rows: [['x']] }, { name: 'Dados', rows }))).toEqual(
      PORTUGUESE_SPEND,
    );
  });

  it('with the same rows in two sheets, or with different ones', async () => {
    const [raw, other] = [sheetOfCsv('Raw', WITH_SUMS), sheetOfCsv('Formatted', WITH_SUMS.replace('10.5', '11'))];
    for (const sheet of [raw, other])
      sheet.rows.forEach((cells) => Object.assign(cells, { 2: String(cells[2]).replace(/^1202.*/, '1202') }));
    expect(await spendOf(await workbookOf(raw, { ...raw, name: 'Again' }))).toHaveLength(3);
    expect(await problemsOf(await workbookOf(raw, other))).toEqual([
      expect.stringContaining('The sheets "Raw" and "Formatted" both have amounts of ads, and different ones'),
    ]);
  });

  it.each<[string, string]>([
    ['CSV', 'Ad ID;Day;Amount spent (USD)\n1.2E+17;2026-10-01;7\n1,2E+17;2026-10-02;7\n12;2026-10-02;7\n'],
    [
      'CSV with all digits but the last ones',
      'Ad ID,Day,Amount spent (USD)\n120226305854810000,2026-10-01,7\n120226305854811000,2026-10-01,7\n',
    ],
    ['CSV of one row', 'Ad ID,Day,Amount spent (USD)\n1.20226E+17,2026-10-01,7\n'],
  ])('with ids that a spreadsheet has rounded: one sentence, in %s', async (_, text) => {
    expect(await problemsOf(text)).toEqual([
      expect.stringMatching(/^2 \| 1 \(Ad ID\) \| A spreadsheet has rounded the ids of ads \(.*here "12?.2/),
    ]);
  });

  it('with an id that ends with zeros, among others that do not', async () => {
    const text = 'Ad ID,Day,Amount spent (USD)\n120226305854810000,2026-10-01,7\n120226305854810001,2026-10-01,7\n';
    expect(await spendOf(text)).toHaveLength(3);
    expect(await spendOf(text.split('\n').slice(0, 2).join('\n'))).toHaveLength(2);
  });

  it('with ids that a workbook keeps as numbers', async () => {
    const rows = [
      ['Ad ID', 'Day', 'Amount spent (USD)'],
      ...[1, 2, 3].map((day) => [Number('120226305854810726'), `2026-10-0${day}`, 7]),
    ];
    expect(await problemsOf(await workbookOf({ name: 'Raw', rows }))).toEqual([
      expect.stringMatching(
        /^Raw \| 2 \| A \(Ad ID\) \| A spreadsheet has rounded the ids of ads \(in 3 rows; here "1.20226\d+E\+17"\)/,
      ),
    ]);
    const whole = [
      ['Ad ID', 'Day', 'Amount spent (USD)'],
      [6012345678901, '2026-10-01', 7],
    ];
    expect(await spendOf(await workbookOf({ name: 'Raw', rows: whole }))).toEqual([
      '6012345678901 2026-10-01..2026-10-01 7 USD',
      '0 passed over',
    ]);
  });
});

describe('rows that sum up others are passed over and counted', () => {
  it('of all days, and of all ads', async () => {
    expect(await spendOf(WITH_SUMS)).toEqual([
      '120200000000000001 2026-10-01..2026-10-01 10.5 USD',
      '120200000000000001 2026-10-02..2026-10-02 19.5 USD',
      '2 passed over',
    ]);
  });

  it.each(['', 'All', 'ALL', 'Todos', 'Todas', 'Alle', 'Tous', 'Tutti', 'Semua', 'すべて', '전체', '全部'])(
    'with %j as the day',
    async (all) => {
      const text = `Ad ID,Day,Amount spent (USD)\n1,${all},30\n1,2026-10-01,30\n${all},${all},30\n`;
      expect(await spendOf(text)).toEqual(['1 2026-10-01..2026-10-01 30 USD', '2 passed over']);
    },
  );

  it('of all values of a breakdown, where there are others', async () => {
    const text = [
      'Ad ID,Day,Age,Gender,Placement,Amount spent (USD)',
      '1,2026-10-01,All,All,All,30',
      '1,2026-10-01,18-24,All,All,10',
      '1,2026-10-01,18-24,female,All,4',
      '1,2026-10-01,18-24,male,All,6',
      '1,2026-10-01,25-34,All,All,20',
      '1,2026-10-01,25-34,female,All,20',
      '2,2026-10-01,All,All,All,5',
    ].join('\n');
    expect(await spendOf(text)).toEqual([
      '1 2026-10-01..2026-10-01 30 USD',
      '2 2026-10-01..2026-10-01 5 USD',
      '3 passed over',
    ]);
  });

  it('an ad or campaign may be called All', async () => {
    const text = 'Campaign name,Ad name,Ad ID,Day,Amount spent (USD)\nAll,All,1,2026-10-01,30\nB,C,1,2026-10-01,1\n';
    expect(await spendOf(text)).toEqual(['1 2026-10-01..2026-10-01 31 USD', '0 passed over']);
  });

  it('an ad with an amount only in a row of sums is reported and not lost', async () => {
    const text = 'Ad ID,Day,Amount spent (USD)\n1,All,30\n,2026-10-01,30\n2,2026-10-01,5\n3,All,0\n';
    expect(await problemsOf(text)).toEqual([
      expect.stringMatching(/^2 \| 1 \(Ad ID\) \| Ad 1 has an amount only in this row/),
    ]);
  });
});

describe('days and amounts are read where the file leaves no doubt', () => {
  const days = (...pairs: readonly [string, string][]): string =>
    `Ad ID,Day,Amount spent (USD)\n${pairs.map(([day, amount]) => `1,"${day}","${amount}"\n`).join('')}`;
  const spend = async (...pairs: readonly [string, string][]): Promise<string[]> =>
    (await spendOf(days(...pairs))).slice(0, -1).map((line) => line.slice('1 2026-10-01..'.length));

  it.each<[readonly string[], readonly string[]]>([
    [
      ['10/01/2026', '10/31/2026'],
      ['2026-10-01', '2026-10-31'],
    ],
    [
      ['1/10/2026', '31/10/2026'],
      ['2026-10-01', '2026-10-31'],
    ],
    [
      ['01-10-2026', '13-10-2026'],
      ['2026-10-01', '2026-10-13'],
    ],
    [
      ['01.10.2026', '02.10.2026'],
      ['2026-10-01', '2026-10-02'],
    ],
    [
      ['2026/10/01', '2026. 10. 2.'],
      ['2026-10-01', '2026-10-02'],
    ],
    [
      ['Oct 1, 2026', '2 October 2026'],
      ['2026-10-01', '2026-10-02'],
    ],
    [
      ['2026-10-01 00:00:00', '2026-10-02T00:00'],
      ['2026-10-01', '2026-10-02'],
    ],
    [
      ['10/10/2026', '2026-10-11'],
      ['2026-10-10', '2026-10-11'],
    ],
  ])('%j', async (written, read) => {
    expect(await spend(...written.map((day): [string, string] => [day, '1']))).toEqual(
      read.map((day) => `${day} 1 USD`),
    );
  });

  it('the span of the report tells the order of its days', async () => {
    const text = 'Ad ID,Day,Reporting starts,Reporting ends,Amount spent (USD)\n1,10/01/2026,10/01/2026,10/31/2026,7\n';
    expect(await spendOf(text)).toEqual(['1 2026-10-01..2026-10-01 7 USD', '0 passed over']);
  });

  it.each<[readonly string[], RegExp]>([
    [['10/01/2026', '10/02/2026'], /^2 \| 2 \(Day\) \| "10\/01\/2026" can be two different days.*YYYY-MM-DD/],
    [['10/31/2026', '31/10/2026'], /^2 \| 2 \(Day\) \| "10\/31\/2026" is not a date/],
    [['2026-10-01 to 2026-10-02'], /is not a date/],
    [['2026-13-01'], /is not a date/],
    [['46296'], /is not a date/],
    [['1999-10-01'], /is not a date/],
  ])('%j is refused', async (written, message) => {
    const problems = await problemsOf(days(...written.map((day): [string, string] => [day, '1'])));
    expect(problems).toEqual([expect.stringMatching(message)]);
  });

  it.each<[readonly string[], readonly string[]]>([
    [
      ['1,250.50', '7'],
      ['1250.5', '7'],
    ],
    [
      ['1.250,50', '1.250'],
      ['1250.5', '1250'],
    ],
    [
      ['1,250.50', '1,250'],
      ['1250.5', '1250'],
    ],
    [
      ['0,99', '1 234,5'],
      ['0.99', '1234.5'],
    ],
    [["1'234.50"], ['1234.5']],
    [
      ['1,00,000.25', '12,34,567'],
      ['100000.25', '1234567'],
    ],
    [
      ['0.125', '0'],
      ['0.125', '0'],
    ],
    [
      ['1.5', ''],
      ['1.5', '0'],
    ],
  ])('%j', async (written, read) => {
    const pairs = written.map((amount, index): [string, string] => [`2026-10-0${index + 1}`, amount]);
    expect(await spend(...pairs)).toEqual(read.map((amount, index) => `2026-10-0${index + 1} ${amount} USD`));
  });

  it.each<[readonly string[], RegExp]>([
    [['1,250', '7'], /^2 \| 3 .*"1,250" can be two different amounts/],
    [['1.250', '7'], /^2 \| 3 .*"1.250" can be two different amounts/],
    [['1,250.50', '1.250,50'], /^3 \| 3 .*"1.250,50" is not an amount/],
    [['1,5', '$7'], /^3 \| 3 .*"\$7" is not an amount with a decimal comma/],
    [['1,25,0.5'], /is not an amount/],
    [['-1'], /is not an amount/],
    [['1,234,567,890,123.5'], /none may be lost/],
  ])('%j is refused', async (written, message) => {
    const problems = await problemsOf(
      days(...written.map((amount, index): [string, string] => [`2026-10-0${index + 1}`, amount])),
    );
    expect(problems).toEqual([expect.stringMatching(message)]);
  });

  it('a number of a workbook is read exactly', async () => {
    const rows = [
      ['Ad ID', 'Day', 'Amount spent (USD)'],
      ['1', '2026-10-01', 1.25],
      ['1', '2026-10-02', '1,250'],
      ['1', '2026-10-03', '2,5'],
    ];
    expect(await spendOf(await workbookOf({ name: 'A', rows }))).toEqual([
      '1 2026-10-01..2026-10-01 1.25 USD',
      '1 2026-10-02..2026-10-02 1.25 USD',
      '1 2026-10-03..2026-10-03 2.5 USD',
      '0 passed over',
    ]);
  });
});

describe('unknown headings', () => {
  const POLISH = 'Identyfikator reklamy;Dzień;Wydana kwota (PLN)\n12;2026-10-01;7,5\n';
  const columns = { ad_id: 'identyfikator REKLAMY', day: 'Dzień', amount: 'Wydana kwota' };

  it('are listed', async () => {
    const file = await parse(POLISH);
    expect(file).toMatchObject({ ok: false, headings: ['Identyfikator reklamy', 'Dzień', 'Wydana kwota (PLN)'] });
    expect(await problemsOf(POLISH)).toEqual([
      expect.stringMatching(
        /^1 \| - \| No heading is known as Ad ID.*"Identyfikator reklamy", "Dzień", "Wydana kwota \(PLN\)"/,
      ),
    ]);
  });

  it('are listed too where the id of the ad is known, but not what it costs', async () => {
    expect(await parse('Ad ID,Kosten\n12,7\n')).toMatchObject({ ok: false, headings: ['Ad ID', 'Kosten'] });
    expect(await parse('Ad ID,Day,Amount spent (USD)\n12,nonsense,7\n')).not.toHaveProperty('headings');
  });

  it('are mapped by hand', async () => {
    expect(await spendOf(POLISH, { columns })).toEqual(['12 2026-10-01..2026-10-01 7.5 PLN', '0 passed over']);
    const mixed = 'Ad ID,Day,Cost,Amount spent (USD)\n12,2026-10-01,7,8\n';
    expect(await spendOf(mixed, { columns: { amount: 'Cost' }, currency: 'EUR' })).toEqual([
      '12 2026-10-01..2026-10-01 7 EUR',
      '0 passed over',
    ]);
  });

  it.each<[SpendMapping, RegExp]>([
    [
      { columns: { ...columns, amount: 'Kwota' } },
      /There is no header with "identyfikator REKLAMY", "Dzień", "Kwota".*The columns found are/,
    ],
    [{ columns: { amount: 'Wydana kwota' } }, /There is no header with "Wydana kwota" and Ad ID/],
    [{ columns, currency: 'USD' }, /The heading says PLN, but USD was given/],
    [{ columns: { ad_id: columns.ad_id, amount: columns.amount } }, /The header lacks Reporting starts/],
  ])('%j does not fit', async (mapping, message) => {
    expect(await problemsOf(POLISH, mapping)).toEqual([expect.stringMatching(message)]);
  });
});
