import type { LedgerEvent } from '@ctwa-ledger/schemas/event.ts';
import { foldEvents } from '../lifecycle/fold.ts';
import type { MessageMark, Retraction, Rows } from '../lifecycle/marks.ts';
import type { Rulebook } from '../lifecycle/rulebook.ts';
import type { Database } from './database.ts';
import { encodeRows } from './columns/writer.ts';
import { newStamp } from './derived.ts';
import {
  DIRTY_CELL,
  EntryMarkRows,
  FoldedThreadRows,
  LostReferralRows,
  MessageMarkRows,
  type DirtyCell,
} from './mark-rows.ts';
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

/** Rows of some threads on their way into the ledger. */
export class Marks {
  readonly #emitter: Emitter | null;
  #emissions: EmittedMark[] = [];
  readonly #messages = new MessageMarkRows();
  readonly #entries = new EntryMarkRows();
  readonly #lostReferrals = new LostReferralRows();
  readonly #folded = new FoldedThreadRows();
  readonly #cells = new Map<string, Set<number>>();

  /** @param emitter null when nobody is told of marks */
  constructor(emitter: Emitter | null) {
    this.#emitter = emitter;
  }

  /** Rows of all tables so far. */
  get rows(): number {
    return this.#messages.rows + this.#entries.rows + this.#lostReferrals.rows + this.#folded.rows;
  }

  /** Of the texts that the rows hold. */
  get bytes(): number {
    return this.#messages.bytes + this.#entries.bytes + this.#lostReferrals.bytes + this.#folded.bytes;
  }

  /** Folds threads whose events are all given; `keys` are marked as folded at this version. */
  fold(events: readonly LedgerEvent[], keys: readonly ThreadKey[], rulebook: Rulebook, epoch: bigint): void {
    const version = versionOf(epoch, events.length);
    const number = BigInt(version);
    const rows = foldEvents(events, rulebook);
    for (const message of rows.messages) this.#messages.add(message, number);
    for (const entry of rows.entries) this.#entries.add(entry, number);
    for (const retraction of rows.retracted_messages) this.#messages.retract(retraction, number);
    for (const retraction of rows.retracted_entries) this.#entries.retract(retraction, number);
    for (const lost of rows.lost_referrals) this.#lostReferrals.add(lost, number);
    for (const key of keys) this.#folded.add(key, number);
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
  async write(database: Pick<Database, 'insertBlock'>): Promise<void> {
    await Promise.all([
      database.insertBlock('message_marks', this.#messages.encode()),
      database.insertBlock('entry_marks', this.#entries.encode()),
      database.insertBlock('lost_referrals', this.#lostReferrals.encode()),
    ]);
    await Promise.all([
      database.insertBlock('dirty_cells', encodeRows(DIRTY_CELL, this.#dirtyCells())),
      this.#emitter?.(this.#emissions),
    ]);
    const done = this.#emitter === null ? 'folded_threads' : 'emitted_threads';
    await database.insertBlock(done, this.#folded.encode());
  }

  *#dirtyCells(): Generator<DirtyCell> {
    const stamp = newStamp();
    for (const [phone_number_id, times] of this.#cells)
      for (const cell_at of times) yield { stamp, phone_number_id, cell_at };
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
