import type { Grain } from '../filters/filters.ts';
import { count, counted } from '../format/numbers.ts';
import { GRAIN_TITLES, type Bucket } from './buckets.ts';

const sum = (buckets: readonly Bucket[], figure: (bucket: Bucket) => number): number =>
  buckets.reduce((total, bucket) => total + figure(bucket), 0);

/** The chart in one sentence, for readers who do not see it. */
export function chartSentence(buckets: readonly Bucket[], grain: Grain): string {
  const first = buckets[0];
  const last = buckets.at(-1);
  if (!first || !last) return `Bar chart by ${grain}: nothing in this range.`;
  const best = buckets.reduce(
    (most, bucket) => (bucket.ad_conversations > most.ad_conversations ? bucket : most),
    first,
  );
  const conversations = sum(buckets, (bucket) => bucket.ad_conversations);
  return [
    `Bar chart by ${grain}, ${first.name} to ${last.name}:`,
    `${counted(conversations, 'ad-driven conversation')},`,
    `of which ${count(sum(buckets, (bucket) => bucket.replied))} answered,`,
    `${count(sum(buckets, (bucket) => bucket.unanswered))} not answered within 24 h`,
    `and ${count(sum(buckets, (bucket) => bucket.pending))} pending;`,
    `${counted(
      sum(buckets, (bucket) => bucket.saved_from_charge),
      'message',
    )} saved from charge.`,
    ...(conversations > 0 ? [`Most conversations: ${best.name}, ${count(best.ad_conversations)}.`] : []),
    `The same figures are in the table “${GRAIN_TITLES[grain]}”.`,
  ].join(' ');
}
