import { z } from 'zod';
import { explainMessage } from '../lifecycle/explain.ts';
import { foldEvents } from '../lifecycle/fold.ts';
import { compileRulebook } from '../lifecycle/rulebook.ts';
import { readConfiguration } from './configuration.ts';
import type { Ledger } from './ledger.ts';
import { readComponents } from './threads.ts';

/**
 * Why a message is marked as it is, in one sentence; one per business number that has a message of this id. The thread
 * is folded again from its events, so that the sentence speaks of what decided and not of what was stored.
 */
export async function explainMessages(
  ledger: Ledger,
  message_id: string,
  zone: string,
): Promise<{ readonly phone_number_id: string; readonly sentence: string }[]> {
  const marks = await ledger.reading.query(
    z.object({ phone_number_id: z.string(), customer: z.string() }),
    'SELECT phone_number_id, customer FROM message_marks FINAL WHERE message_id = {message_id:String} ORDER BY phone_number_id',
    { message_id },
  );
  // Read anew: another process may have changed it since this one opened the ledger.
  const { accounts, settings } = (await readConfiguration(ledger.reading)) ?? ledger.configuration;
  const rulebook = compileRulebook(accounts, settings.policy);
  const sentences: { phone_number_id: string; sentence: string }[] = [];
  for (const { phone_number_id, customer } of marks) {
    const thread = { phone_number_id, customer, nameless_id: customer === '' ? message_id : '' };
    const events = (await readComponents(ledger.reading, [thread])).flat();
    const mark = foldEvents(events, rulebook).messages.find((message) => message.message_id === message_id);
    if (mark !== undefined) sentences.push({ phone_number_id, sentence: explainMessage(mark, zone) });
  }
  return sentences;
}
