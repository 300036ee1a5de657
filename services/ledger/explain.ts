import { z } from 'zod';
import { explainMessage } from '../lifecycle/explain.ts';
import type { Ledger } from './ledger.ts';
import { readThread } from './thread.ts';

/** Why a row of a message is marked as it is. */
export interface ExplainedMark {
  readonly phone_number_id: string;
  /** Of a group message; else empty. */
  readonly participant: string;
  readonly sentence: string;
}

/**
 * Why a message is marked as it is, in one sentence for each of its rows: of each business number that has a message of
 * this id, and of each participant of a group message. The thread is folded again from its events, so that the sentence
 * speaks of what decided and not of what was stored.
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
        explained.push({ phone_number_id, participant: mark.participant, sentence: explainMessage(mark, zone) });
  }
  return explained;
}
