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

/** A thread (rules.md F1) and what the rules make of it. */
export interface FoldedThread extends MarkedThread {
  /** The rulebook that it was folded by. */
  readonly rulebook: Rulebook;
  /** Every name of its customer (rules.md F9), in the order of their bytes; none for a group. */
  readonly names: readonly string[];
  /** All events of its messages, in no particular order. */
  readonly events: readonly LedgerEvent[];
}

/**
 * The thread that a message belongs to, the customer's or the business's, folded again from its events; null when the
 * ledger knows no such message.
 */
export async function readThread(
  ledger: Ledger,
  asked: { readonly phone_number_id: string; readonly message_id: string },
): Promise<FoldedThread | null> {
  const { phone_number_id, message_id } = asked;
  const names = await ledger.reading.query(
    z.object({ customer: z.string(), nameless_id: z.string() }),
    `SELECT customer, nameless_id FROM message_names FINAL
     WHERE message_key = sipHash64({phone_number_id:String}, {message_id:String}) AND phone_number_id = {phone_number_id:String}`,
    { phone_number_id, message_id },
  );
  if (names.length === 0) return null;
  // A message without a customer is found by the link of a message that names one.
  const named = names.filter(({ customer }) => customer !== '');
  const seeds = (named.length > 0 ? named : names).map((name) => ({ phone_number_id, ...name }));
  const events = (await readComponents(ledger.reading, seeds)).flat();
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
export async function explainMessages(ledger: Ledger, message_id: string, zone: string): Promise<ExplainedMark[]> {
  const numbers = await ledger.reading.query(
    z.object({ phone_number_id: z.string() }),
    `SELECT DISTINCT phone_number_id FROM message_marks FINAL WHERE message_id = {message_id:String}
     ORDER BY phone_number_id`,
    { message_id },
  );
  const explained: ExplainedMark[] = [];
  for (const { phone_number_id } of numbers) {
    const thread = await readThread(ledger, { phone_number_id, message_id });
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
