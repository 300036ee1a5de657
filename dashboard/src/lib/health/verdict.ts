import type { LostRecordsRow, ProcessFigures } from '@ctwa-ledger/schemas/health.ts';
import type { LedgerStatus } from '@ctwa-ledger/schemas/reports.ts';

import { recordsBehind } from '../freshness/freshness.ts';
import { duration } from '../format/durations.ts';
import { count, counted } from '../format/numbers.ts';

/** Seconds without events that deserve a remark. Shorter ones may be nights and weekends. */
const LONG_SILENCE_SECONDS = 2 * 86_400;

/**
 * Reasons to doubt the figures, one sentence each; empty when there are none.
 * @param now Unix seconds
 */
export function doubts(
  status: Pick<LedgerStatus, 'dead_letters' | 'cells_behind' | 'charge_hours_behind' | 'last_event_at'>,
  lag: ProcessFigures['lag'],
  now: number,
  lost: readonly Pick<LostRecordsRow, 'records'>[],
): string[] {
  const sentences: string[] = [];
  if (status.dead_letters > 0)
    sentences.push(
      `${counted(status.dead_letters, 'input was', 'inputs were')} rejected, and ${status.dead_letters === 1 ? 'is' : 'are'} in no figure.`,
    );
  const gone = lost.reduce((sum, { records }) => sum + Number(records), 0);
  if (gone > 0)
    sentences.push(
      `${counted(gone, 'record was', 'records were')} deleted in Kafka before ${gone === 1 ? 'it was' : 'they were'} read, and ${gone === 1 ? 'is' : 'are'} in no figure.`,
    );
  const behind = recordsBehind(lag) ?? 0;
  if (behind > 0) sentences.push(`${counted(behind, 'record')} in Kafka ${behind === 1 ? 'is' : 'are'} not read yet.`);
  if (status.cells_behind > 0)
    sentences.push(`${counted(status.cells_behind, 'cell')} of 15 minutes and a number wait for their summary.`);
  if (status.charge_hours_behind > 0)
    sentences.push(`Amounts of ${counted(status.charge_hours_behind, 'hour')} of a number are being rated again.`);
  if (status.last_event_at === null) sentences.push('No event has come yet.');
  else if (now - status.last_event_at > LONG_SILENCE_SECONDS)
    sentences.push(`No event has come for ${duration(String(now - status.last_event_at))}.`);
  return sentences;
}

/** The heading of the page. A process that does not consume from Kafka does not know what is unread there. */
export function verdictOf(doubts_found: readonly string[], lag: ProcessFigures['lag']): string {
  if (doubts_found.length === 0)
    return recordsBehind(lag) === null
      ? 'Everything in the ledger is in the figures. If Kafka feeds it, the /metrics of its consumers say what is still waiting there.'
      : 'Everything that arrived is in the figures.';
  return `${count(doubts_found.length)} ${doubts_found.length === 1 ? 'thing stands' : 'things stand'} between what arrived and the figures.`;
}
