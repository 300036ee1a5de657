import type { CustomerName, EntryMark, LostReferral, MessageMark, Retraction } from '../../lifecycle/marks.ts';
import { BlockWriter, type EncodedBlock, type Field } from '../../clickhouse/columns/writer.ts';
import type { ThreadKey } from '../events/thread-key.ts';

const VERSION: readonly Field<bigint>[] = [{ name: 'version', kind: 'u64', of: (version) => version }];

export const OF_MESSAGE: readonly Field<MessageMark>[] = [
  { name: 'phone_number_id', kind: 'repeats', of: (m) => m.phone_number_id },
  { name: 'message_id', kind: 'text', of: (m) => m.message_id },
  { name: 'customer', kind: 'text', of: (m) => m.customer },
  { name: 'recipient', kind: 'text', of: (m) => m.recipient },
  { name: 'waba_id', kind: 'repeats', of: (m) => m.waba_id },
  { name: 'sent_at', kind: 'seconds', of: (m) => m.sent_at },
  { name: 'delivered_at', kind: 'seconds or null', of: (m) => m.delivered_at },
  { name: 'type', kind: 'repeats', of: (m) => m.type },
  { name: 'template_name', kind: 'repeats', of: (m) => m.template_name },
  { name: 'category', kind: 'repeats', of: (m) => m.category },
  { name: 'is_template', kind: 'u8', of: (m) => bit(m.is_template) },
  { name: 'is_echo', kind: 'u8', of: (m) => bit(m.is_echo) },
  { name: 'policy', kind: 'repeats', of: (m) => m.policy ?? '' },
  { name: 'predicted', kind: 'repeats', of: (m) => m.predicted },
  { name: 'reported', kind: 'repeats', of: (m) => m.report?.mark ?? '' },
  { name: 'reported_category', kind: 'repeats', of: (m) => m.report?.category ?? '' },
  { name: 'billing', kind: 'repeats', of: (m) => m.billing },
  { name: 'is_mismatch', kind: 'u8', of: (m) => bit(m.is_mismatch) },
  { name: 'is_allowance_difference', kind: 'u8', of: (m) => bit(m.is_allowance_difference) },
  { name: 'without_free_entry', kind: 'repeats', of: (m) => m.without_free_entry },
  { name: 'conversation_id', kind: 'text', of: (m) => m.window?.entry_id ?? '' },
  { name: 'ad_id', kind: 'repeats', of: (m) => m.window?.ad_id ?? '' },
  { name: 'source_type', kind: 'repeats', of: (m) => m.window?.source_type ?? '' },
  { name: 'rule', kind: 'repeats', of: (m) => m.rule },
  { name: 'odd_reports', kind: 'u16', of: (m) => m.odd_reports },
  { name: 'participant', kind: 'text', of: (m) => m.participant },
  { name: 'dialled_customer', kind: 'text', of: (m) => m.dialled_customer },
  { name: 'tag', kind: 'text', of: (m) => m.tag },
  { name: 'is_failed', kind: 'u8', of: (m) => bit(m.failure !== null) },
  { name: 'error_code', kind: 'repeats', of: (m) => m.failure?.code ?? '' },
  { name: 'error_title', kind: 'text', of: (m) => m.failure?.title ?? '' },
  { name: 'circumstance', kind: 'repeats', of: (m) => m.circumstance },
  { name: 'reported_window_id', kind: 'text', of: (m) => m.reported_window?.id ?? '' },
  { name: 'opens_reported_window', kind: 'u8', of: (m) => bit(m.reported_window?.is_first ?? false) },
  { name: 'reported_window_expires_at', kind: 'seconds or null', of: (m) => m.reported_window?.expires_at ?? null },
];

export const OF_ENTRY: readonly Field<EntryMark>[] = [
  { name: 'phone_number_id', kind: 'repeats', of: (e) => e.phone_number_id },
  { name: 'entry_id', kind: 'text', of: (e) => e.entry_id },
  { name: 'customer', kind: 'text', of: (e) => e.customer },
  { name: 'entry_at', kind: 'seconds', of: (e) => e.entry_at },
  { name: 'source_type', kind: 'repeats', of: (e) => e.source_type },
  { name: 'ad_id', kind: 'repeats', of: (e) => e.ad_id },
  { name: 'source_url', kind: 'text', of: (e) => e.source_url },
  { name: 'ctwa_clid', kind: 'text', of: (e) => e.ctwa_clid },
  { name: 'headline', kind: 'text', of: (e) => e.headline },
  { name: 'reply_message_id', kind: 'text', of: (e) => e.reply?.message_id ?? '' },
  { name: 'replied_at', kind: 'seconds or null', of: (e) => e.reply?.sent_at ?? null },
  { name: 'opened_at', kind: 'seconds or null', of: (e) => e.window?.opened_at ?? null },
  { name: 'expires_at', kind: 'seconds or null', of: (e) => e.window?.expires_at ?? null },
  { name: 'free_messages', kind: 'u32', of: (e) => e.window?.free_messages ?? 0 },
  { name: 'is_confirmed', kind: 'u8', of: (e) => bit(e.window?.is_confirmed ?? false) },
  { name: 'is_reported', kind: 'u8', of: (e) => bit(e.window?.is_reported ?? false) },
  { name: 'ad_conversation_id', kind: 'text', of: (e) => e.ad_conversation_id },
  { name: 'starts_conversation', kind: 'u8', of: (e) => bit(e.ad_conversation !== null) },
  { name: 'conversation_last_entry_at', kind: 'seconds or null', of: (e) => e.ad_conversation?.last_entry_at ?? null },
  { name: 'conversation_is_replied', kind: 'u8', of: (e) => bit(e.ad_conversation?.is_replied ?? false) },
  {
    name: 'conversation_seconds_to_reply',
    kind: 'i64 or null',
    of: (e) => e.ad_conversation?.seconds_to_reply ?? null,
  },
];

/**
 * The row of a retraction, of any table: its version is higher than that of any row of fewer events, so it replaces
 * them.
 */
const OF_RETRACTION: readonly Field<Retraction>[] = [
  { name: 'phone_number_id', kind: 'repeats', of: (r) => r.phone_number_id },
  { name: 'is_retracted', kind: 'u8', of: () => 1 },
  { name: 'customer', kind: 'text', of: (r) => r.customer },
];

const OF_MESSAGE_RETRACTION: readonly Field<Retraction>[] = [
  ...OF_RETRACTION,
  { name: 'message_id', kind: 'text', of: (r) => r.id },
  { name: 'participant', kind: 'text', of: (r) => r.participant },
];

const OF_ENTRY_RETRACTION: readonly Field<Retraction>[] = [
  ...OF_RETRACTION,
  { name: 'entry_id', kind: 'text', of: (r) => r.id },
];

export const OF_LOST_REFERRAL: readonly Field<LostReferral>[] = [
  { name: 'phone_number_id', kind: 'repeats', of: (l) => l.phone_number_id },
  { name: 'message_id', kind: 'text', of: (l) => l.message_id },
  { name: 'is_retracted', kind: 'u8', of: (l) => bit(!l.is_lost) },
  { name: 'customer', kind: 'text', of: (l) => l.customer },
  { name: 'written_at', kind: 'seconds', of: (l) => l.written_at },
];

export const OF_CUSTOMER_NAME: readonly Field<CustomerName>[] = [
  { name: 'phone_number_id', kind: 'repeats', of: (n) => n.phone_number_id },
  { name: 'name', kind: 'text', of: (n) => n.name },
  { name: 'customer', kind: 'text', of: (n) => n.customer },
];

const OF_THREAD: readonly Field<ThreadKey>[] = [
  { name: 'phone_number_id', kind: 'repeats', of: (t) => t.phone_number_id },
  { name: 'customer', kind: 'text', of: (t) => t.customer },
  { name: 'nameless_id', kind: 'text', of: (t) => t.nameless_id },
];

function isSame<Row>(fields: readonly Field<Row>[]): (a: Row, b: Row) => boolean {
  return (a, b) => fields.every(({ of }) => of(a) === of(b));
}

/** Whether two rows of one message are equal but for their version. */
export const isSameMessage = isSame(OF_MESSAGE);
/** Whether two rows of one entry are equal but for their version. */
export const isSameEntry = isSame(OF_ENTRY);
export const isSameLostReferral = isSame(OF_LOST_REFERRAL);
export const isSameCustomerName = isSame(OF_CUSTOMER_NAME);

/** A quarter hour that a message no longer counts in, but may have counted in before. */
interface LeftCell {
  readonly phone_number_id: string;
  readonly message_id: string;
  readonly participant: string;
  /** Unix seconds. */
  readonly cell_at: number;
}

const OF_LEFT_CELL: readonly Field<LeftCell>[] = [
  { name: 'phone_number_id', kind: 'repeats', of: (l) => l.phone_number_id },
  { name: 'cell_at', kind: 'seconds', of: (l) => l.cell_at },
  { name: 'message_id', kind: 'text', of: (l) => l.message_id },
  { name: 'participant', kind: 'text', of: (l) => l.participant },
  { name: 'is_gone', kind: 'u8', of: () => 1 },
];

/** A quarter hour of a number whose summary is to be recomputed. */
export interface DirtyCell {
  readonly stamp: bigint;
  readonly phone_number_id: string;
  /** Unix seconds. */
  readonly cell_at: number;
}

export const DIRTY_CELL: readonly Field<DirtyCell>[] = [
  { name: 'stamp', kind: 'u64', of: (c) => c.stamp },
  { name: 'phone_number_id', kind: 'repeats', of: (c) => c.phone_number_id },
  { name: 'cell_at', kind: 'seconds', of: (c) => c.cell_at },
];

function bit(value: boolean): 0 | 1 {
  return value ? 1 : 0;
}

/** Rows of one table, each with its version. */
class VersionedRows {
  readonly #block = new BlockWriter();
  readonly #version = this.#block.cells(VERSION);

  get rows(): number {
    return this.#block.rows;
  }

  get bytes(): number {
    return this.#block.bytes;
  }

  /** Returns the function that adds rows with these columns. */
  adds<Row>(fields: readonly Field<Row>[]): (row: Row, version: bigint) => void {
    const put = this.#block.cells(fields);
    return (row, version) => {
      this.#version(version);
      put(row);
      this.#block.endRow();
    };
  }

  /** The block; no more rows may be added. */
  encode(): EncodedBlock {
    return this.#block.encode();
  }
}

/** Rows of `message_marks`. */
export class MessageMarkRows extends VersionedRows {
  readonly add = this.adds(OF_MESSAGE);
  readonly retract = this.adds(OF_MESSAGE_RETRACTION);
}

/** Rows of `messages_by_time` for messages that left a cell; a view of the marks adds those of messages in a cell. */
export class LeftCellRows extends VersionedRows {
  readonly add = this.adds(OF_LEFT_CELL);
}

/** Rows of `entry_marks`. */
export class EntryMarkRows extends VersionedRows {
  readonly add = this.adds(OF_ENTRY);
  readonly retract = this.adds(OF_ENTRY_RETRACTION);
}

/** Rows of `lost_referrals`. */
export class LostReferralRows extends VersionedRows {
  readonly add = this.adds(OF_LOST_REFERRAL);
}

/** Rows of `customer_names`. */
export class CustomerNameRows extends VersionedRows {
  readonly add = this.adds(OF_CUSTOMER_NAME);
}

/** Rows of `folded_threads` or `emitted_threads`. */
export class FoldedThreadRows extends VersionedRows {
  readonly add = this.adds(OF_THREAD);
}
