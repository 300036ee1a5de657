import { AUTOMATIC_EVENT_TYPE, isBusinessScopedId, PREFERENCE_TYPE, type Rejection } from './event.ts';
import { isObject } from './json.ts';

type Fields = Record<string, unknown>;

/** The content of an envelope: events of contract.md 1, not yet validated, and one rejection for each broken part. */
export interface ExpandedEnvelope {
  readonly events: Fields[];
  readonly rejections: Rejection[];
}

/**
 * The webhook fields whose changes hold messages and statuses. Other fields are skipped by name and not by content,
 * because some use the same member names: `calls` has `statuses` too, which are not those of messages.
 */
const MESSAGE_FIELDS = new Set(['messages', 'message_echoes', 'smb_message_echoes', 'standby']);
const CALL_FIELD = 'calls';
const PREFERENCE_FIELD = 'user_preferences';
const AUTOMATIC_EVENT_FIELD = 'automatic_events';
/** Fields that hold one list of their own. */
const OWN_FIELDS = new Set([CALL_FIELD, PREFERENCE_FIELD, AUTOMATIC_EVENT_FIELD]);

/** Null, empty string and absent are the same (rules.md F2). */
function isMissing(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}

interface Contact {
  readonly wa_id: string;
  readonly user_id: string;
  readonly parent_user_id: string;
}

interface Names {
  readonly waId: unknown;
  readonly userId: unknown;
  readonly parentId: unknown;
}

/** The names of a customer in a part. A business-scoped id in the phone field is the user id (rules.md F2). */
function namesOf(phone: unknown, userId: unknown, parentId: unknown): Names {
  if (typeof phone !== 'string' || !isBusinessScopedId(phone)) return { waId: phone, userId, parentId };
  return { waId: undefined, userId: isMissing(userId) ? phone : userId, parentId };
}

function isNamed({ waId, userId }: Names): boolean {
  return !isMissing(waId) || !isMissing(userId);
}

interface Contacts {
  readonly byWaId: ReadonlyMap<string, Contact>;
  readonly byUserId: ReadonlyMap<string, Contact>;
  /** The contact, if there is exactly one. */
  readonly only: Contact | undefined;
}

function readContacts(value: unknown): Contacts {
  const byWaId = new Map<string, Contact>();
  const byUserId = new Map<string, Contact>();
  let only: Contact | undefined;
  if (Array.isArray(value)) {
    for (const item of value as unknown[]) {
      if (!isObject(item)) continue;
      const { waId, userId, parentId } = namesOf(item['wa_id'], item['user_id'], item['parent_user_id']);
      const contact = {
        wa_id: typeof waId === 'string' ? waId : '',
        user_id: typeof userId === 'string' ? userId : '',
        parent_user_id: typeof parentId === 'string' ? parentId : '',
      };
      if (contact.wa_id !== '') byWaId.set(contact.wa_id, contact);
      if (contact.user_id !== '') byUserId.set(contact.user_id, contact);
      only = value.length === 1 ? contact : undefined;
    }
  }
  return { byWaId, byUserId, only };
}

/** Whether both give the same field different values: then the contact is somebody else. */
function contradicts(named: unknown, known: string): boolean {
  return !isMissing(named) && known !== '' && named !== known;
}

/**
 * The only contact, unless it is somebody else. To a part that is named itself it may add names, and so say that they
 * are one person's (rules.md F9): of several parts only to one that shares a name with it.
 */
function onlyContact({ only }: Contacts, names: Names, isAlone: boolean): Contact | undefined {
  const { waId, userId } = names;
  if (only === undefined || contradicts(waId, only.wa_id) || contradicts(userId, only.user_id)) return undefined;
  const isShared = (!isMissing(waId) && waId === only.wa_id) || (!isMissing(userId) && userId === only.user_id);
  return isAlone || isShared || !isNamed(names) ? only : undefined;
}

function matchingContact(contacts: Contacts, names: Names, isAlone: boolean): Contact | undefined {
  const { waId, userId } = names;
  const byWaId = typeof waId === 'string' ? contacts.byWaId.get(waId) : undefined;
  const matching = byWaId ?? (typeof userId === 'string' ? contacts.byUserId.get(userId) : undefined);
  return matching ?? onlyContact(contacts, names, isAlone);
}

/** Copies `value` under `name` unchanged, so that `parseEvent` finds and names what is wrong with it. */
function put(event: Fields, name: string, value: unknown): void {
  if (value !== undefined) event[name] = value;
}

function putCustomer(event: Fields, { waId, userId, parentId }: Names, contact: Contact | undefined): void {
  const named = (given: unknown, known = ''): unknown => (isMissing(given) && known !== '' ? known : given);
  put(event, 'wa_id', named(waId, contact?.wa_id));
  put(event, 'user_id', named(userId, contact?.user_id));
  put(event, 'parent_user_id', named(parentId, contact?.parent_user_id));
}

interface Place {
  readonly waba_id: unknown;
  readonly phone_number_id: unknown;
  readonly contacts: Contacts;
}

function rejectPart(into: ExpandedEnvelope, path: string, expected: string): void {
  const message = `${path} of the webhook envelope: expected ${expected}. Send the body as Meta sent it.`;
  into.rejections.push({ code: 'schema', message });
}

/** The fields of `system` with names of a customer (rules.md F9); its text is not kept. */
const SYSTEM_FIELDS = ['type', 'wa_id', 'new_wa_id', 'user_id', 'parent_user_id'];
const PREVIOUS_FIELDS = ['previous_wa_id', 'previous_user_id', 'previous_parent_user_id'];

function namesIn(system: Fields): Fields {
  const kept: Fields = {};
  for (const name of [...SYSTEM_FIELDS, ...PREVIOUS_FIELDS]) put(kept, name, system[name]);
  return kept;
}

function expandMessage(message: Fields, place: Place, isAlone: boolean): Fields {
  const event: Fields = { event: 'message', direction: 'inbound' };
  put(event, 'waba_id', place.waba_id);
  put(event, 'phone_number_id', place.phone_number_id);
  let names = namesOf(message['from'], message['from_user_id'], message['from_parent_user_id']);
  const contact = matchingContact(place.contacts, names, isAlone);
  const { system } = message;
  // The notice of a changed user id has the user in this place only. In the older notice of a changed number `from` is
  // the old number, so the old id comes first here too.
  if (isMissing(names.waId) && isMissing(names.userId) && contact === undefined && isObject(system)) {
    const previous = system['previous_user_id'];
    names = { ...names, userId: isMissing(previous) ? system['user_id'] : previous };
  }
  putCustomer(event, names, contact);
  put(event, 'group_id', message['group_id']);
  put(event, 'id', message['id']);
  put(event, 'timestamp', message['timestamp']);
  put(event, 'type', message['type']);
  if (isObject(system)) event['system'] = namesIn(system);
  put(event, 'context', message['context']);
  put(event, 'referral', message['referral']);
  put(event, 'errors', message['errors']);
  return event;
}

/** A customer's call as an inbound message of type `call` (contract.md 1); null for a call from the business. */
function expandCall(call: Fields, place: Place, isAlone: boolean): Fields | null {
  if (call['direction'] !== 'USER_INITIATED') return null;
  const event: Fields = { event: 'message', direction: 'inbound' };
  put(event, 'waba_id', place.waba_id);
  put(event, 'phone_number_id', place.phone_number_id);
  const names = namesOf(call['from'], call['from_user_id'], call['from_parent_user_id']);
  putCustomer(event, names, matchingContact(place.contacts, names, isAlone));
  put(event, 'id', call['id']);
  put(event, 'timestamp', call['timestamp']);
  event['type'] = 'call';
  return event;
}

/**
 * A customer's preference for marketing messages as an inbound event (contract.md 1). Meta gives it no id: the same
 * preference of the same customer at the same time is the same event.
 */
function expandPreference(preference: Fields, place: Place, isAlone: boolean): Fields {
  const { category, value, timestamp } = preference;
  const event: Fields = { event: 'message', direction: 'inbound' };
  put(event, 'waba_id', place.waba_id);
  put(event, 'phone_number_id', place.phone_number_id);
  const names = namesOf(preference['wa_id'], preference['user_id'], preference['parent_user_id']);
  putCustomer(event, names, matchingContact(place.contacts, names, isAlone));
  const whose = isMissing(event['wa_id']) ? event['user_id'] : event['wa_id'];
  event['id'] = [PREFERENCE_TYPE, whose, category, value, timestamp]
    .map((part) => (typeof part === 'string' || typeof part === 'number' ? part : ''))
    .join(':');
  put(event, 'timestamp', timestamp);
  event['type'] = PREFERENCE_TYPE;
  event['context'] = { category, value };
  return event;
}

/**
 * An outcome that Meta noticed by itself as an inbound event (contract.md 1). Its id may be that of the message in which
 * Meta noticed it, so the event gets one of its own.
 */
function expandAutomaticEvent(item: Fields, place: Place): Fields {
  const { id, event_name, timestamp, ctwa_clid, custom_data } = item;
  const event: Fields = { event: 'message', direction: 'inbound', type: AUTOMATIC_EVENT_TYPE };
  put(event, 'waba_id', place.waba_id);
  put(event, 'phone_number_id', place.phone_number_id);
  if (!isMissing(id)) event['id'] = `${AUTOMATIC_EVENT_TYPE}:${String(event_name)}:${String(id)}`;
  put(event, 'timestamp', timestamp);
  event['context'] = { event_name, custom_data };
  event['referral'] = { ctwa_clid };
  return event;
}

function expandEcho(echo: Fields, place: Place, isAlone: boolean): Fields {
  const event: Fields = { event: 'message', direction: 'outbound' };
  put(event, 'waba_id', place.waba_id);
  put(event, 'phone_number_id', place.phone_number_id);
  const names = namesOf(echo['to'], echo['to_user_id'], echo['to_parent_user_id']);
  putCustomer(event, names, matchingContact(place.contacts, names, isAlone));
  put(event, 'group_id', echo['group_id']);
  put(event, 'id', echo['id']);
  put(event, 'timestamp', echo['timestamp']);
  put(event, 'type', echo['type']);
  event['origin'] = 'app';
  put(event, 'context', echo['context']);
  return event;
}

/**
 * @param isAlone whether it is the only status of its change
 * @returns null for a status of something else, such as a payment (contract.md 1)
 */
function expandStatus(status: Fields, place: Place, isAlone: boolean): Fields | null {
  if (!isMissing(status['type']) && status['type'] !== 'message') return null;
  const event: Fields = { event: 'status' };
  put(event, 'waba_id', place.waba_id);
  put(event, 'phone_number_id', place.phone_number_id);
  if (status['recipient_type'] === 'group') {
    // The thread of a group message is the group; a contact would be one of its members.
    put(event, 'group_id', status['recipient_id']);
    const byPhone = status['recipient_participant_id'];
    put(event, 'participant', isMissing(byPhone) ? status['recipient_participant_user_id'] : byPhone);
  } else {
    // A failed status may have no recipient and no contact. If it is one of several, the only contact belongs to
    // another one.
    const parentId = status['recipient_parent_user_id'];
    const names = namesOf(status['recipient_id'], status['recipient_user_id'], parentId);
    putCustomer(event, names, isNamed(names) || isAlone ? onlyContact(place.contacts, names, isAlone) : undefined);
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
  into: ExpandedEnvelope,
  list: unknown,
  path: string,
  expand: (item: Fields, isAlone: boolean) => Fields | null,
): void {
  if (isMissing(list)) return;
  if (!Array.isArray(list)) {
    rejectPart(into, path, 'a list');
    return;
  }
  for (let i = 0; i < list.length; i++) {
    const item: unknown = list[i];
    if (!isObject(item)) {
      rejectPart(into, `${path}[${i}]`, 'an object');
      continue;
    }
    const event = expand(item, list.length === 1);
    if (event !== null) into.events.push(event);
  }
}

/** @param field null when it is not known: then every list of the value is read */
function expandValue(into: ExpandedEnvelope, value: Fields, wabaId: unknown, path: string, field: string | null): void {
  const place: Place = {
    waba_id: wabaId,
    phone_number_id: numberOf(value),
    contacts: readContacts(value['contacts']),
  };
  if (field === null || field === CALL_FIELD)
    expandList(into, value['calls'], `${path}.calls`, (item, isAlone) => expandCall(item, place, isAlone));
  if (field === null || field === PREFERENCE_FIELD)
    expandList(into, value['user_preferences'], `${path}.user_preferences`, (item, isAlone) =>
      expandPreference(item, place, isAlone),
    );
  if (field === null || field === AUTOMATIC_EVENT_FIELD)
    expandList(into, value['automatic_events'], `${path}.automatic_events`, (item) =>
      expandAutomaticEvent(item, place),
    );
  if (field !== null && OWN_FIELDS.has(field)) return;
  expandList(into, value['messages'], `${path}.messages`, (item, isAlone) => expandMessage(item, place, isAlone));
  expandList(into, value['message_echoes'], `${path}.message_echoes`, (item, isAlone) =>
    expandEcho(item, place, isAlone),
  );
  expandList(into, value['statuses'], `${path}.statuses`, (item, isAlone) => expandStatus(item, place, isAlone));
}

function expandChange(into: ExpandedEnvelope, change: unknown, wabaId: unknown, path: string): void {
  if (!isObject(change)) return rejectPart(into, path, 'an object');
  const { field, value } = change;
  if (typeof field !== 'string') return rejectPart(into, `${path}.field`, 'a text');
  if (!MESSAGE_FIELDS.has(field) && !OWN_FIELDS.has(field)) return;
  if (!isObject(value)) return rejectPart(into, `${path}.value`, 'an object');
  expandValue(into, value, wabaId, `${path}.value`, field);
}

function expandEntry(into: ExpandedEnvelope, entry: unknown, path: string): void {
  if (!isObject(entry)) return rejectPart(into, path, 'an object');
  const { changes } = entry;
  if (!Array.isArray(changes)) return rejectPart(into, `${path}.changes`, 'a list');
  changes.forEach((change: unknown, c) => expandChange(into, change, entry['id'], `${path}.changes[${c}]`));
}

function numberOf(value: Fields): unknown {
  return isObject(value['metadata']) ? value['metadata']['phone_number_id'] : undefined;
}

function namesNumber(value: unknown): boolean {
  return isObject(value) && !isMissing(numberOf(value));
}

const LISTS = ['messages', 'message_echoes', 'statuses', 'calls', 'user_preferences', 'automatic_events'];

/**
 * The part of Meta's webhook that a value seems to be: the whole envelope, even if the rest of it is broken; one
 * `entry`; one of its `changes`; or the `value` of one. Null = none of these.
 */
function formOf(value: Fields): 'envelope' | 'entry' | 'change' | 'value' | null {
  if (value['object'] === 'whatsapp_business_account') return 'envelope';
  if (!isMissing(value['event']) || !isMissing(value['object'])) return null;
  if (Array.isArray(value['changes'])) return 'entry';
  if (LISTS.some((list) => Array.isArray(value[list]) || (namesNumber(value) && !isMissing(value[list]))))
    return 'value';
  return typeof value['field'] === 'string' && isObject(value['value']) ? 'change' : null;
}

function withoutNumber(part: string): ExpandedEnvelope {
  const message = `This is ${part} of a webhook envelope, without the envelope around it, and it does not name its number in "metadata.phone_number_id". Send the whole body as Meta sent it.`;
  return { events: [], rejections: [{ code: 'schema', message }] };
}

/**
 * Splits Meta's webhook envelope, or one `entry`, change or `value` of it that names its number, into events of
 * contract.md 1, in their order: per change calls, preferences, messages, message echoes, statuses. Only fields named
 * in the contract are copied; message text, media and contact names are not. Nothing is normalised or checked:
 * `parseEvent` does that for each event. Several notices of one call are still several events.
 * A broken part does not affect the others: an item that lacks a field is passed on without it, and a part that is not
 * the expected object or list becomes one rejection that names it.
 * @param value the result of `JSON.parse`
 * @returns events and rejections, none for changes that hold no events; null when the value is neither an envelope nor
 * a part of one
 */
export function expandEnvelope(value: unknown): ExpandedEnvelope | null {
  if (!isObject(value)) return null;
  const into: ExpandedEnvelope = { events: [], rejections: [] };
  switch (formOf(value)) {
    case null:
      return null;
    case 'envelope': {
      const { entry } = value;
      if (Array.isArray(entry)) entry.forEach((one: unknown, e) => expandEntry(into, one, `entry[${e}]`));
      else rejectPart(into, 'entry', 'a list');
      return into;
    }
    case 'entry': {
      const { changes } = value;
      if (!Array.isArray(changes) || !changes.some((change) => isObject(change) && namesNumber(change['value'])))
        return withoutNumber('one entry');
      expandEntry(into, value, 'entry');
      return into;
    }
    case 'change':
      if (!namesNumber(value['value'])) return withoutNumber('one change');
      expandChange(into, value, undefined, 'change');
      return into;
    case 'value': {
      const { field } = value;
      if (!namesNumber(value)) return withoutNumber('the "value" of one change');
      if (typeof field !== 'string') expandValue(into, value, undefined, 'value', null);
      else expandChange(into, { field, value }, undefined, 'change');
      return into;
    }
  }
}
