import { DateTime } from 'luxon';
import { Prng } from './prng.ts';
import { NUMBERS, SAMPLE_ACCOUNTS, SOURCES } from './world.ts';

/** Approximate cost of a conversation, in whole units of each currency. */
const COST_OF_CONVERSATION: Readonly<Record<string, number>> = { BRL: 4, INR: 28, USD: 2 };
/** Approximate conversations of an ad and day for its weight, as the simulated traffic has them. */
const CONVERSATIONS_OF_WEIGHT = 1.8;
/** Meta's results with the share of conversations that reach each, at least and at most: more people tap than write. */
const RESULTS: readonly (readonly [heading: string, least: number, most: number])[] = [
  ['Link clicks', 1.2, 1.5],
  ['Messaging conversations started', 0.95, 1.05],
  ['messaging_user_depth_2_message_send', 0.7, 0.8],
  ['messaging_user_depth_3_message_send', 0.5, 0.6],
  ['messaging_user_depth_5_message_send', 0.25, 0.32],
];
const REFERRAL_ID = /"source_id":"(\d+)"/;
const HEADLINE = /"headline":"([^"]*)"/;

/** An export in the form of Ads Manager. */
export interface SimulatedExport {
  readonly name: string;
  readonly text: string;
}

/**
 * The cost and the results of the ads of the simulated world, as exports of Ads Manager by day, one for each currency; always the same
 * for a seed. Posts cost nothing.
 * @param end_at when the traffic ends, Unix seconds
 */
export function simulateSpend(options: {
  readonly days: number;
  readonly seed: number;
  readonly end_at: number;
}): SimulatedExport[] {
  const random = new Prng(options.seed);
  // Results have their own, so that amounts do not depend on them.
  const reached = new Prng(options.seed + 1);
  const rows = new Map<string, string[]>();
  for (const source of SOURCES) {
    const ad_id = REFERRAL_ID.exec(source.referral)?.[1];
    const number = NUMBERS[source.number];
    const account = number === undefined ? undefined : SAMPLE_ACCOUNTS[number.account];
    if (source.kind !== 'ad' || ad_id === undefined || account === undefined) continue;
    const { currency = 'USD', time_zone = 'UTC', name = '' } = account;
    const last = DateTime.fromSeconds(options.end_at, { zone: time_zone }).startOf('day');
    const known = rows.get(currency) ?? [];
    rows.set(currency, known);
    for (let ago = options.days - 1; ago >= 0; ago--) {
      const progress = (options.days - ago) / options.days;
      if (progress < source.from || progress > source.to) continue;
      const day = last.minus({ days: ago }).toISODate();
      const cents = Math.round(
        100 * source.weight * (COST_OF_CONVERSATION[currency] ?? 1) * (0.8 + 0.6 * random.unit()),
      );
      const amount = `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`;
      const results = RESULTS.map(([, least, most]) =>
        Math.round(source.weight * CONVERSATIONS_OF_WEIGHT * (least + (most - least) * reached.unit())),
      );
      const headline = HEADLINE.exec(source.referral)?.[1] ?? '';
      known.push(`${day},${day},${name},"${headline}",${ad_id},${amount},${results.join(',')}`);
    }
  }
  return [...rows].map(([currency, lines]) => ({
    name: `invented-ads-${currency}.csv`,
    text: `Reporting starts,Reporting ends,Campaign name,Ad name,Ad ID,Amount spent (${currency}),${RESULTS.map(([heading]) => heading).join(',')}\n${lines.join('\n')}\n`,
  }));
}
