/** Rule F2: what an event says once it is normalised. Copies are equal when their canonical JSON is. */

export type Fields = Record<string, unknown>;

const MESSAGE_FIELDS = [
  'event',
  'direction',
  'waba_id',
  'phone_number_id',
  'wa_id',
  'user_id',
  'parent_user_id',
  'system',
  'id',
  'timestamp',
  'type',
  'device',
  'context',
  'referral',
  'template',
  'origin',
  'sender',
  'tag',
  'group_id',
  'errors',
];
const REFERRAL_FIELDS = ['source_type', 'source_id', 'source_url', 'headline', 'body', 'media_type', 'ctwa_clid'];
const TEMPLATE_FIELDS = ['name', 'language', 'category'];
const STATUS_FIELDS = [
  'event',
  'waba_id',
  'phone_number_id',
  'wa_id',
  'user_id',
  'parent_user_id',
  'id',
  'status',
  'timestamp',
  'conversation',
  'pricing',
  'group_id',
  'participant',
  'tag',
  'errors',
];
const CONVERSATION_FIELDS = ['id', 'expiration_timestamp', 'origin'];
const ORIGIN_FIELDS = ['type'];
const PRICING_FIELDS = ['billable', 'pricing_model', 'type', 'category'];

function isAbsent(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0; // {} and []
}

/** The named fields of a JSON object that are not absent; every other field is dropped. */
function pick(value: unknown, names: readonly string[]): Fields {
  const picked: Fields = {};
  if (typeof value !== 'object' || value === null) return picked;
  const fields = value as Fields;
  for (const name of names) {
    if (!isAbsent(fields[name])) picked[name] = fields[name];
  }
  return picked;
}

/** Replaces one field, or drops it when what it became is absent. */
function put(fields: Fields, name: string, value: unknown): void {
  if (isAbsent(value)) delete fields[name];
  else fields[name] = value;
}

/** F2: what looks like a phone number becomes its digits; anything else stays as it is. */
function phoneNumber(name: string): string {
  return /^\+?[0-9\s().-]+$/.test(name) ? name.replace(/[^0-9]/g, '') : name;
}

/** F2 */
function isBusinessScopedId(name: string): boolean {
  return /^[A-Z]{2}\.[A-Za-z0-9.]+$/.test(name);
}

function seconds(value: unknown): number | undefined {
  return isAbsent(value) ? undefined : Number(value);
}

/** F2: a business-scoped id in the place of a phone number is the user id where none is given. */
function putNames(fields: Fields, phone: string, user: string): void {
  const waId = text(fields, phone);
  if (isBusinessScopedId(waId)) {
    if (fields[user] === undefined) fields[user] = waId;
    delete fields[phone];
  } else {
    put(fields, phone, phoneNumber(waId));
  }
}

/** F9: the names in a `system` message that a customer changed number or id; of any other nothing. */
function identityChange(system: unknown): Fields | undefined {
  const change = pick(system, [
    'type',
    'wa_id',
    'new_wa_id',
    'user_id',
    'parent_user_id',
    'previous_wa_id',
    'previous_user_id',
    'previous_parent_user_id',
  ]);
  for (const [name, value] of Object.entries(change)) if (typeof value !== 'string') delete change[name];
  if (change['type'] !== 'user_changed_number' && change['type'] !== 'user_changed_user_id') return undefined;
  delete change['type'];
  change['wa_id'] ??= change['new_wa_id'];
  delete change['new_wa_id'];
  putNames(change, 'wa_id', 'user_id');
  putNames(change, 'previous_wa_id', 'previous_user_id');
  return change;
}

function normalise(raw: unknown): Fields {
  const isStatus = (raw as Fields)['event'] === 'status';
  const fields = pick(raw, isStatus ? STATUS_FIELDS : MESSAGE_FIELDS);
  put(fields, 'timestamp', seconds(fields['timestamp']));
  putNames(fields, 'wa_id', 'user_id');
  if (typeof fields['parent_user_id'] !== 'string') delete fields['parent_user_id'];
  if (isStatus) {
    // contract.md 1: as `wa_id`, but a business-scoped id as it is.
    put(fields, 'participant', phoneNumber(text(fields, 'participant')));
    const conversation = pick(fields['conversation'], CONVERSATION_FIELDS);
    put(conversation, 'expiration_timestamp', seconds(conversation['expiration_timestamp']));
    put(conversation, 'origin', pick(conversation['origin'], ORIGIN_FIELDS));
    put(fields, 'conversation', conversation);
    put(fields, 'pricing', pick(fields['pricing'], PRICING_FIELDS));
  } else {
    put(fields, 'referral', pick(fields['referral'], REFERRAL_FIELDS));
    put(fields, 'template', pick(fields['template'], TEMPLATE_FIELDS));
    put(fields, 'system', text(fields, 'type') === 'system' ? identityChange(fields['system']) : undefined);
  }
  return fields;
}

/** Compares as UTF-8 bytes. */
export function bytewise(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8'));
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item)).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = value as Fields;
    const members = Object.keys(fields)
      .sort(bytewise)
      .map((key) => `${JSON.stringify(key)}:${canonical(fields[key])}`);
    return `{${members.join(',')}}`;
  }
  return JSON.stringify(value);
}

export function text(fields: Fields | undefined, name: string): string {
  const value = fields?.[name];
  return typeof value === 'string' ? value : '';
}

export function inside(fields: Fields, name: string): Fields {
  return (fields[name] ?? {}) as Fields;
}

/** contract.md 1: the `wa_id`, else the `user_id`. */
export function customerOf(fields: Fields): string {
  return text(fields, 'wa_id') || text(fields, 'user_id');
}

/** F5: always lower case with `_`. */
export function categoryName(written: string): string {
  return written.toLowerCase().replaceAll('-', '_');
}

/** F8: a category of groups behaves as the part after `group_`, in the policies and in the rates. */
export function categoryOutsideGroups(category: string): string {
  return /^group_(.+)$/.exec(category)?.[1] ?? category;
}

export interface Copy {
  readonly fields: Fields;
  readonly timestamp: number;
  readonly json: string;
}

/** Every event that is different once normalised, once. */
export function distinctCopies(events: readonly unknown[]): Copy[] {
  const byJson = new Map<string, Copy>();
  for (const raw of events) {
    const fields = normalise(raw);
    const json = canonical(fields);
    byJson.set(json, { fields, timestamp: fields['timestamp'] as number, json });
  }
  return [...byJson.values()];
}
