import { describe, expect, it } from 'vitest';
import type { AdFiguresRow } from '@ctwa-ledger/schemas/figures.ts';
import { costChange } from '../../dashboard/src/lib/ads/changes.ts';
import { conversationsChange, rateChange } from '../../dashboard/src/lib/comparison/changes.ts';
import { adLines } from '../../dashboard/src/lib/ads/figures.ts';
import { lineKey, readRollup, tableLines, totalLine, type Rollup } from '../../dashboard/src/lib/ads/rollup.ts';
import { divideDecimals, subtractDecimals } from '../../dashboard/src/lib/format/decimals.ts';

const EMPTY: AdFiguresRow = {
  ...{ ad_id: '', source_type: 'ad', ad_name: '', adset_name: '', campaign_name: '', headline: '' },
  ...{ media_type: '', source_url: '', ad_conversations: 0, replied: 0, mature: 0, pending: 0 },
  ...{ reply_rate: null, median_seconds_to_reply: null, p90_seconds_to_reply: null },
  ...{ windows_opened: 0, windows_confirmed: 0, free_messages: 0, first_entry_at: null, last_entry_at: null },
  ...{ currency: '', spend: null, cost_per_conversation: null, cost_per_replied: null, savings: null, unrated: 0 },
  ...{ savings_per_spend: null, spend_left_out: 0, windows_reported_only: 0, spend_shared: 0 },
};
const row = (figures: Partial<AdFiguresRow>): AdFiguresRow => ({ ...EMPTY, ...figures });

const NOW = adLines([
  row({
    ad_id: '1',
    campaign_name: 'Spring',
    adset_name: 'A',
    media_type: 'image',
    ad_conversations: 10,
    replied: 6,
    mature: 8,
    pending: 2,
    currency: 'BRL',
    spend: '10.00',
    savings: '1',
  }),
  row({
    ad_id: '1',
    campaign_name: 'Spring',
    adset_name: 'A',
    media_type: 'image',
    ad_conversations: 10,
    replied: 6,
    mature: 8,
    pending: 2,
    currency: 'USD',
    spend: '3',
    unrated: 4,
  }),
  row({
    ad_id: '2',
    campaign_name: 'Spring',
    adset_name: 'B',
    media_type: 'video',
    ad_conversations: 5,
    replied: 3,
    mature: 5,
    currency: 'BRL',
    spend: '0.05',
    last_entry_at: '2026-10-02T00:00:00+00:00',
  }),
  // No import says what it cost: its conversations make the others no cheaper.
  row({ ad_id: '3', media_type: 'video', ad_conversations: 100, replied: 50, mature: 100 }),
  row({
    ad_id: '4',
    source_type: 'post',
    ad_conversations: 7,
    replied: 7,
    mature: 7,
    last_entry_at: '2026-10-01T00:00:00+00:00',
  }),
  row({ ad_id: '', source_type: 'ad', ad_conversations: 2 }),
  row({ ad_id: '', source_type: 'reported', free_messages: 3 }),
]);
const BEFORE = adLines([
  row({
    ad_id: '1',
    campaign_name: 'Spring',
    ad_conversations: 8,
    replied: 4,
    mature: 8,
    reply_rate: '0.5000',
    currency: 'BRL',
    spend: '20',
    cost_per_conversation: '2.5000',
  }),
  row({ ad_id: '9', campaign_name: 'Winter', ad_conversations: 4, replied: 1, mature: 4 }),
]);

const grouped = (by: Rollup): Record<string, [number, number]> =>
  Object.fromEntries(
    tableLines(NOW, [], by).map((line) => [line.group?.name ?? '', [line.group?.ads ?? 0, line.ad_conversations]]),
  );

describe('the table of ads', () => {
  it('counts every ad once, however it is grouped', () => {
    expect(grouped('campaign')).toEqual({ Spring: [2, 15], 'No campaign known': [4, 109] });
    expect(grouped('adset')).toEqual({ A: [1, 10], B: [1, 5], 'No ad set known': [4, 109] });
    expect(grouped('media')).toEqual({ image: [1, 10], video: [2, 105], 'No media known': [3, 9] });
    expect(grouped('source')).toEqual({
      Ads: [3, 115],
      Posts: [1, 7],
      'Ad unknown': [1, 2],
      'Reported by Meta, no ad known': [1, 0],
    });
  });

  it('keeps currencies apart, and divides by conversations of ads that have a cost', () => {
    const spring = tableLines(NOW, [], 'campaign').find((line) => line.group?.name === 'Spring')!;
    expect(
      spring.amounts.map(({ currency, spend, cost_conversations, cost_per_conversation, cost_per_replied }) => [
        currency,
        spend,
        cost_conversations,
        cost_per_conversation,
        cost_per_replied,
      ]),
    ).toEqual([
      ['BRL', '10.05', 15, '0.6700', '1.1167'],
      ['USD', '3', 10, '0.3000', '0.5000'],
    ]);
    const total = totalLine(NOW, []);
    expect([total.ad_conversations, total.amounts[0]?.cost_conversations]).toEqual([124, 15]);
    expect(total.reply_rate).toBe('0.5500');
    expect(total.last_entry_at).toBe('2026-10-02T00:00:00+00:00');
    // Messages without a price stay beside the sum that they are not in.
    expect(total.amounts[1]).toMatchObject({ savings: null, unrated: 4 });
  });

  it('has one key for each row', () => {
    for (const by of ['ad', 'campaign', 'source'] as const) {
      const keys = tableLines(NOW, [], by).map(lineKey);
      expect(new Set(keys).size).toBe(keys.length);
    }
  });

  it('says what changed in each row, and in all of them', () => {
    const [first, second] = tableLines(NOW, BEFORE, 'ad');
    expect(conversationsChange(first!)).toEqual({ absolute: '+2', relative: '+25%' });
    expect(conversationsChange(second!)).toEqual({ absolute: '+5', relative: '' });
    expect(costChange(first!, first!.amounts[0]!, 'spend')).toEqual({ absolute: 'BRL −10.00', relative: '−50%' });
    expect(costChange(first!, first!.amounts[1]!, 'spend')).toEqual({ absolute: '–', relative: '' });
    expect(rateChange(second!).absolute).toBe('–');
    const spring = tableLines(NOW, BEFORE, 'campaign').find((line) => line.group?.name === 'Spring')!;
    // 9 of 13 now, 4 of 8 before.
    expect(rateChange(spring).absolute).toBe('+19.2 points');
    // An ad that is gone counts in what all of them were before.
    expect(conversationsChange(totalLine(NOW, BEFORE)).absolute).toBe('+112');
  });

  it('says which grouping there is none of', () => {
    expect(readRollup(new URLSearchParams('by=campaign'))).toEqual({ by: 'campaign', repairs: [] });
    const unknown = readRollup(new URLSearchParams('by=moon'));
    expect([unknown.by, unknown.repairs.length]).toEqual(['ad', 1]);
  });
});

describe('decimals', () => {
  it('are divided with four places, half up, and by nothing not at all', () => {
    expect(divideDecimals('10.05', '15')).toBe('0.6700');
    expect(divideDecimals('1', '3')).toBe('0.3333');
    expect(divideDecimals('0.00005', '1')).toBe('0.0001');
    expect(divideDecimals('2', '0')).toBeNull();
    expect(divideDecimals('0', '7')).toBe('0.0000');
  });
  it('are subtracted to the last digit', () => {
    expect(subtractDecimals('1.10', '2.355')).toBe('-1.255');
    expect(subtractDecimals('5', '-0.5')).toBe('5.5');
    expect(subtractDecimals(null, '1')).toBeNull();
  });
});
