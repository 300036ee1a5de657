import { z } from 'zod';
import type { LedgerEvent } from '@ctwa-ledger/schemas/event.ts';
import type { PhoneNumberId } from '@ctwa-ledger/schemas/ids.ts';
import { explainMessage } from '../lifecycle/explain.ts';
import { establishFacts } from '../lifecycle/facts.ts';
import { foldEvents } from '../lifecycle/fold.ts';
import { markKey } from '../lifecycle/marks.ts';
import { compileRulebook, type Rulebook } from '../lifecycle/rulebook.ts';
import type { MarkedThread } from '../lifecycle/timeline.ts';
import { readConfiguration } from './configuration/configuration.ts';
import type { Ledger } from './ledger.ts';
import { readComponents } from './threads/threads.ts';
import { givenTuples } from '../clickhouse/sql.ts';

/** A thread (rules.md F1) and what the rules make of it. */
export interface FoldedThread extends MarkedThread {
  /** The rulebook that it was folded by. */
  readonly rulebook: Rulebook;
  /** Every name of its customer (rules.md F9), in the order of their bytes; none for a group. */
  readonly names: readonly string[];
  /** All events of its messages, in no particular order. */
  readonly events: readonly LedgerEvent[];
  /** What was removed of it by age; null = nothing. */
  readonly removed: RemovedPart | null;
}

const removedRow = z.object({
  on: z.string(),
  events: z.coerce.number(),
  first_at: z.number(),
  last_at: z.number(),
  customer: z.string(),
});

/** Events of a thread that were removed by age. */
export type RemovedPart = z.infer<typeof removedRow>;

const namesRow = z.object({ customer: z.string(), nameless_id: z.string() });

/** The threads that a message was landed under. */
function threadsOfMessage(ledger: LedgerToRead, asked: AskedMessage): Promise<z.infer<typeof namesRow>[]> {
  return ledger.reading.query(
    namesRow,
    `SELECT customer, nameless_id FROM message_names FINAL
     WHERE message_key = sipHash64({phone_number_id:String}, {message_id:String}) AND phone_number_id = {phone_number_id:String}`,
    { phone_number_id: asked.phone_number_id, message_id: asked.message_id },
  );
}

/** What was removed by age of the threads that a message was landed under; null = nothing, or there is no such message. */
export async function removedOfMessage(ledger: LedgerToRead, asked: AskedMessage): Promise<RemovedPart | null> {
  return readRemoved(ledger, asked.phone_number_id, await threadsOfMessage(ledger, asked));
}

async function readRemoved(
  ledger: LedgerToRead,
  phone_number_id: string,
  threads: readonly z.infer<typeof namesRow>[],
): Promise<RemovedPart | null> {
  const [row] = await ledger.reading.query(
    removedRow,
    `SELECT toString(toDate(max(removals.began_at))) AS on, sum(removed.events) AS events, toUnixTimestamp(min(removed.first_at)) AS first_at,
       toUnixTimestamp(max(removed.last_at)) AS last_at, max(removed.customer) AS customer
     FROM (SELECT * FROM removed_threads FINAL
       WHERE phone_number_id = {number:String} AND (customer, nameless_id) IN (${givenTuples({ customers: 'String', ids: 'String' })})) AS removed
     INNER JOIN (SELECT removal_id, began_at FROM removals FINAL WHERE removals.version >= 2) AS removals USING removal_id`,
    {
      number: phone_number_id,
      customers: threads.map(({ customer }) => customer),
      ids: threads.map(({ nameless_id }) => nameless_id),
    },
  );
  return row === undefined || row.events === 0 ? null : row;
}

/** What reading a thread needs of a ledger. */
export type LedgerToRead = Pick<Ledger, 'reading' | 'configuration'>;

/** Identifies a message. */
interface AskedMessage {
  readonly phone_number_id: string;
  readonly message_id: string;
}

/**
 * The thread that a message belongs to, the customer's or the business's, folded again from its events; null when the
 * ledger knows no such message, or its events were removed.
 */
export async function readThread(ledger: LedgerToRead, asked: AskedMessage): Promise<FoldedThread | null> {
  const { phone_number_id, message_id } = asked;
  const names = await threadsOfMessage(ledger, asked);
  if (names.length === 0) return null;
  // A message without a customer is found by the link of a message that names one.
  const named = names.filter(({ customer }) => customer !== '');
  const seeds = (named.length > 0 ? named : names).map((name) => ({ phone_number_id, ...name }));
  const [components, removed] = await Promise.all([
    readComponents(ledger.reading, seeds),
    readRemoved(ledger, phone_number_id, names),
  ]);
  const events = components.flat();
  // Read again: another process may have changed it since this one opened the ledger.
  const { accounts, settings } = (await readConfiguration(ledger.reading)) ?? ledger.configuration;
  const rulebook = compileRulebook(accounts, settings.policy);
  const { threads, identities } = establishFacts(phone_number_id as PhoneNumberId, events, rulebook);
  const facts = threads.find(
    ({ inbound, outbound }) =>
      inbound.some(({ id }) => id === message_id) || outbound.some(({ id }) => id === message_id),
  );
  if (facts === undefined) return null;
  const rows = foldEvents(events, rulebook);
  return {
    facts,
    rulebook,
    names: facts.customer === '' ? [] : identities.namesOf(facts.customer),
    messages: new Map(rows.messages.map((mark) => [markKey(mark), mark])),
    entries: new Map(rows.entries.map((mark) => [mark.entry_id, mark])),
    events,
    removed,
  };
}

/** Why a row of a message is marked as it is. */
export interface ExplainedMark {
  readonly phone_number_id: string;
  /** Of a group message; else empty. */
  readonly participant: string;
  readonly sentence: string;
  /** Every name of the customer (rules.md F9); none for a group. */
  readonly names: readonly string[];
}

/**
 * Why a message is marked as it is, in one sentence for each of its rows: of each business number that has a message of
 * this id, and of each participant of a group message. The thread is folded again from its events, so that the sentence
 * names the events that decided, not the stored row.
 */
export async function explainMessages(
  ledger: LedgerToRead,
  message_id: string,
  zone: string,
): Promise<ExplainedMark[]> {
  const numbers = await ledger.reading.query(
    z.object({ phone_number_id: z.string() }),
    `SELECT DISTINCT phone_number_id FROM message_marks FINAL WHERE message_id = {message_id:String}
     ORDER BY phone_number_id`,
    { message_id },
  );
  const explained: ExplainedMark[] = [];
  for (const { phone_number_id } of numbers) {
    const thread = await readThread(ledger, { phone_number_id, message_id });
    if (thread === null) explained.push(...(await explainWithoutEvents(ledger, { phone_number_id, message_id })));
    for (const mark of thread?.messages.values() ?? [])
      if (mark.message_id === message_id)
        explained.push({
          phone_number_id,
          participant: mark.participant,
          sentence: explainMessage(mark, zone),
          names: thread?.names ?? [],
        });
  }
  return explained;
}

/** What is still known of a message whose events were removed: its mark, and by which rule it got that. */
async function explainWithoutEvents(ledger: LedgerToRead, asked: AskedMessage): Promise<ExplainedMark[]> {
  const removed = await removedOfMessage(ledger, asked);
  if (removed === null) return [];
  const rows = await ledger.reading.query(
    z.object({ participant: z.string(), billing: z.string(), rule: z.string() }),
    `SELECT participant, toString(billing) AS billing, toString(rule) AS rule FROM message_marks FINAL
     WHERE phone_number_id = {phone_number_id:String} AND message_id = {message_id:String} ORDER BY participant`,
    { phone_number_id: asked.phone_number_id, message_id: asked.message_id },
  );
  return rows.map(({ participant, billing, rule }) => ({
    phone_number_id: asked.phone_number_id,
    participant,
    sentence: `${billing}, as it was marked (${rule}) before the events of its conversation were removed on ${removed.on}: the mark stays, and what decided it is not here any more`,
    names: [],
  }));
}
