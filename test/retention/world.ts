import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { configSchema } from '../../schemas/config.ts';
import { csvReport, settleReports, type ReportName } from '../../services/exports/report.ts';
import { importRateFile } from '../../services/rating/rate-cards.ts';
import type { Database } from '../../services/clickhouse/database.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { closePeriod } from '../../services/periods/periods.ts';
import {
  at,
  clicks,
  DAY,
  HOUR,
  MON,
  NUMBER,
  sends,
  sendsTemplate,
  status,
  WABA,
  writes,
  type RawEvent,
} from '../oracle/golden/builders.ts';
import { parsed } from '../support/expected-rows.ts';
import { EVERYTHING, withoutTimes, type DataDirectory } from '../support/ledger.ts';

/** Conversations of January, some of which are over, and some of which go on or must stay for another reason. */

/** A click, two messages and a report: everything about it is of January. */
export const OLD = '5511900000001';
/** Wrote in February. */
const YOUNG = '5511900000002';
/** Of January, and shares a message with one that wrote in February. */
const LINKED = '5511900000003';
const LINKED_YOUNG = '5511900000004';
/** Stopped marketing in January. */
const STOPPED = '5511900000005';
/** One person of two names, all of January, who changed number. */
const CHANGED = '5511900000006';
export const CHANGED_TO = '5511900000007';
export const CHANGED_ID = 'BR.606';
/** In the text of events of conversations that go. */
export const SECRET = 'kept-nowhere-else';

export const FEBRUARY = at('2026-02-03 09:00');
/** When events of January may go. */
export const APRIL = Date.parse('2026-04-15T00:00:00Z');
const CLOSED_AT = Date.parse('2026-02-10T00:00:00Z');

const conversation = (wa_id: string, n: string, t: number, text: string): RawEvent[] => [
  clicks(`${n}-click`, t, { wa_id, sender: { profile: text } }),
  { ...sendsTemplate(`${n}-reply`, t + HOUR, 'marketing'), wa_id },
  status(`${n}-reply`, 'sent', t + HOUR, { wa_id }),
  status(`${n}-reply`, 'delivered', t + HOUR, { wa_id, pricing: { billable: false, type: 'free_entry_point' } }),
  writes(`${n}-answer`, t + 2 * HOUR, { wa_id, context: { from: NUMBER, id: `${n}-reply`, note: text } }),
  { ...sendsTemplate(`${n}-paid`, t + 5 * DAY, 'marketing'), wa_id },
  status(`${n}-paid`, 'delivered', t + 5 * DAY, { wa_id, pricing: { billable: true, type: 'regular' } }),
];

export const OF_OLD = conversation(OLD, 'old', MON, SECRET);

export const JANUARY: readonly RawEvent[] = [
  ...OF_OLD,
  ...conversation(YOUNG, 'young', MON, 'stays'),
  ...conversation(LINKED, 'linked', MON + DAY, 'stays'),
  // A message that names two customers: what the sender dialled, and what Meta says.
  sends('both', MON + 2 * DAY, { wa_id: LINKED }),
  status('both', 'delivered', MON + 2 * DAY, { wa_id: LINKED_YOUNG }),
  ...conversation(STOPPED, 'stopped', MON, 'stays'),
  writes('stop', MON + 6 * DAY, {
    wa_id: STOPPED,
    type: 'user_preferences',
    context: { category: 'marketing_messages', value: 'stop' },
  }),
  ...conversation(CHANGED, 'changed', MON, SECRET).map((event) =>
    event.id === 'changed-answer' ? { ...event, user_id: CHANGED_ID } : event,
  ),
  writes('moves', MON + 7 * DAY, {
    wa_id: CHANGED,
    type: 'system',
    system: { type: 'user_changed_number', wa_id: CHANGED_TO },
  }),
  ...conversation(CHANGED_TO, 'moved', MON + 8 * DAY, SECRET),
  // A member of a group, a participant of a message to it, and a message that nobody is named of.
  writes('in-group', MON, { group_id: 'G1', wa_id: OLD }),
  status('to-group', 'delivered', MON + HOUR, { wa_id: null, group_id: 'G1', participant: OLD }),
  status('nameless', 'delivered', MON + HOUR, {
    wa_id: null,
    pricing: { billable: true, type: 'regular', category: 'utility' },
  }),
];

export const LATER: readonly RawEvent[] = [
  ...conversation(YOUNG, 'young-2', FEBRUARY, 'stays'),
  ...conversation(LINKED_YOUNG, 'linked-2', FEBRUARY, 'stays'),
];

/** Messages whose events stay. */
export const STAY: readonly string[] = [
  ...['young', 'young-2', 'linked', 'linked-2', 'stopped'].flatMap((n) =>
    ['click', 'reply', 'answer', 'paid'].map((what) => `${n}-${what}`),
  ),
  'both',
  'stop',
  // It says that names are one person's.
  'moves',
];

export const CONFIG = configSchema.parse({
  accounts: [{ waba_id: WABA, currency: 'USD' }],
  policy: { identities: 'linked' },
});

const CARD =
  'Cost per message\nMarket,Currency,Marketing,Utility,Authentication\nBrazil,USD,0.0625,0.0068,0.0068\nNorth America,USD,0.025,0.004,0.004\n';

/** Lands everything, prices it, and closes January. */
export async function fill(ledger: Ledger): Promise<void> {
  const { database } = ledger;
  await importRateFile(database, { name: 'card.csv', bytes: Buffer.from(CARD), effective: '2025-07-01', by: 'ana' });
  for (const event of JANUARY) await ledger.record(parsed([event]));
  await closeMonth(database, '2026-01');
  await ledger.record(parsed([...LATER]));
}

export async function closeMonth(database: Database, month: string, now = CLOSED_AT): Promise<void> {
  await closePeriod(database, { waba_id: WABA, month, by: 'ana', accept: true }, () => now);
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
    'ad-steps',
    'ad-hours',
    'overview',
    'unrated',
  ],
  ...['reported-windows'],
] as readonly ReportName[];

/** The lines of all reports. */
export async function linesOf(database: Database): Promise<Record<string, string[]>> {
  await settleReports(COMPARED, database);
  const lines: Record<string, string[]> = {};
  for (const report of COMPARED) {
    let text = '';
    const filters = report === 'ad-steps' ? { ...EVERYTHING, from: '2026-01-01', to: '2026-06-01' } : EVERYTHING;
    for await (const part of csvReport(report, database, filters)) text += part;
    lines[report] = withoutTimes(text).split('\n');
  }
  return lines;
}

/** The lines of `after` that are not among those of `before`, and the other way round, by report. */
export function changesOf(
  before: Readonly<Record<string, readonly string[]>>,
  after: Readonly<Record<string, readonly string[]>>,
): Record<string, { readonly gone: string[]; readonly added: string[] }> {
  return Object.fromEntries(
    Object.entries(after).flatMap(([report, lines]) => {
      const known = before[report] ?? [];
      const gone = known.filter((line) => !lines.includes(line));
      const added = lines.filter((line) => !known.includes(line));
      return gone.length + added.length === 0 ? [] : [[report, { gone, added }]];
    }),
  );
}

const eventRow = z.object({ id: z.string(), n: z.coerce.number() });

/** How many events of each message the ledger holds. */
export async function eventsOf(database: Database): Promise<Record<string, number>> {
  const rows = await database.query(
    eventRow,
    "SELECT id, count() AS n FROM events FINAL WHERE NOT startsWith(id, 'events_removed:') GROUP BY id ORDER BY id",
  );
  return Object.fromEntries(rows.map(({ id, n }) => [id, n]));
}

/** The files of a data directory in which a text stands. */
export function filesWith(data: DataDirectory, text: string): string[] {
  return readdirSync(data.path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => readFileSync(path).includes(text));
}
