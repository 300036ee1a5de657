import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Narrowed, ReportFilters } from '@ctwa-ledger/schemas/asked.ts';
import { isListed } from '@ctwa-ledger/schemas/asked.ts';
import { REPORTS, reportOf } from '../../services/catalogue/catalogue.ts';
import { csvReport, settleReports, type ReportName } from '../../services/exports/report.ts';
import { ingestFile } from '../../services/ingest/file.ts';
import type { Ledger } from '../../services/ledger/ledger.ts';
import { importRateFile } from '../../services/rating/rate-cards.ts';
import { suggestions } from '../../services/reports/suggestions.ts';
import { listViews, removeView, renameView, saveView } from '../../services/reports/views.ts';
import { importSpendFile } from '../../services/spend/spend.ts';
import type { Row } from '../oracle/oracle.ts';
import { parsed } from '../support/expected-rows.ts';
import { drop, EVERYTHING, openLedger } from '../support/ledger.ts';
import { csvRows, DataDirectory, output } from '../support/product.ts';

const data = new DataDirectory();
const CARD =
  'Cost per message\nMarket,Currency,Marketing,Utility,Authentication,Service\nBrazil,BRL,32,3,3,2\nOther,BRL,35,5,5,3\n';
const DAYS = { from: '2026-10-01', to: '2026-12-01' };

let ledger: Ledger;
let entries: readonly Row[];
let messages: readonly Row[];
/** The first two ads, in the order of their first entries. */
let ads: readonly string[];

async function rows(report: ReportName, filters: Partial<ReportFilters> = {}): Promise<Row[]> {
  let text = '';
  for await (const part of csvReport(report, ledger.database, { ...EVERYTHING, ...DAYS, ...filters }, 'charged'))
    text += part;
  return csvRows(text);
}

const sum = (of: readonly Row[], column: string): number => of.reduce((all, row) => all + Number(row[column]), 0);

beforeAll(async () => {
  ledger = await openLedger(data, 'filters', { accounts: [] });
  await output(data, ['simulate', '--threads', '300', '--days', '20', '--seed', '5', '--out', 'events.ndjson']);
  await ingestFile(ledger, data.file('events.ndjson'), () => undefined);
  await importRateFile(ledger.database, {
    ...{ name: 'card.csv', bytes: Buffer.from(CARD), effective: '2026-07-01', by: 'ana' },
  });
  const known = await rows('conversations');
  ads = [...new Set(known.filter((row) => row['source_type'] === 'ad').map((row) => row['ad_id']!))].slice(0, 2);
  const spend = `Ad ID,Ad name,Ad set name,Campaign name,Day,Amount spent (BRL)
${ads[0]},Spring bargain,Set one,Campaign,2026-10-20,12.5
${ads[1]},Winter bargain,Set two,Campaign,2026-10-20,3
`;
  await importSpendFile(ledger.database, { name: 'spend.csv', bytes: Buffer.from(spend), by: 'ana' });
  await settleReports(REPORTS, ledger.database);
  [entries, messages] = await Promise.all([rows('conversations'), rows('messages')]);
});
afterAll(async () => {
  await drop(ledger);
  await ledger.close();
  await data.remove();
});

const ofAds = (wanted: readonly string[]): Row[] => entries.filter((row) => wanted.includes(row['ad_id']!));

describe('filters of ads', () => {
  const cases: readonly [string, () => Narrowed, () => readonly string[]][] = [
    ['an id', () => ({ ad: ads[0]! }), () => [ads[0]!]],
    ['several ids', () => ({ ad: [...ads, '99'] }), () => ads],
    ['a part of a name, in any letters', () => ({ ad: 'sPRING' }), () => [ads[0]!]],
    ['a part of both names', () => ({ ad: 'bargain' }), () => ads],
    ['a name and an id', () => ({ ad: ['Winter', ads[0]!] }), () => ads],
    ['a campaign', () => ({ campaign: 'Campaign' }), () => ads],
    ['an ad set of a campaign', () => ({ campaign: 'Campaign', adset: 'Set two' }), () => [ads[1]!]],
    ['two ad sets', () => ({ adset: ['Set one', 'Set two'] }), () => ads],
    ['a campaign that nobody imported', () => ({ campaign: 'Set one' }), () => []],
    ['an ad of another campaign', () => ({ campaign: 'Campaign', ad: '99' }), () => []],
  ];
  it.each(cases)('%s: entries, summaries, answers and the bill agree', async (_, filters, wanted) => {
    const expected = ofAds(wanted());
    const starts = expected.filter((row) => row['conversation_id'] === row['ad_conversation_id']);
    expect((await rows('conversations', filters())).map((row) => row['conversation_id'])).toEqual(
      expected.map((row) => row['conversation_id']),
    );
    expect(await rows('ad-conversations', filters())).toHaveLength(starts.length);
    for (const report of ['ads', 'days', 'overview', 'ad-answers'] as const)
      expect([report, sum(await rows(report, filters()), 'ad_conversations')]).toEqual([report, starts.length]);
    const free = messages.filter((row) => row['billing'] === 'FREE_ENTRY' && wanted().includes(row['ad_id']!));
    expect(await rows('messages', filters())).toHaveLength(free.length);
    for (const report of ['charges', 'savings', 'savings-days', 'savings-tags'] as const)
      for (const zone of [{}, { tz: 'UTC', is_tz_given: true }]) {
        const volume = sum(await rows(report, { ...filters(), ...zone }), 'volume');
        expect([report, zone, volume]).toEqual([report, zone, free.length]);
      }
  });
});

/** Conversations in which a delivered message of theirs is meant, found from the rows of both reports alone. */
function conversationsWith(isMeant: (message: Row) => boolean): Set<string> {
  const starts = entries.filter((row) => row['conversation_id'] === row['ad_conversation_id']);
  const found = messages.filter(isMeant).flatMap((message) => {
    const before = starts.filter(
      (row) =>
        row['phone_number_id'] === message['phone_number_id'] &&
        row['customer'] === message['customer'] &&
        row['entry_at']! <= message['delivered_at']!,
    );
    const last = before.sort((a, b) => a['entry_at']!.localeCompare(b['entry_at']!)).at(-1);
    return last === undefined ? [] : [last['conversation_id']!];
  });
  return new Set(found);
}

describe('filters of what was sent in conversations', () => {
  const cases: readonly [string, Narrowed, (message: Row) => boolean][] = [
    ['a category', { category: 'marketing' }, (row) => row['rated_category'] === 'marketing'],
    ['a mark', { billing: 'BILLABLE' }, (row) => row['billing'] === 'BILLABLE'],
    [
      'a category and a mark, of the same message',
      { category: 'utility', billing: ['BILLABLE', 'FREE_SERVICE'] },
      (row) => row['rated_category'] === 'utility' && ['BILLABLE', 'FREE_SERVICE'].includes(row['billing']!),
    ],
    ['no tag', { tag: '' }, (row) => row['tag'] === ''],
    ['a tag that nobody sent', { tag: 'nothing' }, () => false],
  ];
  it.each(cases)(
    '%s: all reports count the same conversations, and messages of that kind',
    async (_, filters, isMeant) => {
      const wanted = conversationsWith(isMeant);
      expect((await rows('ad-conversations', filters)).map((row) => row['conversation_id']).sort()).toEqual(
        [...wanted].sort(),
      );
      const started = entries.filter((row) => wanted.has(row['conversation_id']!));
      for (const report of ['overview', 'days', 'hours', 'ads', 'daily', 'ad-answers'] as const)
        expect([report, sum(await rows(report, filters), 'ad_conversations')]).toEqual([report, started.length]);
      const of = entries.filter((row) => wanted.has(row['ad_conversation_id']!));
      expect(sum(await rows('ad-hours', filters), 'entries')).toBe(of.length);
      const [overview] = await rows('overview', filters);
      expect(Number(overview!['windows_opened'])).toBe(of.filter((row) => row['opened_at'] !== '').length);
      const delivered = messages.filter(isMeant);
      expect(Number(overview!['delivered'])).toBe(delivered.length);
      expect(Number(overview!['free_entry'])).toBe(delivered.filter((row) => row['billing'] === 'FREE_ENTRY').length);
      // Neither what an ad cost nor what Meta counts of it is known by kind of message.
      expect(sum(await rows('ad-figures', filters), 'spend')).toBe(0);
      expect((await rows('ad-steps', filters)).filter((row) => row['meta'] !== '')).toEqual([]);
    },
  );

  it('a market: the same conversations everywhere, and the cost of ads that brought no others', async () => {
    const markets = new Map(messages.map((row) => [row['customer']!, row['market']!]));
    const market = messages.find((row) => row['market'] !== '')!['market']!;
    const isOf = (row: Row): boolean => markets.get(row['customer']!) === market;
    const known = entries.filter((row) => markets.has(row['customer']!));
    const found = await rows('conversations', { market });
    expect(found.filter((row) => markets.has(row['customer']!))).toEqual(known.filter(isOf));
    const starts = found.filter((row) => row['conversation_id'] === row['ad_conversation_id']);
    for (const report of ['overview', 'weeks', 'ads', 'ad-answers'] as const)
      expect([report, sum(await rows(report, { market }), 'ad_conversations')]).toEqual([report, starts.length]);
    expect(await rows('ad-conversations', { market })).toHaveLength(starts.length);
    const brought = (ad: string): readonly Row[] => entries.filter((row) => row['ad_id'] === ad);
    const listed = new Set(found.map((row) => row['conversation_id']));
    const alone = ads.filter((ad) => brought(ad).every((row) => listed.has(row['conversation_id']!)));
    const costs = new Map(ads.map((ad, i) => [ad, [12.5, 3][i]!]));
    expect(sum(await rows('ad-figures', { market }), 'spend')).toBe(alone.reduce((all, ad) => all + costs.get(ad)!, 0));
  });

  it('a market: its lost referrals, which are in no conversation', async () => {
    const lost = async (filters: Partial<ReportFilters>): Promise<number> =>
      sum(await rows('daily', filters), 'lost_referrals');
    const event = {
      ...{ event: 'message', direction: 'inbound', type: 'unsupported', phone_number_id: '106540352242922' },
      ...{ wa_id: '5511955550999', id: 'wamid.lost', errors: [{ code: 131060, title: 'Message unavailable' }] },
    };
    const market = { market: 'Brazil' };
    const [all, before, elsewhere] = await Promise.all([lost({}), lost(market), lost({ market: 'India' })]);
    await ledger.record(parsed([{ ...event, timestamp: Date.UTC(2026, 9, 25) / 1000 }]));
    await settleReports(REPORTS, ledger.database);
    expect([await lost({}), await lost(market), await lost({ market: 'India' })]).toEqual([
      all + 1,
      before + 1,
      elsewhere,
    ]);
    expect(await lost({ ...market, billing: 'BILLABLE' })).toBe(0);
  });

  it('finds the conversation of a message id, if the filters mean it too', async () => {
    const free = messages.find((row) => row['billing'] === 'FREE_ENTRY')!;
    const search = { q: free['message_id']!, from: '2026-11-30' } as const;
    const number = free['phone_number_id']!;
    expect(await rows('ad-conversations', { ...search, billing: 'FREE_ENTRY', phone_number_id: number })).toHaveLength(
      1,
    );
    expect(await rows('ad-conversations', { ...search, tag: 'nothing' })).toEqual([]);
    expect(await rows('ad-conversations', { ...search, phone_number_id: '1' })).toEqual([]);
  });
});

describe('filters with several values', () => {
  it('have the rows of each of them', async () => {
    for (const [report, name] of [
      ['charges', 'market'],
      ['charges', 'category'],
      ['charges', 'billing'],
      ['charges', 'phone_number_id'],
      ['mismatched-messages', 'category'],
      ['messages', 'market'],
    ] as const) {
      const all = await rows(report);
      const values = [...new Set(all.map((row) => row[name]!))].slice(0, 2);
      expect(await rows(report, { [name]: values })).toEqual(all.filter((row) => values.includes(row[name]!)));
      expect(isListed(name)).toBe(true);
    }
  });

  it('accounts and numbers narrow entries and summaries too', async () => {
    const numbers = [...new Set(entries.map((row) => row['phone_number_id']!))];
    const [number] = numbers;
    expect(await rows('conversations', { phone_number_id: number! })).toEqual(
      entries.filter((row) => row['phone_number_id'] === number),
    );
    expect(await rows('conversations', { phone_number_id: ['1', '2'] })).toEqual([]);
    const accounts = [...new Set(messages.map((row) => row['waba_id']!))];
    const all = sum(await rows('overview'), 'ad_conversations');
    expect(sum(await rows('overview', { waba_id: accounts }), 'ad_conversations')).toBe(all);
    expect(sum(await rows('overview', { waba_id: 'nobody' }), 'ad_conversations')).toBe(0);
    // What an ad cost belongs to no number, so an ad without figures there has no row.
    expect(await rows('ad-figures', { phone_number_id: 'nobody' })).toEqual([]);
  });

  it('every report takes the filters that it names', async () => {
    for (const name of REPORTS) {
      const { filters, days } = reportOf(name);
      const listed = filters.filter(isListed);
      if (listed.length === 0 || days === 'month') continue;
      const only = Object.fromEntries(listed.map((filter) => [filter, ['nobody', 'no one']]));
      // A sum over nothing is a row of its own, and so is a day without anything.
      const isSum = ['overview', 'days', 'hours', 'weeks'].includes(name);
      const found = await rows(name, only);
      expect([name, isSum ? sum(found, 'ad_conversations') : found.length]).toEqual([name, 0]);
    }
  });
});

it('suggests values by a part of them, or of their names', async () => {
  const of = async (name: Parameters<typeof suggestions>[1], text: string): Promise<string[]> =>
    (await suggestions(ledger.database, name, text)).map(({ value }) => value);
  expect(await of('ad', 'sprING')).toEqual([ads[0]]);
  expect(await of('ad', 'campaign')).toEqual([...ads]);
  expect(await of('campaign', '')).toEqual(['Campaign']);
  expect(await of('adset', 'set')).toEqual(['Set one', 'Set two']);
  expect(await of('market', 'braz')).toEqual(['Brazil']);
  expect(await of('billing', 'free')).toEqual(expect.arrayContaining(['FREE_ENTRY']));
  expect((await of('phone_number_id', '')).sort()).toEqual(
    [...new Set([...entries, ...messages].map((row) => row['phone_number_id']!))].sort(),
  );
  expect((await of('waba_id', '')).sort()).toEqual([...new Set(messages.map((row) => row['waba_id']!))].sort());
  expect(await of('tag', '%_')).toEqual([]);
});

it('keeps views: saved, replaced by one of the same name, renamed and removed', async () => {
  const { database } = ledger;
  const view = { name: 'India', at: '/billing', query: 'market=India' };
  const saved = await saveView(database, view, 'ana');
  expect(await listViews(database)).toEqual([saved]);
  const again = await saveView(database, { ...view, name: 'india', query: 'market=India&market=Nepal' }, 'ben');
  expect(again.view_id).toBe(saved.view_id);
  const other = await saveView(database, { ...view, at: '/ads', query: '' }, 'ana');
  expect(other.view_id).not.toBe(saved.view_id);
  await renameView(database, other.view_id, ' A ', 'ana');
  expect((await rows('saved-views')).map((row) => [row['name'], row['at'], row['query']])).toEqual([
    ['A', '/ads', ''],
    ['india', '/billing', 'market=India&market=Nepal'],
  ]);
  await removeView(database, saved.view_id, 'ana');
  expect((await listViews(database)).map(({ name }) => name)).toEqual(['A']);
  await expect(removeView(database, saved.view_id, 'ana')).rejects.toThrow(/somebody may have removed it/);
  for (const [wrong, message] of [
    [{ name: '  ' }, 'a view needs a name'],
    [{ name: 'x'.repeat(81) }, '80 characters at most'],
    [{ at: '//elsewhere' }, 'a view is of a page'],
    [{ query: 'x'.repeat(4_001) }, '4000 characters at most'],
  ] as const)
    await expect(saveView(database, { ...view, ...wrong }, 'ana')).rejects.toThrow(message);
});

const TIMES: readonly ReportName[] = ['hours', 'days', 'weeks'];

describe('a report without a range', () => {
  it.each<Partial<ReportFilters>>([{}, { tag: '' }, { tz: 'Asia/Kolkata', is_tz_given: true }])(
    'has the rows of a range that holds everything: %j',
    async (filters) => {
      const differing: string[] = [];
      for (const report of REPORTS) {
        const { days, filters: taken } = reportOf(report);
        // Others have the rows of the first case.
        if ('tag' in filters && !taken.includes('tag')) continue;
        // Those of time list every hour or day of a range; those of a month need one.
        if (TIMES.includes(report) || days === 'month') continue;
        const all = await rows(report, { ...filters, from: null, to: null });
        const ranged = await rows(report, filters);
        if (JSON.stringify(all) !== JSON.stringify(ranged)) differing.push(`${report} ${all.length} ${ranged.length}`);
      }
      expect(differing).toEqual([]);
    },
  );
});
