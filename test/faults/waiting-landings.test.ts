import { afterAll, describe, expect, it } from 'vitest';
import { DEFAULT_POLICY_SETTINGS } from '@ctwa-ledger/schemas/config.ts';
import type { Landing } from '../../services/ledger/events/landing.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { clicks, MON, text, writes } from '../oracle/golden/builders.ts';
import { oracleReports } from '../oracle/oracle.ts';
import { parsed } from '../support/expected-rows.ts';
import { DataDirectory, drop, EVERYTHING, inOrder, openLedger, reportTexts, rowsOf } from '../support/ledger.ts';

/** Landings that are stored while batches before them are folded: those read threads in which their events are already. */

const data = new DataDirectory();
afterAll(() => data.remove());

const HOUR = 3_600;

const click = clicks('click', MON);
/** Sent to another name; its delivery names the customer of the click. */
const [sent, ...statuses] = text('reply', MON + HOUR, { wa_id: '4915' });
const delivered = text('reply', MON + HOUR).slice(1);
/** Of another customer. */
const elsewhere = [writes('elsewhere', MON, { wa_id: '4916' })];
const later = writes('later', MON + 2 * HOUR);

let databases = 0;

/** A ledger that has some events, and a writer who knows nothing of them. */
async function withWriter(before: readonly unknown[], work: (writer: Ledger) => Promise<void>): Promise<void> {
  const name = `ctwa_waiting_${databases++}`;
  const other = await openLedger(data, name, { accounts: [], policy: DEFAULT_POLICY_SETTINGS });
  await other.record(parsed(before));
  const writer = await openLedger(data, name, null);
  try {
    await work(writer);
  } finally {
    await drop(writer);
    await writer.close();
    await other.close();
  }
}

async function landed(writer: Ledger, events: readonly unknown[]): Promise<Landing> {
  const landing = writer.beginLiveLanding();
  for (const event of parsed(events)) await landing.add(event);
  await writer.land(landing);
  await landing.finish();
  return landing;
}

/** Lets a writer read ahead the threads that the ledger has, beside a batch of another customer. */
async function readAhead(writer: Ledger, events: readonly unknown[]): Promise<void> {
  await writer.record(parsed(events));
  await writer.readAhead();
}

async function expectOracle(ledger: Ledger, events: readonly unknown[]): Promise<void> {
  const { tz, as_of } = EVERYTHING;
  const expected = oracleReports({ events, accounts: [], policy: DEFAULT_POLICY_SETTINGS, tz, as_of });
  expect(inOrder(rowsOf(await reportTexts(ledger.database)))).toEqual(inOrder(expected));
}

describe('a landing that waits for others', () => {
  it('links the thread of a message that another customer has', async () => {
    const before = [click, sent, ...statuses];
    await withWriter(before, async (writer) => {
      const waiting = await landed(writer, delivered);
      await readAhead(writer, elsewhere);
      expect(await writer.fold(waiting)).toEqual({ stored: delivered.length });
      await expectOracle(writer, [...before, ...elsewhere, ...delivered]);
    });
  });

  it('counts in its thread when it was given up, and others have folded its events', async () => {
    const before = [click, sent, ...statuses];
    await withWriter(before, async (writer) => {
      const [first, second] = [await landed(writer, [later]), await landed(writer, delivered)];
      await writer.fold(first);
      await writer.giveUp(second);
      // It was too large for live traffic, or came to another reader of its partition.
      const again = writer.beginLanding();
      for (const event of parsed(delivered)) await again.add(event);
      await writer.fold(again);
      // Free, because the delivery opened the window.
      const last = text('last', MON + 4 * HOUR);
      await writer.record(parsed(last));
      await expectOracle(writer, [...before, later, ...delivered, ...last]);
    });
  });
});

describe('a backlog that is folded from memory', () => {
  it('counts each event once, when others land events of its threads meanwhile', async () => {
    const before = [click, ...elsewhere];
    await withWriter(before, async (writer) => {
      const news = [writes('first', MON, { wa_id: '4917' }), writes('again', MON + HOUR, { wa_id: '4916' })];
      const backlog = writer.beginLanding();
      for (const event of parsed(news)) await backlog.add(event);
      const { database } = writer;
      const streamBlocks = database.streamBlocks.bind(database);
      let others = null as Promise<Landing> | null;
      database.streamBlocks = async function* (sql, parameters) {
        // The thread of 4917 is folded from memory by now; that of 4916 is read.
        if (sql.includes('AS is_new'))
          await (others ??= landed(writer, [writes('next', MON + 2 * HOUR, { wa_id: '4917' })]));
        yield* streamBlocks(sql, parameters);
      };
      expect(await writer.fold(backlog)).toEqual({ stored: news.length });
      database.streamBlocks = streamBlocks;
      if (others === null) throw new Error('Nothing was read.');
      expect(await writer.fold(await others)).toEqual({ stored: 1 });
      await expectOracle(writer, [...before, ...news, writes('next', MON + 2 * HOUR, { wa_id: '4917' })]);
    });
  });
});
