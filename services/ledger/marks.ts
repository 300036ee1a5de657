import type { LedgerEvent } from '@ctwa-ledger/schemas/event.ts';
import { foldEvents } from '../lifecycle/fold.ts';
import type { MessageMark, Retraction, Rows } from '../lifecycle/marks.ts';
import type { Rulebook } from '../lifecycle/rulebook.ts';
import type { Database } from './database.ts';
import {
  ENTRY_MARK_COLUMNS,
  ENTRY_RETRACTION_COLUMNS,
  entryMarkLine,
  entryRetractionLine,
  LOST_REFERRAL_COLUMNS,
  lostReferralLine,
  MESSAGE_MARK_COLUMNS,
  MESSAGE_RETRACTION_COLUMNS,
  messageMarkLine,
  messageRetractionLine,
} from './mark-rows.ts';
import { newStamp } from './derived.ts';
import { CELL_SECONDS } from './summaries.ts';
import type { ThreadKey } from './threads.ts';

/** A message's mark for whoever follows the ledger, or that a row no longer stands. */
export type EmittedMark =
  | {
      readonly kind: 'mark';
      readonly mark: MessageMark;
      /** End of the free entry window that the message is in, Unix seconds; null outside one. */
      readonly window_expires_at: number | null;
      readonly version: string;
    }
  | { readonly kind: 'retraction'; readonly retraction: Retraction; readonly version: string };

/** Tells others of marks that the ledger has; resolves when they are safe there. May be told the same twice. */
export type Emitter = (marks: readonly EmittedMark[]) => Promise<void>;

/** Rows of one slice on their way into the ledger. */
export class Marks {
  readonly #emitter: Emitter | null;
  #emissions: EmittedMark[] = [];
  #messages: string[] = [];
  #entries: string[] = [];
  #retractedMessages: string[] = [];
  #retractedEntries: string[] = [];
  #lostReferrals: string[] = [];
  #folded: string[] = [];
  readonly #cells = new Map<string, Set<number>>();

  /** @param emitter null when nobody is told of marks */
  constructor(emitter: Emitter | null) {
    this.#emitter = emitter;
  }

  /** Folds threads whose events are all given; `keys` are marked as folded at this version. */
  fold(events: readonly LedgerEvent[], keys: readonly ThreadKey[], rulebook: Rulebook, epoch: bigint): void {
    const version = versionOf(epoch, events.length);
    const rows = foldEvents(events, rulebook);
    for (const message of rows.messages) this.#messages.push(messageMarkLine(message, version));
    for (const entry of rows.entries) this.#entries.push(entryMarkLine(entry, version));
    for (const retraction of rows.retracted_messages)
      this.#retractedMessages.push(messageRetractionLine(retraction, version));
    for (const retraction of rows.retracted_entries)
      this.#retractedEntries.push(entryRetractionLine(retraction, version));
    for (const lost of rows.lost_referrals) this.#lostReferrals.push(lostReferralLine(lost, version));
    for (const key of keys)
      this.#folded.push(`${JSON.stringify([key.phone_number_id, key.customer, key.nameless_id, version])}\n`);
    for (const event of events) this.#soil(event);
    if (this.#emitter !== null) this.#announce(rows, version);
  }

  #announce(rows: Rows, version: string): void {
    // First, so that whoever takes a row of no participant for the whole message still ends with the rows that stand.
    for (const retraction of rows.retracted_messages) this.#emissions.push({ kind: 'retraction', retraction, version });
    const windowEnds = new Map(rows.entries.map((entry) => [entry.entry_id, entry.window?.expires_at ?? null]));
    for (const mark of rows.messages)
      this.#emissions.push({
        kind: 'mark',
        mark,
        // The window's end as it is known now: a message decided earlier may have known another.
        window_expires_at: mark.window === null ? null : (windowEnds.get(mark.window.entry_id) ?? null),
        version,
      });
  }

  /**
   * Every time that a row of a thread has or ever had is the time of one of its events, so these are the cells that any
   * earlier version of its rows may have counted in.
   */
  #soil(event: LedgerEvent): void {
    // A copy with errors may have stood as a lost referral.
    if (event.event === 'message' && event.direction === 'inbound')
      if (event.referral_source_type === '' && event.errors === '') return;
    let cells = this.#cells.get(event.phone_number_id);
    if (cells === undefined) this.#cells.set(event.phone_number_id, (cells = new Set()));
    cells.add(event.timestamp - (event.timestamp % CELL_SECONDS));
  }

  /**
   * Marks first, then the cells they soil, then the threads as done: a crash in between repeats, never hides. Where
   * others are told, that comes before a thread is done, and a thread noted as emitted is one that is folded.
   */
  async write(database: Database): Promise<void> {
    await Promise.all([
      database.insertLines('message_marks', MESSAGE_MARK_COLUMNS, this.#messages.join('')),
      database.insertLines('entry_marks', ENTRY_MARK_COLUMNS, this.#entries.join('')),
      database.insertLines('message_marks', MESSAGE_RETRACTION_COLUMNS, this.#retractedMessages.join('')),
      database.insertLines('entry_marks', ENTRY_RETRACTION_COLUMNS, this.#retractedEntries.join('')),
      database.insertLines('lost_referrals', LOST_REFERRAL_COLUMNS, this.#lostReferrals.join('')),
    ]);
    const stamp = newStamp().toString();
    const cells: string[] = [];
    for (const [phone_number_id, times] of this.#cells)
      for (const at of times) cells.push(`${JSON.stringify([stamp, phone_number_id, at])}\n`);
    await Promise.all([
      database.insertLines('dirty_cells', ['stamp', 'phone_number_id', 'cell_at'], cells.join('')),
      this.#emitter?.(this.#emissions),
    ]);
    const done = this.#emitter === null ? 'folded_threads' : 'emitted_threads';
    await database.insertLines(done, ['phone_number_id', 'customer', 'nameless_id', 'version'], this.#folded.join(''));
  }
}

/**
 * The version of a mark: what was known, never a clock. Of two folds of the same threads the one that saw more events
 * has the higher one, because the set of events only grows.
 * @param events number of distinct event variants of the threads folded together
 */
export function versionOf(epoch: bigint, events: number): string {
  return ((epoch << 40n) + BigInt(events)).toString();
}
