import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Database } from '../../services/clickhouse/database.ts';
import { csvReport, settleReports, type ReportName } from '../../services/exports/report.ts';
import { importRateFile } from '../../services/rating/rate-cards.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { closePeriod } from '../../services/periods/periods.ts';
import { configSchema } from '../../schemas/config.ts';
import {
  clicks,
  HOUR,
  MON,
  NUMBER,
  sendsTemplate,
  status,
  WABA,
  writes,
  type RawEvent,
} from '../oracle/golden/builders.ts';
import { parsed } from '../support/expected-rows.ts';
import { EVERYTHING, withoutTimes, type DataDirectory } from '../support/ledger.ts';

/** A ledger in which one person is named wherever a person can be, beside others who are nearly called the same. */

const OLD = '5511900000001';
/** As the sender writes it (rules.md F3). */
const DIALLED = '551100000001';
export const NEW = '16505550001';
export const ID = 'BR.1349';
const PARENT = 'BR.ENT.9';
/** Names of the person, as texts. */
export const NAMES = [OLD, DIALLED, NEW, ID, PARENT] as const;
/** Somebody else, who is nearly called the same. */
export const OTHER = '16505560001';

/** An id as Meta makes them: the number in Base64, `before` bytes after its beginning. */
export function wamid(number: string, n: number, before = 3): string {
  const bytes = Buffer.concat([
    Buffer.from([0x1c, 0x18, number.length, 0x10, 0x11].slice(0, before)),
    Buffer.from(number, 'latin1'),
    Buffer.from([0x15, 0x02, 0x00, 0x11, 0x18, 0x12]),
    Buffer.from(`9A3CA5B3D4CD6E67${String(n).padStart(2, '0')}`, 'latin1'),
    Buffer.from([0]),
  ]);
  return `wamid.${bytes.toString('base64')}`;
}

const byId = { wa_id: null, user_id: ID };

/** The person clicks under an id, is answered by number, changes number, is written to, and stops. */
const personal: RawEvent[] = [
  clicks(wamid(OLD, 1), MON, { ...byId, parent_user_id: PARENT }),
  sendsTemplate(wamid(OLD, 2, 4), MON + HOUR, 'marketing'),
  status(wamid(OLD, 2, 4), 'delivered', MON + HOUR, { wa_id: OLD, user_id: ID }),
  writes(wamid(OLD, 3, 5), MON + 2 * HOUR, byId),
  writes(wamid(OLD, 4), MON + 3 * HOUR, {
    wa_id: OLD,
    type: 'system',
    system: { type: 'user_changed_number', wa_id: NEW },
  }),
  sendsTemplate(wamid(NEW, 5), MON + 80 * HOUR, 'marketing'),
  status(wamid(NEW, 5), 'delivered', MON + 80 * HOUR, { wa_id: NEW, pricing: { billable: true, type: 'regular' } }),
  // Delivered in one second: the ids decide which comes first.
  sendsTemplate(wamid(NEW, 7), MON + 81 * HOUR, 'utility'),
  status(wamid(NEW, 7), 'delivered', MON + 81 * HOUR, { wa_id: NEW }),
  sendsTemplate(wamid(NEW, 6), MON + 81 * HOUR, 'utility'),
  status(wamid(NEW, 6), 'delivered', MON + 81 * HOUR, { wa_id: NEW }),
  // Known from a status that names nobody.
  status(wamid(NEW, 8), 'failed', MON + 82 * HOUR, {
    wa_id: null,
    errors: [{ code: 131026, title: `Undeliverable to +${NEW}` }],
  }),
  writes(`user_preferences:${NEW}:stop`, MON + 83 * HOUR, {
    wa_id: NEW,
    type: 'user_preferences',
    context: { category: 'marketing_messages', value: 'stop' },
  }),
  // Two messages of one second to the same person, one of them known by the user id only.
  status('plain-id', 'delivered', MON + 84 * HOUR, { wa_id: NEW, tag: `crm ${NEW}` }),
].map((event) =>
  event.event === 'message' && event['direction'] === 'outbound'
    ? { ...event, wa_id: Number(event.timestamp) < MON + 4 * HOUR ? DIALLED : NEW }
    : event,
);

/** Others, who mention the person: in an answer, in a group, and by numbers that begin alike. */
const ofOthers: RawEvent[] = [
  clicks(wamid(OTHER, 11), MON + HOUR, { wa_id: OTHER }),
  sendsTemplate(wamid(OTHER, 12), MON + 2 * HOUR, 'marketing'),
  status(wamid(OTHER, 12), 'delivered', MON + 2 * HOUR, { wa_id: OTHER }),
  writes(wamid(OTHER, 13), MON + 3 * HOUR, { wa_id: OTHER, context: { from: NEW, id: wamid(NEW, 5) } }),
  status('group-message', 'delivered', MON + 5 * HOUR, { wa_id: null, group_id: 'G1', participant: OLD }),
  status('group-message', 'delivered', MON + 5 * HOUR, { wa_id: null, group_id: 'G1', participant: OTHER }),
  status(wamid(NEW, 5), 'read', MON + 80 * HOUR + 1, {
    wa_id: NEW,
    pricing: { billable: false, type: 'free_entry_point' },
  }),
].map((event) => (event.id === wamid(OTHER, 12) ? { ...event, wa_id: OTHER } : event));

export const EVENTS: readonly RawEvent[] = [...personal, ...ofOthers];

const CARD =
  'Cost per message\nMarket,Currency,Marketing,Utility,Authentication\nBrazil,USD,0.0625,0.0068,0.0068\nNorth America,USD,0.025,0.004,0.004\n';

/** Values that nothing can read, with the person's number as people and programs write it. */
export const LETTERS = [
  `{"broken": "+1 650-555-0001"`,
  `{"event":"message","wa_id":"${NEW}","id":"${wamid(NEW, 9)}"}`,
  JSON.stringify({ event: 'message', id: wamid(OLD, 10), user_id: ID }).replaceAll('/', '\\/'),
];

export const CONFIG = configSchema.parse({ accounts: [{ waba_id: WABA, currency: 'USD' }] });

/** When the month of the events is over. */
const CLOSED_AT = Date.parse('2026-02-10T00:00:00Z');

/** Lands everything, prices it, and closes the month, after which something changes. */
export async function fill(ledger: Ledger): Promise<void> {
  const { database } = ledger;
  await importRateFile(database, { name: 'card.csv', bytes: Buffer.from(CARD), effective: '2025-07-01', by: 'ana' });
  const [late, ...others] = EVENTS.toReversed();
  for (const event of others.reverse()) await ledger.record(parsed([event]));
  await closePeriod(database, { waba_id: WABA, month: '2026-01', by: 'ana', accept: true }, () => CLOSED_AT);
  await ledger.record(parsed([late]));
  await tell(database);
}

/** What the firing of a trigger leaves behind. */
async function tell(database: Database): Promise<void> {
  const message_id = wamid(OLD, 1);
  const payload = JSON.stringify({
    message: { id: message_id },
    customer: { user_id: ID },
    idempotency_key: `${message_id}:t`,
  });
  await database.insertLines(
    'trigger_firings',
    ['trigger_id', 'phone_number_id', 'message_id', 'rank', 'fired_at', 'customer', 'channels', 'payload'],
    `${JSON.stringify(['t', NUMBER, message_id, 1, MON, ID, ['webhook'], payload])}\n`,
  );
  await database.insertLines(
    'trigger_attempts',
    [
      'attempted_at',
      'trigger_id',
      'phone_number_id',
      'message_id',
      'channel',
      'attempt',
      'outcome',
      'status',
      'detail',
    ],
    `${JSON.stringify([MON, 't', NUMBER, message_id, 'webhook', 1, 'failed', 500, `no room for ${NEW}`])}\n`,
  );
}

/** Reports that say what a ledger holds, down to the message. */
const COMPARED = [
  ...['messages', 'conversations', 'ad-conversations', 'daily', 'ads', 'charges', 'savings-days', 'savings-markets'],
  ...[
    'adjustments',
    'mismatched-messages',
    'failures',
    'opt-outs',
    'ad-answers',
    'overview',
    'unrated',
    'reported-windows',
  ],
] as readonly ReportName[];

/** The lines of all reports, sorted: lists are in the order of ids too. */
export async function linesOf(database: Database): Promise<Record<string, string[]>> {
  await settleReports(COMPARED, database);
  const lines: Record<string, string[]> = {};
  for (const report of COMPARED) {
    let text = '';
    for await (const part of csvReport(report, database, EVERYTHING)) text += part;
    lines[report] = withoutTimes(text).split('\n').sort();
  }
  return lines;
}

/** What would give a name away in bytes: the name, and its Base64 wherever it begins. */
function traces(): string[] {
  return NAMES.flatMap((name) => {
    if (!/^\d+$/.test(name)) return [name];
    return [
      name,
      ...[0, 1, 2].map((before) => {
        const encoded = Buffer.concat([Buffer.alloc(before), Buffer.from(name)]).toString('base64');
        return encoded.slice(before === 0 ? 0 : before + 1, Math.floor(((before + name.length) * 4) / 3));
      }),
    ];
  });
}

const columnRow = z.object({ table: z.string(), name: z.string() });

/** Where a name is found: in the bytes of the data directory, or in a column of a table. */
export async function findTraces(data: DataDirectory, database: Database): Promise<string[]> {
  const found: string[] = [];
  const wanted = traces();
  for (const entry of readdirSync(data.path, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const bytes = readFileSync(path).toString('latin1');
    for (const trace of wanted) if (bytes.includes(trace)) found.push(`${trace} in ${path}`);
  }
  const columns = await database.query(
    columnRow,
    `SELECT table, name FROM system.columns WHERE database = currentDatabase()
       AND (type LIKE '%String%') AND table NOT IN (SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%View')
       AND default_kind != 'EPHEMERAL'`,
  );
  for (const { table, name } of columns) {
    const [row] = await database.query(
      z.object({ n: z.coerce.number(), example: z.string() }),
      `SELECT countIf(arrayExists(trace -> position(text, trace) > 0, {wanted:Array(String)})) AS n, anyIf(base64Encode(text), arrayExists(trace -> position(text, trace) > 0, {wanted:Array(String)})) AS example
       FROM (SELECT toString(${name}) AS text FROM ${table})`,
      { wanted },
    );
    if ((row?.n ?? 0) > 0) found.push(`${table}.${name}: ${Buffer.from(row?.example ?? '', 'base64').toString()}`);
  }
  return found;
}
