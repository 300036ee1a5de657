import { count, counted } from '../format/numbers.ts';
import type { Freshness } from './freshness.ts';

/** How far processing is behind what arrived: empty when it is not. */
export function lagSentence({ cells_behind, records_behind }: Freshness): string {
  return [
    ...(records_behind !== null && records_behind > 0 ? [`${counted(records_behind, 'record')} in Kafka to read`] : []),
    ...(cells_behind > 0 ? [`summaries being recomputed, ${counted(cells_behind, 'cell')} to go`] : []),
  ].join('; ');
}

/** Rejected inputs of the days on screen, and of all: `2 rejected inputs in these days, 5 in all wait`. */
export function lettersSentence({ dead_letters, dead_letters_in_range }: Freshness): string {
  if (dead_letters === 0) return 'No rejected inputs';
  const here = counted(dead_letters_in_range, 'rejected input');
  if (dead_letters === dead_letters_in_range) return `${here} in these days ${dead_letters === 1 ? 'waits' : 'wait'}`;
  const all = `${count(dead_letters)} in all ${dead_letters === 1 ? 'waits' : 'wait'}`;
  return dead_letters_in_range === 0 ? `No rejected inputs in these days, ${all}` : `${here} in these days, ${all}`;
}
