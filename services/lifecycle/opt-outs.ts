import type { LedgerEvent } from '@ctwa-ledger/schemas/event.ts';
import type { Refusal } from '@ctwa-ledger/schemas/conversations.ts';
import { PREFERENCE_TYPE } from '@ctwa-ledger/schemas/event.ts';
import { z } from 'zod';
import type { OutboundMessage, Thread } from './facts.ts';
import { errorsOf } from './failures.ts';
import { markKey } from './marks.ts';
import { ratedCategory } from './verdict.ts';

/**
 * Meta's error code for a customer who stopped marketing messages. 131049, Meta's own limit per user, means something
 * else.
 */
const STOPPED_MARKETING = '131050';

/**
 * Meta's error code for a message that cannot be delivered. A message to a customer who blocked the business also gets
 * it.
 */
const UNDELIVERABLE = '131026';

/** By the `markKey` of the row that the refusal is about. */
export type Refusals = ReadonlyMap<string, Refusal>;

/**
 * The first error of each status that has one, by the `markKey` of the row that the status is about; of several
 * statuses the latest counts. A status of a group message that names no participant is about all rows, and is listed
 * without a participant.
 */
export function refusalsOf(events: readonly LedgerEvent[]): Map<string, Refusal> {
  const refusals = new Map<string, Refusal>();
  for (const event of events) {
    if (event.event !== 'status') continue;
    const [first] = errorsOf(event.errors);
    if (first === undefined || first.code === '') continue;
    const key = markKey({ message_id: event.id, participant: event.group_id === '' ? '' : event.participant });
    const known = refusals.get(key);
    if (known !== undefined && known.at >= event.timestamp) continue;
    refusals.set(key, {
      at: event.timestamp,
      code: first.code,
      title: first.title === '' ? first.message : first.title,
    });
  }
  return refusals;
}

/** The refusal of a row: its own, else that of the whole message. */
export function refusalOf(refusals: Refusals, row: Pick<OutboundMessage, 'id' | 'participant'>): Refusal | undefined {
  const of = (participant: string): Refusal | undefined => refusals.get(markKey({ message_id: row.id, participant }));
  return of(row.participant) ?? of('');
}

const preferenceSchema = z.object({ category: z.string(), value: z.string() });

/** A customer's setting for marketing messages. */
interface Preference {
  readonly at: number;
  readonly stops: boolean;
}

/** The settings for marketing messages that customers made, among the events of a thread. */
function preferencesOf(events: readonly LedgerEvent[]): Preference[] {
  return events.flatMap((event): Preference[] => {
    if (event.event !== 'message' || event.type !== PREFERENCE_TYPE || event.context === '') return [];
    const read = preferenceSchema.safeParse(JSON.parse(event.context));
    if (!read.success || read.data.category !== 'marketing_messages') return [];
    const { value } = read.data;
    return value === 'stop' || value === 'resume' ? [{ at: event.timestamp, stops: value === 'stop' }] : [];
  });
}

/**
 * Since when a customer wants no marketing messages: since they set it so, or since Meta refused a message for it. It
 * ends when they set it otherwise, or when a marketing message is delivered later. Within one second the stop counts.
 * Null = the customer wants them, as far as is known.
 * @param events events about the thread's messages and its customer
 * @param at Unix seconds; later events are ignored
 */
export function stoppedMarketingAt(thread: Thread, events: readonly LedgerEvent[], at: number): number | null {
  if (thread.group_id !== '') return null;
  const refusals = refusalsOf(events.filter(({ timestamp }) => timestamp <= at));
  const stops: number[] = [];
  const ends: number[] = [];
  for (const preference of preferencesOf(events))
    if (preference.at <= at) (preference.stops ? stops : ends).push(preference.at);
  for (const message of thread.outbound) {
    const refusal = refusalOf(refusals, message);
    if (refusal?.code === STOPPED_MARKETING) stops.push(refusal.at);
    const { category, delivered_at } = message;
    if (ratedCategory(category).startsWith('marketing') && delivered_at !== null && delivered_at <= at)
      ends.push(delivered_at);
  }
  const stopped = stops.reduce((latest, time) => Math.max(latest, time), -Infinity);
  const ended = ends.reduce((latest, time) => Math.max(latest, time), -Infinity);
  return stopped !== -Infinity && stopped >= ended ? stopped : null;
}

/**
 * When Meta last said that the customer cannot be reached; null if a message went through in either direction after
 * that.
 */
export function unreachableAt({ inbound, outbound }: Thread, refusals: Refusals, at: number): number | null {
  const refused = outbound
    .flatMap((message) => refusalOf(refusals, message) ?? [])
    .filter(({ code }) => code === UNDELIVERABLE);
  if (refused.length === 0) return null;
  const last = refused.reduce((latest, { at }) => Math.max(latest, at), -Infinity);
  const isSince = (time: number | null): boolean => time !== null && last < time && time <= at;
  const wrote = inbound.some(({ timestamp }) => isSince(timestamp));
  const received = outbound.some(({ delivered_at }) => isSince(delivered_at));
  return wrote || received ? null : last;
}
