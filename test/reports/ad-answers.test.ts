import { parseEvent } from '@ctwa-ledger/schemas/event.ts';
import { afterAll, expect, it } from 'vitest';
import { adAnswers, adHours } from '../../services/reports/ad-answers.ts';
import { EVERYTHING, withLedger } from '../support/ledger.ts';
import { DataDirectory, NUMBER } from '../support/product.ts';

/** A Monday. */
const T = Date.parse('2026-10-05T10:00:00Z') / 1000;
const HOUR = 3_600;
const DAY = 24 * HOUR;

const data = new DataDirectory();
afterAll(() => data.remove());

let ids = 0;
const message = (wa_id: string, timestamp: number, more: object): object => ({
  ...{ event: 'message', phone_number_id: NUMBER, wa_id, id: `m${++ids}`, timestamp, type: 'text' },
  ...more,
});
const wrote = (wa_id: string, at: number, referral?: object): object =>
  message(wa_id, at, { direction: 'inbound', ...(referral === undefined ? {} : { referral }) });
const clicked = (wa_id: string, at: number, source_id = 'AD1', more: object = {}): object =>
  wrote(wa_id, at, { source_type: 'ad', source_id, ...more });
const answered = (wa_id: string, at: number): object[] => {
  const reply = message(wa_id, at, { direction: 'outbound' });
  return [reply, { ...reply, event: 'status', status: 'delivered', type: undefined, direction: undefined }];
};

const EVENTS = [
  // At once, and the customer goes on.
  ...[
    clicked('1', T, 'AD1', { ctwa_clid: 'click' }),
    ...answered('1', T + 30),
    wrote('1', T + 60),
    wrote('1', T + 120),
  ],
  // A known customer, who sends two messages in one second.
  ...[wrote('2', T - HOUR), clicked('2', T), ...answered('2', T + 120), wrote('2', T + 200), wrote('2', T + 200)],
  ...[clicked('3', T), ...answered('3', T + 2 * HOUR)],
  clicked('4', T),
  // The second click is what is answered.
  ...[clicked('6', T), clicked('6', T + 20 * HOUR), ...answered('6', T + 30 * HOUR)],
  ...[wrote('6', T + 31 * HOUR), wrote('6', T + 32 * HOUR)],
  // What is written in the next conversation is of that one.
  ...[clicked('7', T), ...answered('7', T + 10), wrote('7', T + 20)],
  ...[clicked('7', T + 5 * DAY, 'AD2'), ...answered('7', T + 5 * DAY + 10)],
  ...[wrote('7', T + 5 * DAY + 20), wrote('7', T + 5 * DAY + 30)],
];

const NONE = {
  ...{ replied_under_1_min: 0, engaged_under_1_min: 0, replied_under_5_min: 0, engaged_under_5_min: 0 },
  ...{ replied_under_1_h: 0, engaged_under_1_h: 0, replied_over_1_h: 0, engaged_over_1_h: 0, replied_never: 0 },
};

it('tells how soon conversations were answered, what customers wrote then, and when in the week', () =>
  withLedger(data, 'ad_answers', async (ledger) => {
    await ledger.beginWriting();
    await ledger.record(
      EVENTS.map((value) => {
        const read = parseEvent(JSON.parse(JSON.stringify(value)), T + 9 * DAY);
        if (!read.ok) throw new Error(read.rejection.message);
        return read.event;
      }),
    );
    const { database } = ledger;
    const first = {
      ...NONE,
      ...{ ad_id: 'AD1', source_type: 'ad', ad_conversations: 6, with_click_id: 1, first_contacts: 5 },
      ...{ replied: 5, pending: 0, wrote_again: 4, engaged: 2, replied_under_1_min: 2, engaged_under_1_min: 1 },
      ...{ replied_under_5_min: 1, replied_over_1_h: 2, engaged_over_1_h: 1, replied_never: 1 },
    };
    const second = {
      ...NONE,
      ...{ ad_id: 'AD2', source_type: 'ad', ad_conversations: 1, with_click_id: 0, first_contacts: 0 },
      ...{ replied: 1, pending: 0, wrote_again: 1, engaged: 1, replied_under_1_min: 1, engaged_under_1_min: 1 },
    };
    expect(await adAnswers(database, EVERYTHING)).toEqual([first, second]);
    expect(await adAnswers(database, { ...EVERYTHING, ad: 'AD2' })).toEqual([second]);
    expect(await adAnswers(database, { ...EVERYTHING, from: '2026-10-05', to: '2026-10-06' })).toEqual([first]);
    expect(await adAnswers(database, { ...EVERYTHING, from: '2026-10-06', to: '2026-10-09' })).toEqual([]);
    // While there is time, nobody has failed to answer.
    const [early] = await adAnswers(database, { ...EVERYTHING, as_of: T + DAY - 1 });
    expect([early?.pending, early?.replied_never]).toEqual([1, 0]);

    const hours = await adHours(database, { ...EVERYTHING, tz: 'Asia/Kolkata' });
    expect(hours.map((row) => [row.weekday, row.hour_of_day, row.entries, row.first_replies])).toEqual([
      [1, 15, 6, 3],
      [1, 17, 0, 1],
      [2, 11, 1, 0],
      [2, 21, 0, 1],
      [6, 15, 1, 1],
    ]);
  }));
