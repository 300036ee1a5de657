import type { Rejection } from './event.ts';

type Fields = Record<string, unknown>;

/** What an envelope holds: contract.md-1 events, not yet validated, or why nothing can be taken from it. */
export type ExpandedEnvelope =
  | { readonly ok: true; readonly events: Record<string, unknown>[] }
  | { readonly ok: false; readonly rejection: Rejection };

/**
 * The webhook fields whose changes hold messages and statuses. Others are skipped by name and not by content, because
 * some reuse the member names: `calls` has `statuses` too, and those are not of messages.
 */
const MESSAGE_FIELDS = new Set(['messages', 'message_echoes', 'smb_message_echoes', 'standby']);
const CALL_FIELD = 'calls';

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Null, empty string and absent are the same (rules.md F2). */
function isMissing(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}

interface Contact {
  readonly wa_id: string;
  readonly user_id: string;
}

interface Contacts {
  readonly byWaId: ReadonlyMap<string, Contact>;
  readonly byUserId: ReadonlyMap<string, Contact>;
  /** The contact, where there is exactly one. */
  readonly only: Contact | undefined;
}

function readContacts(value: unknown): Contacts {
  const byWaId = new Map<string, Contact>();
  const byUserId = new Map<string, Contact>();
  let only: Contact | undefined;
  if (Array.isArray(value)) {
    for (const item of value as unknown[]) {
      if (!isObject(item)) continue;
      const { wa_id, user_id } = item;
      const contact = {
        wa_id: typeof wa_id === 'string' ? wa_id : '',
        user_id: typeof user_id === 'string' ? user_id : '',
      };
      if (contact.wa_id !== '') byWaId.set(contact.wa_id, contact);
      if (contact.user_id !== '') byUserId.set(contact.user_id, contact);
      only = value.length === 1 ? contact : undefined;
    }
  }
  return { byWaId, byUserId, only };
}

/** Whether both name the same field differently: then the contact is somebody else. */
function contradicts(named: unknown, known: string): boolean {
  return !isMissing(named) && known !== '' && named !== known;
}

function onlyContact(contacts: Contacts, waId: unknown, userId: unknown): Contact | undefined {
  const { only } = contacts;
  if (only === undefined || contradicts(waId, only.wa_id) || contradicts(userId, only.user_id)) return undefined;
  return only;
}

function matchingContact(contacts: Contacts, waId: unknown, userId: unknown): Contact | undefined {
  const byWaId = typeof waId === 'string' ? contacts.byWaId.get(waId) : undefined;
  const matching = byWaId ?? (typeof userId === 'string' ? contacts.byUserId.get(userId) : undefined);
  return matching ?? onlyContact(contacts, waId, userId);
}

/** Copies `value` under `name` as it came, so that what is wrong with it is found, and named, by `parseEvent`. */
function put(event: Fields, name: string, value: unknown): void {
  if (value !== undefined) event[name] = value;
}

function putCustomer(event: Fields, waId: unknown, userId: unknown, contact: Contact | undefined): void {
  put(event, 'wa_id', isMissing(waId) && contact !== undefined && contact.wa_id !== '' ? contact.wa_id : waId);
  put(
    event,
    'user_id',
    isMissing(userId) && contact !== undefined && contact.user_id !== '' ? contact.user_id : userId,
  );
}

interface Place {
  readonly waba_id: unknown;
  readonly phone_number_id: unknown;
  readonly contacts: Contacts;
  /** Position in the envelope, for the failing event of a broken part. */
  readonly path: string;
}

/** Stands for a part of the envelope that is no event at all. It has no `id`, so `parseEvent` refuses it. */
function brokenPart(path: string): Fields {
  return { event: 'message', direction: 'inbound', envelope_path: path };
}

function expandMessage(message: Fields, place: Place): Fields {
  const event: Fields = { event: 'message', direction: 'inbound' };
  put(event, 'waba_id', place.waba_id);
  put(event, 'phone_number_id', place.phone_number_id);
  let { from_user_id } = message;
  const { from, system } = message;
  const contact = matchingContact(place.contacts, from, from_user_id);
  // The notice of a changed user id names the user nowhere else. `from` of the older notice of a changed number is the
  // old number, so the old id comes first here too.
  if (isMissing(from) && isMissing(from_user_id) && contact === undefined && isObject(system))
    from_user_id = isMissing(system['previous_user_id']) ? system['user_id'] : system['previous_user_id'];
  putCustomer(event, from, from_user_id, contact);
  put(event, 'group_id', message['group_id']);
  put(event, 'id', message['id']);
  put(event, 'timestamp', message['timestamp']);
  put(event, 'type', message['type']);
  put(event, 'context', message['context']);
  put(event, 'referral', message['referral']);
  put(event, 'errors', message['errors']);
  return event;
}

/**
 * A customer's call, as an inbound message of type `call` (contract.md 1). Meta sends several notices of one call: those
 * of one change become one event, that of the earliest; those of different deliveries are copies (rules.md F2).
 */
function expandCalls(calls: readonly unknown[], place: Place): Fields[] {
  const earliest = new Map<unknown, Fields>();
  calls.forEach((call, i) => {
    if (!isObject(call)) {
      earliest.set(i, brokenPart(`${place.path}.calls[${i}]`));
      return;
    }
    if (call['direction'] !== 'USER_INITIATED') return;
    const known = earliest.get(call['id']);
    if (known !== undefined && !(Number(call['timestamp']) < Number(known['timestamp']))) return;
    const event: Fields = { event: 'message', direction: 'inbound' };
    put(event, 'waba_id', place.waba_id);
    put(event, 'phone_number_id', place.phone_number_id);
    const { from, from_user_id } = call;
    putCustomer(event, from, from_user_id, matchingContact(place.contacts, from, from_user_id));
    put(event, 'id', call['id']);
    put(event, 'timestamp', call['timestamp']);
    event['type'] = 'call';
    earliest.set(call['id'], event);
  });
  return [...earliest.values()];
}

function expandEcho(echo: Fields, place: Place): Fields {
  const event: Fields = { event: 'message', direction: 'outbound' };
  put(event, 'waba_id', place.waba_id);
  put(event, 'phone_number_id', place.phone_number_id);
  const { to, to_user_id } = echo;
  putCustomer(event, to, to_user_id, matchingContact(place.contacts, to, to_user_id));
  put(event, 'group_id', echo['group_id']);
  put(event, 'id', echo['id']);
  put(event, 'timestamp', echo['timestamp']);
  put(event, 'type', echo['type']);
  event['origin'] = 'app';
  put(event, 'context', echo['context']);
  return event;
}

/** @param isAlone whether it is the only status of its change */
function expandStatus(status: Fields, place: Place, isAlone: boolean): Fields {
  const event: Fields = { event: 'status' };
  put(event, 'waba_id', place.waba_id);
  put(event, 'phone_number_id', place.phone_number_id);
  const { recipient_id, recipient_user_id } = status;
  if (status['recipient_type'] === 'group') {
    // The thread of a group message is the group; a contact would be one of its members.
    put(event, 'group_id', recipient_id);
    const byPhone = status['recipient_participant_id'];
    put(event, 'participant', isMissing(byPhone) ? status['recipient_participant_user_id'] : byPhone);
  } else {
    // A failed status may name nobody, and brings no contact: among others, the only contact is theirs.
    const isNamed = !isMissing(recipient_id) || !isMissing(recipient_user_id);
    const contact = isNamed || isAlone ? onlyContact(place.contacts, recipient_id, recipient_user_id) : undefined;
    putCustomer(event, recipient_id, recipient_user_id, contact);
  }
  put(event, 'id', status['id']);
  put(event, 'status', status['status']);
  put(event, 'timestamp', status['timestamp']);
  put(event, 'conversation', status['conversation']);
  put(event, 'pricing', status['pricing']);
  put(event, 'tag', status['biz_opaque_callback_data']);
  put(event, 'errors', status['errors']);
  return event;
}

function expandList(
  events: Fields[],
  list: unknown,
  path: string,
  expand: (item: Fields, isAlone: boolean) => Fields | null,
): void {
  if (isMissing(list)) return;
  if (!Array.isArray(list)) {
    events.push(brokenPart(path));
    return;
  }
  for (let i = 0; i < list.length; i++) {
    const item: unknown = list[i];
    const event = isObject(item) ? expand(item, list.length === 1) : brokenPart(`${path}[${i}]`);
    if (event !== null) events.push(event);
  }
}

function expandChange(events: Fields[], change: unknown, wabaId: unknown, path: string): void {
  if (!isObject(change) || typeof change['field'] !== 'string') {
    events.push(brokenPart(path));
    return;
  }
  const { field, value } = change;
  if (!MESSAGE_FIELDS.has(field) && field !== CALL_FIELD) return;
  if (!isObject(value)) {
    events.push(brokenPart(`${path}.value`));
    return;
  }
  expandChangedValue(events, value, wabaId, `${path}.value`, field);
}

/** @param field null where nothing says it: then every list of the value is taken */
function expandChangedValue(
  events: Fields[],
  value: Fields,
  wabaId: unknown,
  path: string,
  field: string | null,
): void {
  const place: Place = {
    waba_id: wabaId,
    phone_number_id: numberOf(value),
    contacts: readContacts(value['contacts']),
    path,
  };
  if (field === null || field === CALL_FIELD) {
    const { calls } = value;
    if (Array.isArray(calls)) events.push(...expandCalls(calls, place));
    else if (!isMissing(calls)) events.push(brokenPart(`${path}.calls`));
  }
  if (field !== null && !MESSAGE_FIELDS.has(field)) return;
  expandList(events, value['messages'], `${path}.messages`, (item) => expandMessage(item, place));
  expandList(events, value['message_echoes'], `${path}.message_echoes`, (item) => expandEcho(item, place));
  expandList(events, value['statuses'], `${path}.statuses`, (item, isAlone) =>
    isMessageStatus(item) ? expandStatus(item, place, isAlone) : null,
  );
}

/** Payments have statuses in the same list; only those of messages are taken (contract.md 1). */
function isMessageStatus(status: Fields): boolean {
  return isMissing(status['type']) || status['type'] === 'message';
}

function numberOf(value: Fields): unknown {
  return isObject(value['metadata']) ? value['metadata']['phone_number_id'] : undefined;
}

function namesNumber(value: unknown): boolean {
  return isObject(value) && !isMissing(numberOf(value));
}

type EnvelopeForm = 'envelope' | 'entry' | 'value';

/**
 * Which part of Meta's webhook a value is meant as: the whole envelope, also when the rest of it is broken; one `entry`;
 * or the `value` of one change. Null: none of these.
 */
function formOf(value: Fields): EnvelopeForm | null {
  if (value['object'] === 'whatsapp_business_account') return 'envelope';
  if (value['event'] !== undefined || value['object'] !== undefined) return null;
  if (Array.isArray(value['changes'])) return 'entry';
  const lists = ['messages', 'statuses', 'message_echoes', 'calls'];
  return lists.some((list) => Array.isArray(value[list])) ? 'value' : null;
}

function expandEntry(events: Fields[], entry: unknown, path: string): void {
  const changes = isObject(entry) ? entry['changes'] : undefined;
  if (!isObject(entry) || !Array.isArray(changes)) {
    events.push(brokenPart(isObject(entry) ? `${path}.changes` : path));
    return;
  }
  changes.forEach((change: unknown, c) => expandChange(events, change, entry['id'], `${path}.changes[${c}]`));
}

function refused(message: string): ExpandedEnvelope {
  return { ok: false, rejection: { code: 'schema', message } };
}

/**
 * Takes Meta's webhook envelope, or one `entry` or `value` of it, apart into events of contract.md 1, in the order in
 * which they stand in it: per change calls, messages, message echoes, statuses. Only what the contract names is
 * copied; message text, media and contact names are not. Nothing is normalised or checked: each event goes through
 * `parseEvent` by itself.
 *
 * Something broken costs only itself: an item that lacks a field is passed on without it, and a part that is no object or
 * no list where one belongs becomes one event that `parseEvent` refuses, with its position in `envelope_path`.
 * @param value what `JSON.parse` gave
 * @returns the events, none for changes that hold no events; or the rejection of an envelope without a list `entry`, and
 * of a part alone that does not name its business number; null: the value is neither an envelope nor a part of one
 */
export function expandEnvelope(value: unknown): ExpandedEnvelope | null {
  if (!isObject(value)) return null;
  const events: Fields[] = [];
  switch (formOf(value)) {
    case null:
      return null;
    case 'envelope': {
      const { entry } = value;
      if (!Array.isArray(entry))
        return refused('field "entry" of the webhook envelope: expected a list. Send the body as Meta sent it.');
      entry.forEach((one: unknown, e) => expandEntry(events, one, `entry[${e}]`));
      return { ok: true, events };
    }
    case 'entry': {
      const { changes } = value;
      if (!Array.isArray(changes) || !changes.some((change) => isObject(change) && namesNumber(change['value'])))
        return refused(
          'This is one entry of a webhook envelope, and none of its changes names its number in "metadata.phone_number_id". Send the whole body as Meta sent it.',
        );
      expandEntry(events, value, 'entry');
      return { ok: true, events };
    }
    case 'value': {
      if (!namesNumber(value))
        return refused(
          'This is the "value" of one change of a webhook envelope, and it does not name its number in "metadata.phone_number_id". Send the whole body as Meta sent it.',
        );
      const { field } = value;
      expandChangedValue(events, value, undefined, 'value', typeof field === 'string' ? field : null);
      return { ok: true, events };
    }
  }
}
