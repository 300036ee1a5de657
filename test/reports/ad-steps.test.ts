import { afterAll, beforeAll, expect, it } from 'vitest';
import { configSchema } from '../../schemas/config.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { settleReports } from '../../services/exports/report.ts';
import { importRateFile } from '../../services/rating/rate-cards.ts';
import { adFigures } from '../../services/reports/ads.ts';
import { adMessages, adSteps } from '../../services/reports/ad-steps.ts';
import { importSpendFile, importTypedSpend } from '../../services/spend/spend.ts';
import { parsed } from '../support/expected-rows.ts';
import { EVERYTHING, openLedger } from '../support/ledger.ts';
import { DataDirectory, NUMBER, WABA } from '../support/product.ts';

const T = Date.parse('2026-10-05T10:00:00Z') / 1000;
const OTHER_NUMBER = '7';
const HOUR = 3_600;
const DAY = 24 * HOUR;
const RANGE = { ...EVERYTHING, from: '2026-10-01', to: '2026-11-01' };

let ids = 0;
const message = (wa_id: string, timestamp: number, more: object): object => ({
  ...{ event: 'message', waba_id: WABA, phone_number_id: NUMBER, wa_id, id: `m${++ids}`, timestamp, type: 'text' },
  ...more,
});
const wrote = (wa_id: string, at: number, more: object = {}): object =>
  message(wa_id, at, { direction: 'inbound', ...more });
const clicked = (wa_id: string, at: number, source_id: string): object =>
  wrote(wa_id, at, { referral: { source_type: 'ad', source_id } });
const sent = (wa_id: string, at: number, more: object = {}): object[] => {
  const reply = { ...message(wa_id, at, { direction: 'outbound' }), ...more };
  const { id, waba_id, phone_number_id, timestamp } = reply as Record<string, unknown>;
  return [reply, { event: 'status', status: 'delivered', waba_id, phone_number_id, wa_id, id, timestamp }];
};
const TEMPLATE = { type: 'template', template: { category: 'MARKETING' } };
const twice = wrote('5511900000001', T + 60);

const EVENTS = [
  // Five messages, one of which came twice, and one edit, which is none.
  ...[clicked('5511900000001', T, '201'), twice, twice, wrote('5511900000001', T + 60)],
  ...[wrote('5511900000001', T + 90), wrote('5511900000001', T + 120)],
  wrote('5511900000001', T + 130, { type: 'edit' }),
  // Two free messages, then one that is charged when the window has closed, and one that is too late.
  ...[...sent('5511900000001', T + 200), ...sent('5511900000001', T + HOUR, TEMPLATE)],
  ...[...sent('5511900000001', T + 4 * DAY, TEMPLATE), ...sent('5511900000001', T + 8 * DAY, TEMPLATE)],
  // A conversation that ends with the customer's next one, of another ad.
  ...[clicked('5511900000002', T, '201'), wrote('5511900000002', T + 60), ...sent('5511900000002', T + 90)],
  ...[clicked('5511900000002', T + 5 * DAY, '202'), wrote('5511900000002', T + 5 * DAY + 60)],
  ...sent('5511900000002', T + 5 * DAY + HOUR + 1),
  // Nobody answers.
  clicked('5511900000003', T + 2 * DAY, '201'),
  // A customer whose market is not on the card.
  ...[clicked('819000000001', T, '203'), ...sent('819000000001', T + 5 * DAY, TEMPLATE)],
  // The same ad led another customer to another number.
  { ...clicked('819000000002', T, '203'), phone_number_id: OTHER_NUMBER },
];

const data = new DataDirectory();
let ledger: Ledger;
beforeAll(async () => {
  ledger = await openLedger(data, 'ad_steps', configSchema.parse({ accounts: [{ waba_id: WABA, currency: 'USD' }] }));
  await ledger.beginWriting();
  await ledger.record(parsed(EVENTS));
  await importRateFile(ledger.database, {
    name: 'card.csv',
    bytes: Buffer.from(
      'Cost per message\nMarket,Currency,Marketing,Utility,Authentication,Service\nBrazil,USD,0.05,0.01,0.01,0.02\n',
    ),
    effective: '2026-01-01',
    by: 'ana',
  });
  await settleReports(['ad-messages'], ledger.database);
});
afterAll(async () => {
  await ledger.close();
  await data.remove();
});

const HEAD = 'Ad ID,Day,Amount spent,Currency,Link clicks,Messaging conversations started';
const DEPTH = 'actions:onsite_conversion.messaging_user_depth_2_message_send';
const file = (name: string, ...lines: readonly string[]) => ({
  name,
  bytes: Buffer.from([...lines, ''].join('\n')),
  by: 'ana',
});

/** One ad's steps, as few words as possible. */
async function stepsOf(ad: string, more: object = {}): Promise<(string | number | null)[][]> {
  const rows = await adSteps(ledger.database, { ...RANGE, ad, ...more });
  return rows.map((row) => [
    row.step,
    row.counted,
    row.meta,
    row.compared,
    row.difference,
    row.days_known,
    row.days_unknown,
  ]);
}

it('counts the steps of ads beside what imports say of the same days, and never takes a missing count for 0', async () => {
  const { database } = ledger;
  expect(await stepsOf('201')).toEqual([
    ['link_clicks', 3, null, 0, null, 0, 0],
    ['conversations_started', 3, null, 0, null, 0, 0],
    ['depth_2', 2, null, 0, null, 0, 0],
    ['depth_3', 1, null, 0, null, 0, 0],
    ['depth_5', 1, null, 0, null, 0, 0],
  ]);
  const first = file('a.csv', `${HEAD},${DEPTH}`, '201,2026-10-05,10,USD,"1,250",4,', '999,2026-10-05,1,USD,7,1,1');
  await importSpendFile(database, first);
  // One of the three entries came on another day, of which Meta's count is not known.
  expect(await stepsOf('201')).toEqual([
    ['link_clicks', 3, 1250, 2, 1248, 1, 0],
    ['conversations_started', 3, 4, 2, -2, 1, 0],
    ['depth_2', 2, 0, 2, 2, 1, 0],
    ['depth_3', 1, null, 0, null, 0, 1],
    ['depth_5', 1, null, 0, null, 0, 1],
  ]);
  await importTypedSpend(
    database,
    { ad_id: '201', first_day: '2026-10-07', last_day: '2026-10-07', currency: 'USD', amount: '2', ad_name: '' },
    'ana',
  );
  expect((await stepsOf('201'))[0]).toEqual(['link_clicks', 3, 1250, 2, 1248, 1, 1]);
  // An ad that brought nobody: all of its clicks never wrote.
  expect((await stepsOf('999'))[0]).toEqual(['link_clicks', 0, 7, 0, 7, 1, 0]);
  expect(await stepsOf('201', { to: '2026-10-05' })).toEqual([]);
});

it('says what the messages of conversations are expected to cost, with the ad and without it', async () => {
  const rows = await adMessages(ledger.database, RANGE);
  const of = (ad: string) => rows.filter(({ ad_id }) => ad_id === ad);
  // Of four messages two were free; the one on the eighth day belongs to no conversation.
  expect(of('201')).toEqual([
    {
      ...{ ad_id: '201', source_type: 'ad', currency: 'USD', ad_conversations: 3, replied: 2, messages: 4 },
      ...{ message_charges: '0.05', unrated: 0, charges_per_conversation: '0.0167', charges_per_replied: '0.0250' },
      ...{ spend: '12', full_cost: '12.05', full_cost_per_conversation: '4.0167', full_cost_per_replied: '6.0250' },
    },
  ]);
  // Without an import the full cost is not known.
  expect(of('202')).toMatchObject([{ messages: 1, message_charges: '0', spend: null, full_cost: null }]);
  // A message without a price is no message for 0.
  expect(of('203')).toMatchObject([{ messages: 1, message_charges: null, unrated: 1, charges_per_conversation: null }]);
  expect(await adMessages(ledger.database, { ...RANGE, ad: '201' })).toEqual(of('201'));
});

it('does not add the spend to charges in another currency', async () => {
  await importTypedSpend(
    ledger.database,
    { ad_id: '202', first_day: '2026-10-10', last_day: '2026-10-10', currency: 'EUR', amount: '3', ad_name: '' },
    'ana',
  );
  const rows = await adMessages(ledger.database, { ...RANGE, ad: '202' });
  expect(rows.map((row) => [row.currency, row.spend, row.messages, row.full_cost])).toEqual([
    ['EUR', '3', 0, null],
    ['USD', null, 1, null],
  ]);
  await importTypedSpend(
    ledger.database,
    { ad_id: '201', first_day: '2026-10-10', last_day: '2026-10-10', currency: 'EUR', amount: '3', ad_name: '' },
    'ana',
  );
  const both = await adMessages(ledger.database, { ...RANGE, ad: '201' });
  expect(both.map((row) => [row.currency, row.spend, row.message_charges, row.full_cost])).toEqual([
    ['EUR', '3', '0', null],
    ['USD', '12', '0.05', null],
  ]);
});

it('gives a number what its ads cost, and nothing of an ad that it shares with another number', async () => {
  const { database } = ledger;
  await importSpendFile(database, file('c.csv', HEAD, '203,2026-10-05,5,USD,9,2'));
  const spent = async (more: object): Promise<Record<string, string | null>> =>
    Object.fromEntries((await adFigures(database, { ...RANGE, ...more })).map((row) => [row.ad_id, row.spend]));
  expect(await spent({})).toMatchObject({ 203: '5', 999: '1' });
  const here = await spent({ phone_number_id: NUMBER });
  expect([here['203'], '999' in here]).toEqual([null, false]);
  const [shared] = await adFigures(database, { ...RANGE, ad: '203', phone_number_id: NUMBER });
  expect([shared?.ad_conversations, shared?.spend_shared]).toEqual([1, 1]);
  const step = async (more: object) => (await stepsOf('203', more))[0];
  expect(await step({})).toEqual(['link_clicks', 2, 9, 2, 7, 1, 0]);
  expect(await step({ phone_number_id: NUMBER })).toEqual(['link_clicks', 1, null, 0, null, 0, 0]);
  expect(await spent({ phone_number_id: [NUMBER, OTHER_NUMBER] })).toMatchObject({ 203: '5' });
  expect(await spent({ waba_id: WABA })).toMatchObject({ 203: '5' });
  expect(await spent({ waba_id: '1' })).toEqual({});
});

it('reads the counts of a file that was imported before they were read', async () => {
  const { database } = ledger;
  const old = file('old.csv', `${HEAD}`, '301,2026-10-05,10,USD,12,4');
  await importSpendFile(database, old);
  await database.command(
    "ALTER TABLE ad_spend UPDATE link_clicks = NULL, conversations_started = NULL WHERE ad_id = '301' SETTINGS mutations_sync = 1",
  );
  expect((await stepsOf('301'))[0]?.[2]).toBeNull();
  expect((await importSpendFile(database, old)).outcome).toBe('imported');
  expect((await stepsOf('301'))[0]?.[2]).toBe(12);
  expect((await importSpendFile(database, old)).outcome).toBe('unchanged');
});
