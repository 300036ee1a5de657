import { DEFAULT_POLICY_SETTINGS } from '@ctwa-ledger/schemas/config.ts';
import { afterAll, describe, expect, it } from 'vitest';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { MON, text, writes } from '../oracle/golden/builders.ts';
import { oracleReports } from '../oracle/oracle.ts';
import { parsed } from '../support/expected-rows.ts';
import { DataDirectory, drop, EVERYTHING, inOrder, openLedger, reportTexts, rowsOf } from '../support/ledger.ts';

/**
 * A process dies between landing and folding, and its events come again in parts: first others of the same thread, then
 * those that link the thread to another. Folding the first part must find the links of what was landed before.
 */

const data = new DataDirectory();
afterAll(() => data.remove());

const HOUR = 3_600;
const policy = DEFAULT_POLICY_SETTINGS;
const [sent = {}, delivered = {}] = text('m', MON + HOUR);
const [other = {}, otherDelivered = {}] = text('other', MON + 2 * HOUR);
/** A status that names no customer, which is a thread of its own until its message is known. */
const nameless = { ...delivered, wa_id: undefined };
const underId = writes('e', MON, { wa_id: null, user_id: 'US.1' });
const bothNames = writes('both', MON, { user_id: 'US.1' });

interface Case {
  readonly name: string;
  /** What another writer has folded. */
  readonly known: readonly unknown[];
  /** The event that links, which was landed by the process that died. */
  readonly links: unknown;
}

const CASES: readonly Case[] = [
  { name: 'a message whose status names no customer', known: [nameless], links: sent },
  { name: 'a status without a customer, of a known message', known: [sent], links: nameless },
  { name: 'a number and an id of one person', known: [underId], links: bothNames },
];

async function landOnly(ledger: Ledger, events: readonly unknown[]): Promise<void> {
  const landing = ledger.beginLanding();
  for (const event of parsed(events)) await landing.add(event);
  await landing.finish();
}

describe('events that were landed and not folded', () => {
  let databases = 0;

  it.each(CASES.flatMap((one) => [false, true].map((isSame) => ({ ...one, isSame }))))(
    'link what they have to, though others come again first: $name (one writer: $isSame)',
    async ({ known, links, isSame }) => {
      const name = `parts_again_${databases++}`;
      const first = await openLedger(data, name, { policy });
      const second = await openLedger(data, name);
      const writer = isSame ? first : second;
      try {
        await first.record(parsed(known));
        await landOnly(writer, [links, other, otherDelivered]);
        await writer.record(parsed([other, otherDelivered]));
        await writer.record(parsed([links]));
        const expected = oracleReports({
          ...{ events: [...known, links, other, otherDelivered], accounts: [], policy },
          ...{ tz: EVERYTHING.tz, as_of: EVERYTHING.as_of },
        });
        expect(inOrder(rowsOf(await reportTexts(first.database)))).toEqual(inOrder(expected));
      } finally {
        await drop(first);
        await first.close();
        await second.close();
      }
    },
  );
});
