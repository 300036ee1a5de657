import { count, counted } from '../format/numbers.ts';
import type { Freshness } from './freshness.ts';

/** When something was last stored, as far as the ledger keeps that. */
export function storedSentence({ last_event, last_stored_ago }: Freshness): string {
  if (last_stored_ago !== null) return `Last stored ${last_stored_ago}`;
  return last_event === null ? 'Nothing stored yet' : 'Last stored more than three days ago';
}

/** Whether the figures lag behind what arrived, as far as this process knows. */
export function isBehind({ cells_behind, charge_hours_behind, records_behind }: Freshness): boolean {
  return cells_behind > 0 || charge_hours_behind > 0 || (records_behind ?? 0) > 0;
}

/**
 * How far the figures lag behind what arrived. A process that does not consume from Kafka cannot know what is unread
 * there.
 */
export function lagSentence(freshness: Freshness): string {
  const { cells_behind, charge_hours_behind, records_behind } = freshness;
  if (!isBehind(freshness)) return records_behind === null ? 'Summaries up to date' : 'No lag';
  const behind = [
    ...(records_behind !== null && records_behind > 0 ? [`${counted(records_behind, 'record')} in Kafka to read`] : []),
    ...(cells_behind > 0 ? [`summaries being recomputed, ${counted(cells_behind, 'cell')} to go`] : []),
    ...(charge_hours_behind > 0 ? [`amounts of ${counted(charge_hours_behind, 'hour')} being rated again`] : []),
  ];
  return `Lag: ${behind.join('; ')}`;
}

/** Rejected inputs of the days on screen, and of all: `2 rejected inputs in these days, 5 in all wait`. */
export function lettersSentence({ dead_letters, dead_letters_in_range }: Freshness): string {
  if (dead_letters === 0) return 'No rejected inputs';
  const here = counted(dead_letters_in_range, 'rejected input');
  if (dead_letters === dead_letters_in_range) return `${here} in these days ${dead_letters === 1 ? 'waits' : 'wait'}`;
  const all = `${count(dead_letters)} in all ${dead_letters === 1 ? 'waits' : 'wait'}`;
  return dead_letters_in_range === 0 ? `No rejected inputs in these days, ${all}` : `${here} in these days, ${all}`;
}
