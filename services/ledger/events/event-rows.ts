import type { LedgerEvent, MessageEvent, StatusEvent } from '@ctwa-ledger/schemas/event.ts';
import type { Customer, MessageId, PhoneNumberId } from '@ctwa-ledger/schemas/ids.ts';
import type { Block, Cells } from '../../clickhouse/columns/reader.ts';
import { BlockWriter, type ComputedColumn, type EncodedBlock, type Field } from '../../clickhouse/columns/writer.ts';

/** How a field of an event is stored in the column of its name. */
type Column<Event> = Omit<Field<Event>, 'name'>;
type Columns<Event, Name extends PropertyKey> = Readonly<Record<Name, Column<Event>>>;

type SharedName = Exclude<keyof MessageEvent & keyof StatusEvent, 'event' | 'customer'>;
type NamesOf<Event> = Exclude<keyof Event, SharedName | 'event' | 'customer'>;

/**
 * One line for each field of an event: the columns that are written, read, selected and compared. The compiler refuses
 * a field that is left out. `event` and `customer` are the ledger's own names, not fields of Meta's.
 */
const SHARED_COLUMNS: Columns<LedgerEvent, SharedName> = {
  phone_number_id: { kind: 'repeats', of: (e) => e.phone_number_id },
  id: { kind: 'text', of: (e) => e.id },
  timestamp: { kind: 'seconds', of: (e) => e.timestamp },
  waba_id: { kind: 'repeats', of: (e) => e.waba_id },
  wa_id: { kind: 'text', of: (e) => e.wa_id },
  user_id: { kind: 'text', of: (e) => e.user_id },
  parent_user_id: { kind: 'text', of: (e) => e.parent_user_id },
  group_id: { kind: 'text', of: (e) => e.group_id },
  tag: { kind: 'text', of: (e) => e.tag },
  errors: { kind: 'text', of: (e) => e.errors },
};

const MESSAGE_COLUMNS: Columns<MessageEvent, NamesOf<MessageEvent>> = {
  direction: { kind: 'repeats', of: (m) => m.direction },
  type: { kind: 'repeats', of: (m) => m.type },
  identity_change: { kind: 'text', of: (m) => m.identity_change },
  device: { kind: 'repeats', of: (m) => m.device },
  origin: { kind: 'repeats', of: (m) => m.origin },
  context: { kind: 'text', of: (m) => m.context },
  sender: { kind: 'text', of: (m) => m.sender },
  referral_source_type: { kind: 'repeats', of: (m) => m.referral_source_type },
  referral_source_id: { kind: 'text', of: (m) => m.referral_source_id },
  referral_source_url: { kind: 'text', of: (m) => m.referral_source_url },
  referral_headline: { kind: 'text', of: (m) => m.referral_headline },
  referral_body: { kind: 'text', of: (m) => m.referral_body },
  referral_media_type: { kind: 'repeats', of: (m) => m.referral_media_type },
  referral_ctwa_clid: { kind: 'text', of: (m) => m.referral_ctwa_clid },
  template_name: { kind: 'repeats', of: (m) => m.template_name },
  template_language: { kind: 'repeats', of: (m) => m.template_language },
  template_category: { kind: 'repeats', of: (m) => m.template_category },
};

const STATUS_COLUMNS: Columns<StatusEvent, NamesOf<StatusEvent>> = {
  status: { kind: 'repeats', of: (s) => s.status },
  participant: { kind: 'text', of: (s) => s.participant },
  conversation_id: { kind: 'text', of: (s) => s.conversation_id },
  conversation_expiration: { kind: 'i64', of: (s) => s.conversation_expiration, absent: -1 },
  conversation_origin: { kind: 'repeats', of: (s) => s.conversation_origin },
  pricing_billable: { kind: 'i8', of: (s) => s.pricing_billable, absent: -1 },
  pricing_model: { kind: 'repeats', of: (s) => s.pricing_model },
  pricing_type: { kind: 'repeats', of: (s) => s.pricing_type },
  pricing_category: { kind: 'repeats', of: (s) => s.pricing_category },
};

function fieldsOf<Event, Name extends PropertyKey>(columns: Columns<Event, Name>): readonly Field<Event>[] {
  return Object.entries<Column<Event>>(columns).map(([name, column]) => ({ name, ...column }));
}

const SHARED: readonly Field<LedgerEvent>[] = [
  { name: 'kind', kind: 'kind', of: (e) => (e.event === 'message' ? 1 : 2) },
  ...fieldsOf(SHARED_COLUMNS),
];
const OF_MESSAGES = fieldsOf(MESSAGE_COLUMNS);
const OF_STATUSES = fieldsOf(STATUS_COLUMNS);

/**
 * What the column `variant` is made of, in the order of its default (sql/0047_identities.sql). An event without the fields
 * that were added later keeps the variant that it had before.
 */
const VARIANT = `wa_id, user_id, waba_id, direction, type, device, origin, context, sender,
  referral_source_type, referral_source_id, referral_source_url, referral_headline, referral_body,
  referral_media_type, referral_ctwa_clid, template_name, template_language, template_category,
  participant, conversation_id, conversation_expiration, conversation_origin,
  pricing_billable, pricing_model, pricing_type, pricing_category, errors`.split(/,\s*/);
const VARIANT_ADDED = [
  ['group_id', 'tag'],
  ['parent_user_id', 'identity_change'],
];

/** The value of a column that a block leaves out. */
const ABSENT: ReadonlyMap<string, string> = new Map(
  [...SHARED, ...OF_MESSAGES, ...OF_STATUSES].map(({ name, kind, absent = 0 }) => [
    name,
    kind === 'i64' ? `toInt64(${absent})` : kind === 'i8' ? `toInt8(${absent})` : "''",
  ]),
);

/**
 * `variant` as its default computes it. It is part of the statement, because for a default ClickHouse computes both
 * branches for every row, and hashes columns that are left out.
 */
function variantOf(columns: ReadonlySet<string>): ComputedColumn[] {
  const cell = (name: string): string => (columns.has(name) ? name : (ABSENT.get(name) ?? "''"));
  const names = [...VARIANT];
  const hash = (): string => `sipHash64(${names.map(cell).join(', ')})`;
  let sql = hash();
  for (const added of VARIANT_ADDED) {
    names.push(...added);
    const isWithout = added.filter((name) => columns.has(name)).map((name) => `${name} = ''`);
    if (isWithout.length > 0) sql = `if(${isWithout.join(' AND ')}, ${sql}, ${hash()})`;
  }
  return [{ name: 'variant', sql }];
}

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

  constructor() {
    this.#shared = this.#block.cells(SHARED);
    this.#message = this.#block.cells(OF_MESSAGES);
    this.#status = this.#block.cells(OF_STATUSES);
  }

  get events(): number {
    return this.#block.rows;
  }

  /** Bytes of the texts that are held. */
  get bytes(): number {
    return this.#block.bytes;
  }

  add(event: LedgerEvent): void {
    this.#shared(event);
    if (event.event === 'message') this.#message(event);
    else this.#status(event);
    this.#block.endRow();
  }

  /**
   * The block; the writer must not be used afterwards.
   * @param rank the landing rank that the rows carry
   */
  encode(rank: bigint): EncodedBlock {
    this.#block.fill({ name: 'landing_rank', kind: 'u64' }, rank);
    return this.#block.encode(variantOf);
  }
}

/** The columns that `EventCells` reads a stored event from. */
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
  /** Whether the block has the column `customer`; a block that was never stored has not. */
  readonly #hasCustomer: boolean;

  constructor(block: Block) {
    this.#kind = block.number('kind');
    this.#timestamp = block.number('timestamp');
    this.#pricingBillable = block.number('pricing_billable', -1);
    this.#text = textsOf(block);
    this.#hasCustomer = block.has('customer');
  }

  /** An event as it was landed. Written field by field: assigning the fields by name takes twice as long. */
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
        parent_user_id: text.parent_user_id.at(row),
        group_id,
        tag: text.tag.at(row),
        errors: text.errors.at(row),
        direction: text.direction.at(row) as MessageEvent['direction'],
        type: text.type.at(row),
        identity_change: text.identity_change.at(row),
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
      parent_user_id: text.parent_user_id.at(row),
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

type Texts = Readonly<Record<'customer' | SharedName | NamesOf<MessageEvent> | NamesOf<StatusEvent>, Cells<string>>>;

/** The columns of a block by the names of the fields; numbers of up to 32 bits are read apart. */
function textsOf(block: Block): Texts {
  const of = ({ name, absent }: Omit<Field<never>, 'of' | 'kind'>) =>
    [name, block.text(name, absent === undefined ? '' : String(absent))] as const;
  return Object.fromEntries([{ name: 'customer' }, ...SHARED, ...OF_MESSAGES, ...OF_STATUSES].map(of)) as Texts;
}

/** All events of some blocks. */
export function eventsOfBlocks(blocks: readonly Block[]): LedgerEvent[] {
  return blocks.flatMap((block) => {
    const cells = new EventCells(block);
    return Array.from({ length: block.rows }, (_, row) => cells.at(row));
  });
}
