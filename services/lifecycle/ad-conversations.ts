import { REPLY_WITHIN_SECONDS } from '@ctwa-ledger/schemas/durations.ts';
import type { DecidedEntry, Entry, FreeEntryWindow } from './windows.ts';

/** An ad conversation: the entry that starts it and the re-clicks that belong to it (rules.md 6). */
export interface AdConversation {
  readonly start: DecidedEntry;
  readonly entries: DecidedEntry[];
}

function isBefore(a: Entry, b: Entry, position: ReadonlyMap<Entry, number>): boolean {
  return (position.get(a) ?? 0) < (position.get(b) ?? 0);
}

/** Whether an earlier entry had no reply yet when this one came. */
function someoneWaits(entries: readonly DecidedEntry[], index: number, entry: DecidedEntry): boolean {
  for (let i = index - 1; i >= 0; i--) {
    const earlier = entries[i];
    if (earlier === undefined || entry.at - earlier.at >= REPLY_WITHIN_SECONDS) return false;
    if (earlier.reply === null || earlier.reply.delivered_at > entry.at) return true;
  }
  return false;
}

/**
 * Groups the entries of one thread into ad conversations (rules.md 6).
 * @param entries in the order of (time, id), after all replies are known
 * @param windows by their final expiry
 */
export function adConversations(
  entries: readonly DecidedEntry[],
  windows: readonly FreeEntryWindow[],
): AdConversation[] {
  const position = new Map<Entry, number>(entries.map((entry, index) => [entry, index]));
  const conversations: AdConversation[] = [];
  entries.forEach((entry, index) => {
    const current = conversations.at(-1);
    const isReClick =
      someoneWaits(entries, index, entry) ||
      windows.some(
        (window) =>
          window.opened_at <= entry.at && entry.at < window.expires_at && isBefore(window.owner, entry, position),
      );
    if (isReClick && current !== undefined) current.entries.push(entry);
    else conversations.push({ start: entry, entries: [entry] });
  });
  return conversations;
}

/**
 * Time to first reply (rules.md 6): the earliest answering reply's `sent_at` less the earliest entry of this
 * conversation that it answers, in seconds; null when no entry was answered.
 */
export function secondsToFirstReply(conversation: AdConversation): number | null {
  let first: DecidedEntry | null = null;
  // Entries are in time order, so the first entry of the earliest reply is the earliest that it answers.
  for (const entry of conversation.entries)
    if (entry.reply !== null && (first?.reply == null || entry.reply.message.sent_at < first.reply.message.sent_at))
      first = entry;
  return first?.reply == null ? null : first.reply.message.sent_at - first.at;
}
