import { describe, expect, it } from 'vitest';

import { nothingOfAd } from '../../dashboard/src/lib/ads/address.ts';
import { noMessageDelivered } from '../../dashboard/src/lib/billing/nothing.ts';
import { NOTHING_ASKED, type AskedState } from '../../dashboard/src/lib/conversation/asked.ts';
import { noConversation } from '../../dashboard/src/lib/conversation/nothing.ts';
import { NO_NAMES, type Picks } from '../../dashboard/src/lib/filters/picked.ts';
import { readFilters } from '../../dashboard/src/lib/filters/filters.ts';
import { nothingSentence, whatFoundNothing } from '../../dashboard/src/lib/format/nothing.ts';
import type { ReportFilters } from '../../schemas/asked.ts';

const RANGE = { from: '2026-10-01', to: '2026-11-01' };
const DAYS: ReportFilters = { ...RANGE, tz: 'UTC', as_of: 0 };
const amounts = { currency: 'INR', list_cost: null, billed_cost: null, savings: null, unrated: 0 };

const NAMES = { accounts: [], ads: { '7': 'Spring sale' } };

describe('a page without rows', () => {
  const savings =
    (has: (filters: ReportFilters) => boolean) =>
    (filters: ReportFilters): Promise<(typeof amounts & { volume: number })[]> =>
      Promise.resolve(has(filters) ? [{ ...amounts, volume: 1 }] : []);

  it.each([
    ['days without anything', {}, () => false, 'No message was delivered in 1 – 31 Oct 2026.'],
    [
      'a market in days without anything',
      { market: 'India' },
      () => false,
      'No message was delivered in 1 – 31 Oct 2026.',
    ],
    [
      'a market that nobody has',
      { market: 'Narnia' },
      ({ market }: ReportFilters) => market == null,
      'No message was delivered in 1 – 31 Oct 2026 that matches “Market: Narnia”.',
    ],
    [
      'one part of two',
      { market: 'Narnia', waba_id: '' },
      ({ market }: ReportFilters) => market == null,
      'No message was delivered in 1 – 31 Oct 2026 that matches “Market: Narnia”.',
    ],
    [
      'two parts',
      { market: 'Narnia', waba_id: '' },
      ({ market, waba_id }: ReportFilters) => market == null && waba_id == null,
      'No message was delivered in 1 – 31 Oct 2026 that matches “No account”, and none that matches “Market: Narnia”.',
    ],
    [
      'parts that only together have nothing',
      { market: 'India', waba_id: '1' },
      ({ market, waba_id }: ReportFilters) => market == null || waba_id == null,
      'No message was delivered in 1 – 31 Oct 2026 that matches all of “Account: 1”, “Market: India”. Each of these alone has some.',
    ],
  ])('names what has nothing: %s', async (_, only, has, sentence) => {
    expect(await noMessageDelivered(DAYS, only, NO_NAMES, RANGE, savings(has))).toBe(sentence);
  });

  it('asks nothing twice', async () => {
    let asked = 0;
    const finds = (): Promise<boolean> => {
      asked += 1;
      return Promise.resolve(true);
    };
    expect(await whatFoundNothing(finds, [])).toEqual({ asked: [], fruitless: [] });
    expect(asked).toBe(0);
    expect(await whatFoundNothing(finds, [{ name: 'a', finds }])).toEqual({ asked: ['a'], fruitless: ['a'] });
    expect(asked).toBe(1);
    expect(nothingSentence('None', 'May', { asked: ['a'], fruitless: ['a'] })).toBe('None in May that matches “a”.');
  });

  it.each<[Partial<AskedState>, Picks, boolean, string]>([
    [{}, {}, false, 'No ad-driven conversation started in 1 – 31 Oct 2026.'],
    [
      { q: 'Sofa' },
      {},
      false,
      'No ad-driven conversation started in 1 – 31 Oct 2026 that matches “Search: Sofa”. The search looks for numbers of customers or parts of them, message ids and user ids.',
    ],
    [
      { state: 'pending' },
      { ad: ['Sofa', '7'] },
      false,
      'No ad-driven conversation started in 1 – 31 Oct 2026 that matches “Ad: Sofa”, and none that matches “Ad: Spring sale”.',
    ],
    [{ q: 'wamid.1' }, {}, true, 'No ad-driven conversation holds the message of this search.'],
  ])('says why no conversation is listed: %o', async (asked, only, isMessage, sentence) => {
    const list = ({ filters: { q, ad } }: { readonly filters: ReportFilters }) =>
      Promise.resolve({
        rows: q === '' && ad == null ? [{} as never] : [],
        next: null,
        previous: null,
        is_found: true,
        messages: [],
      });
    expect(await noConversation(DAYS, only, NAMES, { ...NOTHING_ASKED, ...asked }, isMessage, RANGE, list)).toBe(
      sentence,
    );
  });

  it('distinguishes an unknown ad from one of other days', () => {
    expect(nothingOfAd({ ad: 'Sofa' }, NAMES, RANGE, false)).toBe(
      'No ad or post with a conversation or a cost matches “Ad: Sofa”.',
    );
    expect(nothingOfAd({ ad: '7', waba_id: '1' }, NAMES, RANGE, true)).toBe(
      'No conversation and no cost in 1 – 31 Oct 2026 matches “Ad: Spring sale”, “Account: 1”, but other days have some.',
    );
    expect(nothingOfAd({}, NAMES, RANGE, false)).toMatch(/^No ad-driven conversation started/);
  });
});

it('says which days are used in place of those of a zone that is none', () => {
  const notices = (usual?: string): string[] =>
    readFilters(new URLSearchParams('tz=Mars'), usual).repairs.map(({ notice }) => notice);
  expect(notices()).toEqual(['tz: “Mars” is not an IANA time zone like America/Sao_Paulo; UTC is used.']);
  expect(notices('other days are used')).toEqual([
    'tz: “Mars” is not an IANA time zone like America/Sao_Paulo; other days are used.',
  ]);
});
