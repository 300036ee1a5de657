import {
  markKey,
  type CustomerName,
  type EntryMark,
  type LostReferral,
  type MessageMark,
  type Retraction,
  type Rows,
} from '../../lifecycle/marks.ts';
import { isSameCustomerName, isSameEntry, isSameLostReferral, isSameMessage } from './mark-rows.ts';

/** How the rows of a thread changed when some events came. */
export interface ChangedRows {
  readonly rows: Rows;
  /** The times at which the changed rows counted before, and count now, Unix seconds. */
  readonly times: ReadonlySet<number>;
}

export function messageTime(message: MessageMark): number {
  return message.delivered_at ?? message.sent_at;
}

export function entryTimes({ entry_at, window }: EntryMark): number[] {
  return window === null ? [entry_at] : [entry_at, window.opened_at];
}

interface Changed<Row> {
  readonly rows: readonly Row[];
  readonly times: readonly number[];
  /** Keys of rows that no longer exist. */
  readonly left: ReadonlySet<string>;
}

function changed<Row>(
  before: readonly Row[],
  after: readonly Row[],
  keyOf: (row: Row) => string,
  isSame: (a: Row, b: Row) => boolean,
  timesOf: (row: Row) => readonly number[],
): Changed<Row> {
  const left = new Map(before.map((row) => [keyOf(row), row]));
  const rows: Row[] = [];
  const times: number[] = [];
  for (const row of after) {
    const key = keyOf(row);
    const old = left.get(key);
    left.delete(key);
    if (old !== undefined && isSame(old, row)) continue;
    rows.push(row);
    times.push(...timesOf(row), ...(old === undefined ? [] : timesOf(old)));
  }
  for (const row of left.values()) times.push(...timesOf(row));
  return { rows, times, left: new Set(left.keys()) };
}

function retractionKey({ id, participant }: Retraction): string {
  return markKey({ message_id: id, participant });
}

function added(before: readonly Retraction[], after: readonly Retraction[]): Retraction[] {
  const known = new Set(before.map(retractionKey));
  return after.filter((retraction) => !known.has(retractionKey(retraction)));
}

/** Whether every row that no longer exists is retracted. */
function areRetracted(left: ReadonlySet<string>, retracted: readonly Retraction[]): boolean {
  if (left.size === 0) return true;
  const keys = new Set(retracted.map(retractionKey));
  return [...left].every((key) => keys.has(key));
}

/**
 * The rows to write of a thread whose earlier rows are in the ledger.
 * @returns null when the change is not known: then all rows must be written
 */
export function changedRows(before: Rows, after: Rows): ChangedRows | null {
  const messages = changed(before.messages, after.messages, markKey, isSameMessage, (row) => [messageTime(row)]);
  const entries = changed(
    before.entries,
    after.entries,
    ({ entry_id }) => markKey({ message_id: entry_id, participant: '' }),
    isSameEntry,
    entryTimes,
  );
  const lost = changed(
    before.lost_referrals,
    after.lost_referrals,
    ({ message_id }: LostReferral) => message_id,
    isSameLostReferral,
    ({ written_at }) => [written_at],
  );
  const names = changed(
    before.customer_names,
    after.customer_names,
    ({ name }: CustomerName) => name,
    isSameCustomerName,
    () => [],
  );
  const isComplete =
    areRetracted(messages.left, after.retracted_messages) &&
    areRetracted(entries.left, after.retracted_entries) &&
    lost.left.size === 0 &&
    names.left.size === 0;
  if (!isComplete) return null;
  return {
    rows: {
      messages: messages.rows,
      entries: entries.rows,
      lost_referrals: lost.rows,
      customer_names: names.rows,
      retracted_messages: added(before.retracted_messages, after.retracted_messages),
      retracted_entries: added(before.retracted_entries, after.retracted_entries),
    },
    times: new Set([...messages.times, ...entries.times, ...lost.times]),
  };
}
