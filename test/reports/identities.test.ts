import { parseSendRequest } from '@ctwa-ledger/schemas/send-check.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { csvReport, type ReportName } from '../../services/exports/report.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { settleCharges } from '../../services/rating/charges.ts';
import { conversationList } from '../../services/reports/conversations.ts';
import { explain } from '../../services/reports/message.ts';
import { threadView } from '../../services/reports/thread.ts';
import { SendChecks } from '../../services/send-check/send-checks.ts';
import { clicks, MON, NUMBER, sendsTemplate, status, text, writes } from '../oracle/golden/builders.ts';
import { parsed } from '../support/expected-rows.ts';
import { EVERYTHING, openLedger } from '../support/ledger.ts';
import { csvRows, DataDirectory } from '../support/product.ts';

/** F9 on pages, in reports and in a send check: one person, found by any name. */

const HOUR = 3_600;
const OLD = '5511900000001';
const NEW = '16505550001';
const ID = 'BR.1349';
const PARENT = 'BR.ENT.9';
const byId = { wa_id: null, user_id: ID };

/** A Brazilian clicks under an id, is answered by number, and moves to a number in the United States. */
const events = [
  clicks('e', MON, { ...byId, parent_user_id: PARENT }),
  ...text('reply', MON + HOUR, { wa_id: OLD, user_id: ID }),
  writes('thanks', MON + 2 * HOUR, byId),
  writes('change', MON + 3 * HOUR, { wa_id: OLD, type: 'system', system: { type: 'user_changed_number', wa_id: NEW } }),
  sendsTemplate('offer', MON + 80 * HOUR, 'marketing'),
  status('offer', 'delivered', MON + 80 * HOUR, { wa_id: NEW }),
  writes('stop', MON + 81 * HOUR, {
    ...byId,
    type: 'user_preferences',
    context: { category: 'marketing_messages', value: 'stop' },
  }),
].map((event) => (event.id === 'offer' && event.event === 'message' ? { ...event, wa_id: NEW } : event));

const data = new DataDirectory();
let ledger: Ledger;
beforeAll(async () => {
  ledger = await openLedger(data, 'identities');
  for (const event of events) await ledger.record(parsed([event]));
  await settleCharges(ledger.database);
});
afterAll(async () => {
  await ledger.close();
  await data.remove();
});

async function rowsOf(report: ReportName): Promise<readonly Record<string, string>[]> {
  let csv = '';
  for await (const part of csvReport(report, ledger.database, EVERYTHING)) csv += part;
  return csvRows(csv);
}

async function foundBy(q: string): Promise<readonly string[]> {
  const page = { sort: { column: 'entry_at', descending: true }, after: '', limit: 10 } as const;
  const { rows } = await conversationList(ledger.database, { filters: { ...EVERYTHING, q }, page });
  return rows.map(({ entry_id, customer }) => `${entry_id} ${customer}`);
}

describe('a person with several names', () => {
  it('is one customer in the exports, and an earlier message keeps its market', async () => {
    const messages = await rowsOf('messages');
    expect(messages.map((row) => [row['message_id'], row['customer'], row['market'], row['billing']])).toEqual([
      ['reply', NEW, 'Brazil', 'FREE_ENTRY'],
      ['offer', NEW, 'North America', 'BILLABLE'],
    ]);
    expect((await rowsOf('conversations')).map((row) => [row['customer'], row['reply_message_id']])).toEqual([
      [NEW, 'reply'],
    ]);
  });

  it.each([NEW, OLD, `+${OLD.slice(0, 6)}`, ID, PARENT, 'e', 'offer'])('is found by %s', async (q) => {
    expect(await foundBy(q)).toEqual([`e ${NEW}`]);
  });

  it.each(['BR.1', '5511900000002', 'nobody'])('is not found by %s', async (q) => {
    expect(await foundBy(q)).toEqual([]);
  });

  it('is told with all names by explain and on the page of the conversation', async () => {
    const [explained] = await explain(ledger, { message_id: 'reply', phone_number_id: null, tz: 'UTC' });
    expect(explained?.names).toEqual([NEW, OLD, ID, PARENT]);
    expect(explained?.message.recipient).toBe(OLD);
    const as_of = MON + 90 * HOUR;
    const view = await threadView(ledger, { phone_number_id: NUMBER, message_id: 'thanks', as_of, before: null });
    expect(view).toMatchObject({ customer: NEW, other_names: [OLD, ID, PARENT] });
    expect(view?.events.filter(({ kind }) => kind === 'inbound' || kind === 'outbound').map(({ id }) => id)).toEqual([
      'e',
      'reply',
      'thanks',
      'change',
      'offer',
    ]);
  });

  it('counts once in what made people stop, and all of their messages count after an entry', async () => {
    expect(await rowsOf('opt-outs')).toMatchObject([
      { opt_out: 'stopped_marketing', template_name: 'follow_up', customers: '1' },
    ]);
    expect(await rowsOf('ad-answers')).toMatchObject([{ ad_conversations: '1', wrote_again: '1', engaged: '1' }]);
  });

  it.each([NEW, OLD, ID, PARENT])('gets the same answer of a send check as %s', async (name) => {
    const checks = new SendChecks(ledger.reading, 0);
    const request = parseSendRequest({ phone_number_id: NUMBER, recipient: name, type: 'text', text: { body: 'x' } });
    if (!request.ok) throw new Error(request.message);
    const at = MON + 4 * HOUR;
    const { kind, ...result } = await checks.check(request.request, { at, tz: 'UTC' });
    expect(kind).toBe('allowed');
    expect(result).toMatchObject({ answer: { customer: NEW, mark: 'FREE_ENTRY' } });
  });
});
