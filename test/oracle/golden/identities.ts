/** F9: names of one person, and names that are not. */
import {
  BILLABLE,
  clicks,
  CUSTOMER,
  FREE_ENTRY,
  FREE_SERVICE,
  type GoldenCase,
  HOUR,
  MON,
  sends,
  sendsTemplate,
  status,
  text,
  writes,
} from './builders.ts';

const US1 = 'US.13491208655302741918';
const US2 = 'US.99999999999999999999';
const PARENT = 'US.ENT.11815799212886844830';
const OLD = '16505551234';
const NEW = '12195555358';
type Names = Record<string, unknown>;
const byId = (user_id: string, more: Names = {}): Names => ({ wa_id: null, user_id, ...more });
const byNumber = (wa_id: string): Names => ({ wa_id });
const offer = (id: string, t: number, names: Names): unknown[] => [
  { ...sendsTemplate(id, t, 'marketing'), ...names },
  status(id, 'delivered', t, names),
];
const changed = (id: string, t: number, who: object, type: string, names: object): unknown =>
  writes(id, t, { ...who, type: 'system', system: { body: 'User changed', type, ...names } });

/** A click under one name, a reply under another: one person's only if something links the names. */
const apart = [clicks('e', MON, byId(US1)), ...text('reply', MON + HOUR, byNumber(OLD))];
const opened = { messages: { reply: { ...FREE_ENTRY, customer: OLD } }, conversations: { e: { customer: OLD } } };
const notOpened = {
  messages: { reply: { ...FREE_SERVICE, customer: OLD } },
  conversations: { e: { customer: US1, opened_at: '' } },
};

const linked: readonly GoldenCase[] = [
  {
    name: 'a number and an id are two customers while no event names both',
    rule: 'F9',
    events: apart,
    expect: notOpened,
  },
  {
    name: 'a message that names number and id makes them one person',
    rule: 'F9',
    events: [...apart, writes('both', MON + 2 * HOUR, { wa_id: OLD, user_id: US1 })],
    expect: opened,
  },
  {
    name: 'a status that names both does, however late, of whatever message',
    rule: 'F9',
    events: [...apart, status('other', 'failed', MON + 9 * 24 * HOUR, { wa_id: OLD, user_id: US1 })],
    expect: opened,
  },
  {
    name: 'so does what sets a preference, though it is no message',
    rule: 'F9, F7',
    events: [...apart, writes('p', MON - HOUR, { type: 'user_preferences', wa_id: OLD, user_id: US1 })],
    expect: opened,
  },
  {
    name: 'so does the copy of a message that does not count',
    rule: 'F9, F2',
    events: [
      ...apart,
      writes('copy', MON - HOUR, { wa_id: OLD }),
      writes('copy', MON + HOUR, { wa_id: OLD, user_id: US1 }),
    ],
    expect: opened,
  },
  {
    name: 'names are linked over others, and by the parent id',
    rule: 'F9',
    events: [
      ...apart,
      writes('a', MON + 2, byId(US1, { parent_user_id: PARENT })),
      writes('b', MON + 1, byId(US2, { parent_user_id: PARENT })),
      writes('c', MON, { wa_id: OLD, user_id: US2 }),
    ],
    expect: opened,
  },
  {
    name: 'a window follows the person to a new number, and rows have the new one',
    rule: 'F9',
    events: [
      clicks('e', MON),
      ...text('reply', MON + HOUR),
      changed('s', MON + 2 * HOUR, {}, 'user_changed_number', { wa_id: NEW }),
      ...offer('m', MON + 3 * HOUR, byNumber(NEW)),
    ],
    expect: {
      messages: { reply: { ...FREE_ENTRY, customer: NEW }, m: { ...FREE_ENTRY, customer: NEW } },
      conversations: { e: { customer: NEW, free_messages: '2' } },
    },
  },
  {
    name: 'a window follows the person to a new id',
    rule: 'F9',
    events: [
      clicks('e', MON, byId(US1)),
      ...text('reply', MON + HOUR, byId(US1)),
      changed('s', MON + 2 * HOUR, byId(US1), 'user_changed_user_id', { user_id: US2, previous_user_id: US1 }),
      ...offer('m', MON + 3 * HOUR, byId(US2)),
    ],
    expect: { messages: { reply: { ...FREE_ENTRY, customer: US2 }, m: { ...FREE_ENTRY, customer: US2 } } },
  },
  {
    name: 'a system message of another type links nothing, nor does another message with such fields',
    rule: 'F9',
    events: [
      ...apart,
      changed('s', MON, byNumber(OLD), 'customer_identity_changed', { user_id: US1 }),
      writes('t', MON, { wa_id: OLD, system: { type: 'user_changed_number', user_id: US1 } }),
    ],
    expect: notOpened,
  },
  {
    name: 'the customer is the number that the latest event with one names, then the greater',
    rule: 'F9',
    events: [
      ...text('first', MON, { wa_id: '4915', user_id: US1 }),
      ...text('second', MON + HOUR, { wa_id: '4916', user_id: US1 }),
      writes('third', MON + HOUR, { wa_id: '4917', user_id: US1 }),
      ...text('last', MON + 2 * HOUR, byId(US1)),
    ],
    expect: { messages: { first: { customer: '4917' }, second: { customer: '4917' }, last: { customer: '4917' } } },
  },
  {
    name: 'without a number it is the id that the latest event names',
    rule: 'F9',
    events: [
      ...text('first', MON, byId(US2, { parent_user_id: PARENT })),
      ...text('last', MON + HOUR, byId(US1, { parent_user_id: PARENT })),
    ],
    expect: { messages: { first: { customer: US1 }, last: { customer: US1 } } },
  },
  {
    name: 'nobody is linked on another business number',
    rule: 'F9',
    events: [...apart, writes('both', MON, { wa_id: OLD, user_id: US1, phone_number_id: '2' })],
    expect: notOpened,
  },
  {
    name: 'a participant is no name of a customer, and a group links nobody',
    rule: 'F9, F8',
    events: [
      ...apart,
      sends('g', MON, { wa_id: null, group_id: 'group' }),
      status('g', 'delivered', MON, { wa_id: OLD, participant: US1 }),
      status('g', 'read', MON, { wa_id: OLD, user_id: US1, group_id: 'group', participant: OLD }),
      writes('in', MON, { wa_id: OLD, user_id: US1, group_id: 'group' }),
    ],
    expect: notOpened,
  },
  {
    name: 'the sender may call a person by number and Meta by id',
    rule: 'F9, F3',
    events: [
      clicks('e', MON, { wa_id: CUSTOMER, user_id: US1 }),
      sends('m', MON + HOUR, byNumber(CUSTOMER)),
      status('m', 'delivered', MON + HOUR, byId(US1)),
    ],
    expect: { messages: { m: { ...FREE_ENTRY, customer: CUSTOMER } } },
  },
  {
    name: 'a message moves to the person that its statuses name, by any name',
    rule: 'F9, F3',
    events: [
      clicks('e', MON, byId(US1)),
      writes('both', MON, { wa_id: OLD, user_id: US1 }),
      sends('m', MON + HOUR, byNumber('4915')),
      status('m', 'delivered', MON + HOUR, byNumber(OLD)),
      ...offer('theirs', MON + 2 * HOUR, byNumber('4915')),
    ],
    expect: { messages: { m: { ...FREE_ENTRY, customer: OLD }, theirs: { ...BILLABLE, customer: '4915' } } },
  },
  {
    name: 'a call of the same person under another name opens the customer service window',
    rule: 'F9, W1',
    events: [
      writes('call', MON, byId(US1, { type: 'call' })),
      writes('both', MON - 30 * HOUR, { wa_id: OLD, user_id: US1 }),
      sends('m', MON + HOUR, { ...byNumber(OLD), type: 'template', template: { name: 'n', category: 'utility' } }),
      status('m', 'delivered', MON + HOUR, byNumber(OLD)),
    ],
    expect: { messages: { m: FREE_SERVICE } },
  },
];

export const identities: readonly GoldenCase[] = [
  ...linked,
  {
    name: 'with the setting apart each name is a customer of its own',
    rule: 'F9',
    policy: { identities: 'apart' },
    events: [...apart, writes('both', MON + 2 * HOUR, { wa_id: OLD, user_id: US1 })],
    expect: notOpened,
  },
];
