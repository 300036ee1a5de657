/**
 * The numbers of rating on this machine: `npm run bench -- rating`. Prints the machine, the sizes and every figure.
 *
 * CTWA_BENCH_MESSAGES (default 10,000,000) delivered messages of one month and a half, of 20 numbers in 4 accounts of 3
 * zones and 2 currencies, to 12 markets, in tiers and over the allowance. Their marks are made in ClickHouse: how they come
 * about is measured elsewhere.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { csvReport } from '../../services/exports/report.ts';
import type { Database } from '../../services/clickhouse/database.ts';
import { newStamp } from '../../services/clickhouse/stamp.ts';
import { Ledger } from '../../services/ledger/ledger.ts';
import { settleCharges } from '../../services/rating/charges.ts';
import { importRateFile } from '../../services/rating/rate-cards.ts';
import { judge, median, percentile, sayMachine } from './figures.ts';

const MESSAGES = Number(process.env['CTWA_BENCH_MESSAGES'] ?? 10_000_000);
const BATCH = 1_000_000;
const REPORTS = 40;
const LATE_EVENTS = 5;
const ZONES = ['America/Sao_Paulo', 'Asia/Kolkata', 'UTC', 'America/Sao_Paulo'];
const CURRENCIES = ['USD', 'USD', 'EUR', 'EUR'];
const MARKETS = 'Argentina,Brazil,Colombia,Egypt,France,Germany,India,Indonesia,Italy,Mexico,North America,Other'.split(
  ',',
);
const PREFIXES = ['54', '55', '57', '20', '33', '49', '91', '62', '39', '52', '1415', '93'];

const home = mkdtempSync(join(tmpdir(), 'ctwa-bench-rating-'));

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

function list(values: readonly string[]): string {
  return `[${values.map((value) => `'${value}'`).join(', ')}]`;
}

/** Marks as folds write them: 2026-10-01 and 45 days, every category, free entry among them. */
async function writeMarks(database: Database): Promise<void> {
  for (let from = 0; from < MESSAGES; from += BATCH)
    await database.command(
      `INSERT INTO message_marks (phone_number_id, message_id, version, customer, waba_id, sent_at, delivered_at, type, category,
          is_template, policy, predicted, billing, without_free_entry, conversation_id, ad_id, source_type)
       SELECT toString(106540352242900 + number_index), concat('wamid.', hex(sipHash64(number))), 1,
          concat(${list(PREFIXES)}[1 + (number_index + r % 3) % 12], leftPad(toString(intDiv(r, 16) % 1000000), 8, '0')),
          toString(102290129340390 + number_index % 4), at, at + 3,
          if(category = 'service', 'text', 'template'), category, category != 'service', 'PMP-2026-10', mark, mark, 'BILLABLE',
          if(mark = 'FREE_ENTRY', 'wamid.entry', ''), if(mark = 'FREE_ENTRY', toString(1202263058548107 + r % 40), ''),
          if(mark = 'FREE_ENTRY', 'ad', '')
       FROM
       (
           SELECT number, sipHash64(number, 1) AS r, intDiv(r, 7) % 20 AS number_index,
              toDateTime('2026-10-01 04:00:00', 'UTC') + intDiv(r, 11) % 3888000 AS at,
              ['marketing', 'utility', 'utility', 'authentication', 'service', 'service'][1 + intDiv(r, 13) % 6] AS category,
              if(intDiv(r, 17) % 3 = 0, 'FREE_ENTRY', 'BILLABLE') AS mark
           FROM numbers({from:UInt64}, {count:UInt64})
       )`,
      { from, count: Math.min(BATCH, MESSAGES - from) },
    );
  await database.command(
    'INSERT INTO dirty_charges (stamp, phone_number_id, hour_at) SELECT DISTINCT 1, phone_number_id, toStartOfHour(cell_at) FROM messages_by_time',
  );
}

async function importCards(database: Database): Promise<void> {
  for (const currency of ['USD', 'EUR']) {
    const card = MARKETS.map((market, i) => `${market},${currency},0.0${10 + i},0.00${10 + i},0.00${20 + i},n/a,0.001`);
    const tiers = MARKETS.flatMap((market) =>
      ['Utility', 'Authentication'].flatMap((category) => [
        `${market},${currency},${category},1,50000,0.002`,
        `${market},${currency},${category},50001,100000,0.0019`,
        `${market},${currency},${category},100001,MAX,0.0018`,
      ]),
    );
    for (const [name, head, rows] of [
      ['list', 'Market,Currency,Marketing,Utility,Authentication,Authentication-International,Service', card],
      ['tiers', 'Market,Currency,Message type,From,To,Rate', tiers],
    ] as const)
      await importRateFile(database, {
        name: `${name}-${currency}.csv`,
        bytes: Buffer.from(`"Cost per message in ${currency}"\n${head}\n${rows.join('\n')}\n`),
        effective: '2026-10-01',
        by: 'bench',
      });
  }
}

/** One more charged message in the second day, and all that it renumbers. */
async function arriveLate(database: Database, n: number): Promise<void> {
  await database.command(
    `INSERT INTO message_marks (phone_number_id, message_id, version, customer, waba_id, sent_at, delivered_at, type, category,
        is_template, policy, predicted, billing, without_free_entry)
     SELECT '106540352242904', {id:String}, 1, '5511955550000', '102290129340390', toDateTime('2026-10-02 12:00:00', 'UTC'),
        toDateTime('2026-10-02 12:00:03', 'UTC'), 'template', 'utility', 1, 'PMP-2026-10', 'BILLABLE', 'BILLABLE', 'BILLABLE'`,
    { id: `wamid.late${n}` },
  );
  await database.command(
    "INSERT INTO dirty_cells SELECT {stamp:UInt64}, '106540352242904', toDateTime('2026-10-02 12:00:00', 'UTC')",
    { stamp: newStamp().toString() },
  );
}

const ledger = await Ledger.open({
  location: { kind: 'embedded', dataDir: join(home, 'ledger') },
  database: 'ctwa_ledger',
  config: {
    accounts: ZONES.map((time_zone, i) => ({
      waba_id: String(102290129340390 + i),
      time_zone,
      currency: CURRENCIES[i] ?? 'USD',
      portfolio_id: 'p1',
    })),
  },
  command: 'bench',
});
try {
  const { database } = ledger;
  sayMachine();
  await writeMarks(database);
  await importCards(database);
  const scratch = await timed(() => settleCharges(database));
  judge(`rating ${MESSAGES} messages from scratch`, scratch / 1000, ' s', { sign: '<', figure: 30 });
  const late: number[] = [];
  for (let n = 0; n < LATE_EVENTS; n++) {
    await arriveLate(database, n);
    late.push(await timed(() => settleCharges(database)));
  }
  judge(`after one late message, most of ${LATE_EVENTS}`, Math.max(...late), ' ms', { sign: '<', figure: 1_000 });
  const reports: number[] = [];
  let chars = 0;
  for (let n = 0; n < REPORTS; n++)
    reports.push(
      await timed(async () => {
        chars = 0;
        const filters = { from: '2026-10-01', to: '2026-11-01', tz: 'UTC', as_of: 1_800_000_000 };
        for await (const part of csvReport('charges', database, filters)) chars += part.length;
      }),
    );
  judge(
    `charges of October, ${chars} characters of CSV, p95 (median ${median(reports).toFixed(0)} ms)`,
    percentile(reports, 0.95),
    ' ms',
    { sign: '<', figure: 200 },
  );
} finally {
  await ledger.close();
  rmSync(home, { recursive: true, force: true });
}
