import type { LedgerEvent, MessageEvent, StatusEvent } from '@ctwa-ledger/schemas/event.ts';
import type { Customer, MessageId, PhoneNumberId } from '@ctwa-ledger/schemas/ids.ts';
import type { Block, Cells } from './columns/reader.ts';
import { BlockWriter, type EncodedBlock, type Field } from './columns/writer.ts';

const SHARED: readonly Field<LedgerEvent>[] = [
  { name: 'kind', kind: 'kind', of: (e) => (e.event === 'message' ? 1 : 2) },
  { name: 'phone_number_id', kind: 'repeats', of: (e) => e.phone_number_id },
  { name: 'id', kind: 'text', of: (e) => e.id },
  { name: 'timestamp', kind: 'seconds', of: (e) => e.timestamp },
  { name: 'waba_id', kind: 'repeats', of: (e) => e.waba_id },
  { name: 'wa_id', kind: 'text', of: (e) => e.wa_id },
  { name: 'user_id', kind: 'text', of: (e) => e.user_id },
  { name: 'group_id', kind: 'text', of: (e) => e.group_id },
  { name: 'tag', kind: 'text', of: (e) => e.tag },
  { name: 'errors', kind: 'text', of: (e) => e.errors },
];

const OF_MESSAGES: readonly Field<MessageEvent>[] = [
  { name: 'direction', kind: 'repeats', of: (m) => m.direction },
  { name: 'type', kind: 'repeats', of: (m) => m.type },
  { name: 'device', kind: 'repeats', of: (m) => m.device },
  { name: 'origin', kind: 'repeats', of: (m) => m.origin },
  { name: 'context', kind: 'text', of: (m) => m.context },
  { name: 'sender', kind: 'text', of: (m) => m.sender },
  { name: 'referral_source_type', kind: 'repeats', of: (m) => m.referral_source_type },
  { name: 'referral_source_id', kind: 'text', of: (m) => m.referral_source_id },
  { name: 'referral_source_url', kind: 'text', of: (m) => m.referral_source_url },
  { name: 'referral_headline', kind: 'text', of: (m) => m.referral_headline },
  { name: 'referral_body', kind: 'text', of: (m) => m.referral_body },
  { name: 'referral_media_type', kind: 'repeats', of: (m) => m.referral_media_type },
  { name: 'referral_ctwa_clid', kind: 'text', of: (m) => m.referral_ctwa_clid },
  { name: 'template_name', kind: 'repeats', of: (m) => m.template_name },
  { name: 'template_language', kind: 'repeats', of: (m) => m.template_language },
  { name: 'template_category', kind: 'repeats', of: (m) => m.template_category },
];

const OF_STATUSES: readonly Field<StatusEvent>[] = [
  { name: 'status', kind: 'repeats', of: (s) => s.status },
  { name: 'participant', kind: 'text', of: (s) => s.participant },
  { name: 'conversation_id', kind: 'text', of: (s) => s.conversation_id },
  { name: 'conversation_expiration', kind: 'i64', of: (s) => s.conversation_expiration, absent: -1 },
  { name: 'conversation_origin', kind: 'repeats', of: (s) => s.conversation_origin },
  { name: 'pricing_billable', kind: 'i8', of: (s) => s.pricing_billable, absent: -1 },
  { name: 'pricing_model', kind: 'repeats', of: (s) => s.pricing_model },
  { name: 'pricing_type', kind: 'repeats', of: (s) => s.pricing_type },
  { name: 'pricing_category', kind: 'repeats', of: (s) => s.pricing_category },
];

/** Whether two events of one thread are one row of `events`: all that it keeps of them is the same. */
export function isSameEvent(a: LedgerEvent, b: LedgerEvent): boolean {
  if (a.timestamp !== b.timestamp || a.id !== b.id || SHARED.some(({ of }) => of(a) !== of(b))) return false;
  if (a.event === 'message') return b.event === 'message' && OF_MESSAGES.every(({ of }) => of(a) === of(b));
  return b.event === 'status' && OF_STATUSES.every(({ of }) => of(a) === of(b));
}

/** Events on their way into `events`, in one insert. */
export class EventsWriter {
  readonly #block = new BlockWriter();
  readonly #shared: (event: LedgerEvent) => void;
  readonly #message: (event: MessageEvent) => void;
  readonly #status: (event: StatusEvent) => void;

  /** @param rank the landing rank that the rows carry */
  constructor(rank: bigint) {
    this.#shared = this.#block.cells<LedgerEvent>([{ name: 'landing_rank', kind: 'u64', of: () => rank }, ...SHARED]);
    this.#message = this.#block.cells(OF_MESSAGES);
    this.#status = this.#block.cells(OF_STATUSES);
  }

  get events(): number {
    return this.#block.rows;
  }

  /** Of the texts that are held. */
  get bytes(): number {
    return this.#block.bytes;
  }

  add(event: LedgerEvent): void {
    this.#shared(event);
    if (event.event === 'message') this.#message(event);
    else this.#status(event);
    this.#block.endRow();
  }

  /** The block; the writer must not be used afterwards. */
  encode(): EncodedBlock {
    return this.#block.encode();
  }
}

/** What a stored event is read back with, for `EventCells`. */
export const EVENT_SELECTION = [
  'customer',
  ...[...SHARED, ...OF_MESSAGES, ...OF_STATUSES].map(({ name }) => name),
].join(', ');

/** The events of a block, whose columns are named as those of `events`. */
export class EventCells {
  readonly #kind: Cells<number>;
  readonly #timestamp: Cells<number>;
  readonly #pricingBillable: Cells<number>;
  readonly #text: ReturnType<typeof textsOf>;
  /** Whether the block says what the customer is; a block that was never stored does not. */
  readonly #hasCustomer: boolean;

  constructor(block: Block) {
    this.#kind = block.number('kind');
    this.#timestamp = block.number('timestamp');
    this.#pricingBillable = block.number('pricing_billable', -1);
    this.#text = textsOf(block);
    this.#hasCustomer = block.has('customer');
  }

  /** An event as it was landed. */
  at(row: number): LedgerEvent {
    const text = this.#text;
    const wa_id = text.wa_id.at(row);
    const user_id = text.user_id.at(row);
    const group_id = text.group_id.at(row);
    const named = group_id !== '' ? group_id : wa_id !== '' ? wa_id : user_id;
    const customer = (this.#hasCustomer ? text.customer.at(row) : named) as Customer;
    const phone_number_id = text.phone_number_id.at(row) as PhoneNumberId;
    const id = text.id.at(row) as MessageId;
    if (this.#kind.at(row) === 1)
      return {
        event: 'message',
        phone_number_id,
        customer,
        id,
        timestamp: this.#timestamp.at(row),
        waba_id: text.waba_id.at(row),
        wa_id,
        user_id,
        group_id,
        tag: text.tag.at(row),
        errors: text.errors.at(row),
        direction: text.direction.at(row) as MessageEvent['direction'],
        type: text.type.at(row),
        device: text.device.at(row),
        origin: text.origin.at(row),
        context: text.context.at(row),
        sender: text.sender.at(row),
        referral_source_type: text.referral_source_type.at(row),
        referral_source_id: text.referral_source_id.at(row),
        referral_source_url: text.referral_source_url.at(row),
        referral_headline: text.referral_headline.at(row),
        referral_body: text.referral_body.at(row),
        referral_media_type: text.referral_media_type.at(row),
        referral_ctwa_clid: text.referral_ctwa_clid.at(row),
        template_name: text.template_name.at(row),
        template_language: text.template_language.at(row),
        template_category: text.template_category.at(row),
      };
    return {
      event: 'status',
      phone_number_id,
      customer,
      id,
      timestamp: this.#timestamp.at(row),
      waba_id: text.waba_id.at(row),
      wa_id,
      user_id,
      group_id,
      tag: text.tag.at(row),
      errors: text.errors.at(row),
      status: text.status.at(row),
      participant: text.participant.at(row),
      conversation_id: text.conversation_id.at(row),
      conversation_expiration: Number(text.conversation_expiration.at(row)),
      conversation_origin: text.conversation_origin.at(row),
      pricing_billable: this.#pricingBillable.at(row) as StatusEvent['pricing_billable'],
      pricing_model: text.pricing_model.at(row),
      pricing_type: text.pricing_type.at(row),
      pricing_category: text.pricing_category.at(row),
    };
  }
}

function textsOf(block: Block) {
  return {
    phone_number_id: block.text('phone_number_id'),
    customer: block.text('customer'),
    id: block.text('id'),
    waba_id: block.text('waba_id'),
    wa_id: block.text('wa_id'),
    user_id: block.text('user_id'),
    group_id: block.text('group_id'),
    tag: block.text('tag'),
    errors: block.text('errors'),
    direction: block.text('direction'),
    type: block.text('type'),
    device: block.text('device'),
    origin: block.text('origin'),
    context: block.text('context'),
    sender: block.text('sender'),
    referral_source_type: block.text('referral_source_type'),
    referral_source_id: block.text('referral_source_id'),
    referral_source_url: block.text('referral_source_url'),
    referral_headline: block.text('referral_headline'),
    referral_body: block.text('referral_body'),
    referral_media_type: block.text('referral_media_type'),
    referral_ctwa_clid: block.text('referral_ctwa_clid'),
    template_name: block.text('template_name'),
    template_language: block.text('template_language'),
    template_category: block.text('template_category'),
    status: block.text('status'),
    participant: block.text('participant'),
    conversation_id: block.text('conversation_id'),
    conversation_expiration: block.text('conversation_expiration', '-1'),
    conversation_origin: block.text('conversation_origin'),
    pricing_model: block.text('pricing_model'),
    pricing_type: block.text('pricing_type'),
    pricing_category: block.text('pricing_category'),
  };
}

/** All events of some blocks. */
export function eventsOfBlocks(blocks: readonly Block[]): LedgerEvent[] {
  return blocks.flatMap((block) => {
    const cells = new EventCells(block);
    return Array.from({ length: block.rows }, (_, row) => cells.at(row));
  });
}
