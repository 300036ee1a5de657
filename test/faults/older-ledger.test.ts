import { afterAll, describe, expect, it } from 'vitest';
import { Database } from '../../services/clickhouse/database.ts';
import { readMigrations } from '../../services/clickhouse/migrations.ts';
import { DataDirectory, openLedger, numberFrom, reportTexts, withLedger } from '../support/ledger.ts';
import { parsed } from '../support/expected-rows.ts';

const data = new DataDirectory();
afterAll(() => data.remove());

/** The last migration before groups, tags and errors on messages had columns. */
const BEFORE = 9;

/** The rank of an early landing: of equal events the highest rank is kept. */
const FIRST_LANDING = (1n << 64n) - 1_000n;

const NUMBER = '106540352242922';
const at = (seconds: number): string => String(1_791_200_000 + seconds);
const base = { phone_number_id: NUMBER, waba_id: '102290129340398' };
const inbound = { ...base, event: 'message', direction: 'inbound', type: 'text' };
const status = { ...base, event: 'status', status: 'delivered' };

/** As they came: what the older rules read otherwise. */
const EVENTS = [
  // An ad answered from the app only: it opened a window by the older rules.
  {
    ...inbound,
    id: 'wamid.A',
    wa_id: '4915112340000',
    timestamp: at(0),
    referral: { source_type: 'ad', source_id: '1' },
  },
  {
    ...base,
    event: 'message',
    direction: 'outbound',
    type: 'text',
    origin: 'app',
    id: 'wamid.B',
    wa_id: '4915112340000',
    timestamp: at(100),
  },
  // It had a row of its own.
  {
    ...base,
    event: 'message',
    direction: 'outbound',
    type: 'edit',
    origin: 'app',
    id: 'wamid.C',
    wa_id: '4915112340000',
    timestamp: at(160),
  },
  // A group message had one row for all.
  { ...status, id: 'wamid.G', group_id: '120363000000000000', participant: '5511900000001', timestamp: at(2) },
  { ...status, id: 'wamid.G', group_id: '120363000000000000', participant: '919900000003', timestamp: at(3) },
];

/** A ledger as the version before wrote it: its tables, its events and the marks it made of them. */
async function writeOlderLedger(name: string): Promise<void> {
  const database = new Database({ kind: 'embedded', dataDir: data.path }, name);
  await database.create();
  await database.command(
    'CREATE TABLE migrations (version UInt32, name String, applied_at DateTime) ENGINE = ReplacingMergeTree ORDER BY version',
  );
  for (const { version, name: file, statements } of readMigrations().filter((one) => one.version <= BEFORE)) {
    for (const statement of statements) await database.command(statement);
    await database.command('INSERT INTO migrations SELECT {version:UInt32}, {file:String}, now()', { version, file });
  }
  const columns = 'landing_rank, phone_number_id, id, kind, status, timestamp, waba_id, wa_id';
  const rows = parsed(EVENTS).map((event) => {
    const kind = event.event;
    const own = kind === 'message' ? event : { direction: '', type: '', origin: '', referral_source_type: '' };
    const source = 'referral_source_id' in own ? own.referral_source_id : '';
    const [state, participant] = event.event === 'status' ? [event.status, event.participant] : ['', ''];
    // The older version had the group in the place of the customer's number.
    const wa_id = event.group_id === '' ? event.wa_id : event.group_id;
    const texts = [own.direction, own.type, own.origin, own.referral_source_type, source, participant];
    return `(${FIRST_LANDING}, '${event.phone_number_id}', '${event.id}', '${kind}', '${state}', ${event.timestamp}, '${event.waba_id}', '${wa_id}', ${texts.map((text) => `'${text}'`).join(', ')})`;
  });
  await database.command(
    `INSERT INTO events (${columns}, direction, type, origin, referral_source_type, referral_source_id, participant) VALUES ${rows.join(', ')}`,
  );
  const marks = [
    ['wamid.B', '4915112340000', 'FREE_ENTRY', 'wamid.A'],
    ['wamid.C', '4915112340000', 'FREE_ENTRY', 'wamid.A'],
    ['wamid.G', '120363000000000000', 'UNKNOWN', ''],
  ].map(
    ([id, customer, mark, entry]) =>
      `('${NUMBER}', '${id}', ${(1n << 40n) + 3n}, '${customer}', 1791200100, 1791200100, '${mark}', '${mark}', '${entry}')`,
  );
  await database.command(
    `INSERT INTO message_marks (phone_number_id, message_id, version, customer, sent_at, delivered_at, predicted, billing, conversation_id) VALUES ${marks.join(', ')}`,
  );
  const settings = JSON.stringify({ file_accounts: [], policy: {} });
  await database.command('INSERT INTO configuration SELECT 1, {hash:String}, {settings:String}, now64(3)', {
    hash: 'of the rules before',
    settings,
  });
  await database.command("INSERT INTO ledger_facts SELECT 'folded_epoch', '1', now64(3)");
  await database.close();
}

describe('a ledger of the version before', () => {
  it('ends with the marks of the rules of now when it is opened, and says how far it is', async () => {
    await writeOlderLedger('older');
    const told: number[] = [];
    const ledger = await openLedger(data, 'older', null, (threads) => told.push(threads));
    try {
      expect(told.at(-1)).toBeGreaterThan(0);
      const reports = await reportTexts(ledger.database);
      const expected = await withLedger(data, 'anew', async (anew) => {
        await anew.record(parsed(EVENTS));
        return reportTexts(anew.database);
      });
      expect(reports).toEqual(expected);
      expect(reports.messages).toContain('5511900000001');
      expect(reports.messages).not.toContain('wamid.C');
    } finally {
      await ledger.close();
    }
  });

  it('is folded again once, and no more', async () => {
    const epoch = 'SELECT max(epoch) AS n FROM configuration';
    const first = await withLedger(data, 'older', (ledger) => numberFrom(ledger.database, epoch));
    const again = await withLedger(data, 'older', (ledger) => numberFrom(ledger.database, epoch));
    expect(again).toBe(first);
  });

  it('finds that its events are known when they come again', async () => {
    await withLedger(data, 'older', async (ledger) => {
      expect(await ledger.record(parsed(EVENTS))).toEqual({ stored: 0 });
    });
  });
});
