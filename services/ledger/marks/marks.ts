import type { LedgerEvent } from '@ctwa-ledger/schemas/event.ts';
import { foldEvents } from '../../lifecycle/fold.ts';
import type { MessageMark, Retraction, Rows } from '../../lifecycle/marks.ts';
import type { Rulebook } from '../../lifecycle/rulebook.ts';
import type { Database } from '../../clickhouse/database.ts';
import { encodeRows } from '../../clickhouse/columns/writer.ts';
import { changedRows, messageTime } from './changed-rows.ts';
import { newStamp } from '../../clickhouse/stamp.ts';
import {
  CustomerNameRows,
  DIRTY_CELL,
  EntryMarkRows,
  FoldedThreadRows,
  LeftCellRows,
  LostReferralRows,
  MessageMarkRows,
  type DirtyCell,
} from './mark-rows.ts';
import { CELL_SECONDS } from '../derived/summaries.ts';
import type { ThreadKey } from '../events/thread-key.ts';

/** A message's mark as subscribers get it, or the retraction of a row. */
export type EmittedMark =
  | {
      readonly kind: 'mark';
      readonly mark: MessageMark;
      /** End of the free entry window that the message is in, Unix seconds; null outside one. */
      readonly window_expires_at: number | null;
      readonly version: string;
    }
  | { readonly kind: 'retraction'; readonly retraction: Retraction; readonly version: string };

/**
 * Sends marks that the ledger has to subscribers; resolves when they are safe there. May be given the same mark twice.
 */
export type Emitter = (marks: readonly EmittedMark[]) => Promise<void>;

type MarkTables = Pick<Database, 'insertBlock'>;

/**
 * The epoch and rules that marks are derived under; read again after writing, because another process may change them.
 */
export interface Footing {
  readonly epoch: bigint;
  readonly rulebook: Rulebook;
}

/** Rows of some threads on their way into the ledger. */
export class Marks {
  readonly #emitter: Emitter | null;
  #emissions: EmittedMark[] = [];
  readonly #messages = new MessageMarkRows();
  readonly #leftCells = new LeftCellRows();
  readonly #entries = new EntryMarkRows();
  readonly #lostReferrals = new LostReferralRows();
  readonly #customerNames = new CustomerNameRows();
  readonly #folded = new FoldedThreadRows();
  readonly #tables = [
    this.#messages,
    this.#leftCells,
    this.#entries,
    this.#lostReferrals,
    this.#customerNames,
    this.#folded,
  ];
  readonly #cells = new Map<string, Set<number>>();

  /** @param emitter null when marks are not sent anywhere */
  constructor(emitter: Emitter | null) {
    this.#emitter = emitter;
  }

  /** Rows of all tables so far. */
  get rows(): number {
    return this.#tables.reduce((rows, table) => rows + table.rows, 0);
  }

  /** Bytes of the texts that the rows hold. */
  get bytes(): number {
    return this.#tables.reduce((bytes, table) => bytes + table.bytes, 0);
  }

  /** Folds threads whose events are all given; `keys` are marked as folded at this version. */
  fold(events: readonly LedgerEvent[], keys: readonly ThreadKey[], rulebook: Rulebook, epoch: bigint): void {
    const version = versionOf(epoch, events.length);
    const rows = foldEvents(events, rulebook);
    this.#put(rows, events, BigInt(version));
    for (const key of keys) this.#folded.add(key, BigInt(version));
    for (const event of events) this.#soilBy(event);
    if (this.#emitter !== null) this.#announce(rows, windowEnds(rows), version);
  }

  /**
   * The same for a thread whose marks the ledger has as they were without some of its events: rows that stay as they
   * are keep their lower version.
   * @param before the events without the new ones; under this rulebook and epoch their marks were written, and emitted
   */
  foldOn(
    before: readonly LedgerEvent[],
    events: readonly LedgerEvent[],
    key: ThreadKey,
    rulebook: Rulebook,
    epoch: bigint,
  ): void {
    const earlier = foldEvents(before, rulebook);
    const rows = foldEvents(events, rulebook);
    const changed = changedRows(earlier, rows);
    if (changed === null) {
      this.fold(events, [key], rulebook, epoch);
      return;
    }
    const [endsBefore, ends] = [windowEnds(earlier), windowEnds(rows)];
    const others = new Set<MessageMark>(changed.rows.messages);
    // A mark is emitted with the end of its window, which may move while the row stays; both carry one version.
    const messages = rows.messages.filter(
      (mark) => others.has(mark) || endOfWindow(mark, endsBefore) !== endOfWindow(mark, ends),
    );
    const version = versionOf(epoch, events.length);
    const written = { ...changed.rows, messages };
    this.#put(written, events, BigInt(version));
    this.#folded.add(key, BigInt(version));
    for (const time of changed.times) this.#soil(key.phone_number_id, time);
    if (this.#emitter !== null) this.#announce(written, ends, version);
  }

  #put(rows: Rows, events: readonly LedgerEvent[], version: bigint): void {
    const cells = cellsOfMessages(events);
    for (const message of rows.messages) {
      this.#messages.add(message, version);
      const stands = cellOf(messageTime(message));
      for (const cell_at of cells.get(message.message_id) ?? [])
        if (cell_at !== stands) this.#leftCells.add({ ...message, cell_at }, version);
    }
    for (const retraction of rows.retracted_messages) {
      this.#messages.retract(retraction, version);
      for (const cell_at of cells.get(retraction.id) ?? [])
        this.#leftCells.add({ ...retraction, message_id: retraction.id, cell_at }, version);
    }
    for (const entry of rows.entries) this.#entries.add(entry, version);
    for (const retraction of rows.retracted_entries) this.#entries.retract(retraction, version);
    for (const lost of rows.lost_referrals) this.#lostReferrals.add(lost, version);
    for (const name of rows.customer_names) this.#customerNames.add(name, version);
  }

  #announce(rows: Rows, ends: WindowEnds, version: string): void {
    // First: a reader that takes a row without participant for the whole message must still end with the current rows.
    for (const retraction of rows.retracted_messages) this.#emissions.push({ kind: 'retraction', retraction, version });
    for (const mark of rows.messages)
      this.#emissions.push({ kind: 'mark', mark, window_expires_at: endOfWindow(mark, ends), version });
  }

  /**
   * Every time that a row of a thread has or ever had is the time of one of its events, so these are the cells that any
   * earlier version of its rows may have counted in.
   */
  #soilBy(event: LedgerEvent): void {
    // A copy with errors may have counted as a lost referral.
    if (event.event === 'message' && event.direction === 'inbound')
      if (event.referral_source_type === '' && event.errors === '') return;
    this.#soil(event.phone_number_id, event.timestamp);
  }

  #soil(phone_number_id: string, time: number): void {
    let cells = this.#cells.get(phone_number_id);
    if (cells === undefined) this.#cells.set(phone_number_id, (cells = new Set()));
    cells.add(cellOf(time));
  }

  /**
   * Writes marks first, then the cells they make dirty, then the threads as done. A crash in between repeats work and
   * hides nothing. Marks are emitted before their threads are noted as done, so an emitted thread is a folded one.
   */
  async write(database: MarkTables): Promise<void> {
    await this.writeRows(database);
    await Promise.all([this.writeDirt(database), this.emit()]);
    await this.writeDone(database);
  }

  /** The first step of `write`: the marks. */
  async writeRows(database: MarkTables): Promise<void> {
    await Promise.all([
      database.insertBlock('message_marks', this.#messages.encode()),
      database.insertBlock('messages_by_time', this.#leftCells.encode()),
      database.insertBlock('entry_marks', this.#entries.encode()),
      database.insertBlock('lost_referrals', this.#lostReferrals.encode()),
      database.insertBlock('customer_names', this.#customerNames.encode()),
    ]);
  }

  /** The second step of `write`: the cells that the marks make dirty. */
  async writeDirt(database: MarkTables): Promise<void> {
    await database.insertBlock('dirty_cells', encodeRows(DIRTY_CELL, this.#dirtyCells()));
  }

  /** Beside the second step of `write`: emits the marks. */
  async emit(): Promise<void> {
    await this.#emitter?.(this.#emissions);
  }

  /** The last step of `write`: the threads as done. */
  async writeDone(database: MarkTables): Promise<void> {
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
 * End of each entry's free entry window as it is known now; a message that was decided earlier may have been in
 * another.
 */
type WindowEnds = ReadonlyMap<string, number>;

function windowEnds({ entries }: Rows): WindowEnds {
  return new Map(entries.flatMap(({ entry_id, window }) => (window === null ? [] : [[entry_id, window.expires_at]])));
}

function endOfWindow({ window }: MessageMark, ends: WindowEnds): number | null {
  return window === null ? null : (ends.get(window.entry_id) ?? null);
}

function cellOf(time: number): number {
  return time - (time % CELL_SECONDS);
}

/** The quarter hours that a message may count in, now or before: those of its events. */
function cellsOfMessages(events: readonly LedgerEvent[]): Map<string, number[]> {
  const cells = new Map<string, number[]>();
  for (const { id, timestamp } of events) {
    const cell = cellOf(timestamp);
    const known = cells.get(id);
    if (known === undefined) cells.set(id, [cell]);
    else if (!known.includes(cell)) known.push(cell);
  }
  return cells;
}

/**
 * The version of a mark: the number of events that were known, never a clock. Of two folds of the same threads, the one
 * that saw more events has the higher version, because the set of events only grows.
 * @param events number of distinct event variants of the threads folded together
 */
export function versionOf(epoch: bigint, events: number): string {
  return ((epoch << 40n) + BigInt(events)).toString();
}
