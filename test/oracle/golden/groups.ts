/** Group messages: a row for each participant that a status names, in the thread of the group. */
import {
  BILLABLE,
  CBP,
  type Cells,
  clicks,
  COVERED,
  CUSTOMER,
  DAY,
  echo,
  FREE_SERVICE,
  type GoldenCase,
  HOUR,
  iso,
  MON,
  MONDAY_OF,
  NUMBER,
  priced,
  type RawEvent,
  sends,
  status,
  text,
  UNANSWERED,
  UNDELIVERED,
  utility,
  windowUntil,
  writes,
} from './builders.ts';

const GROUP = 'Y2FwaV9ncm91cDox';
const ANA = '5511900000001';
const BIA = '5511900000002';

/** A status of a message to the group, of one participant or, where none is given, of nobody. */
const of = (participant: string | undefined, id: string, name: string, t: number, fields: object = {}): RawEvent =>
  status(id, name, t, { wa_id: undefined, group_id: GROUP, ...(participant && { participant }), ...fields });
const sendsToGroup = (id: string, t: number, fields: object = {}): RawEvent =>
  sends(id, t, { wa_id: undefined, group_id: GROUP, ...fields });
/** Delivered at t to Ana and to Bia. */
const delivered = (id: string, t: number, fields: object = {}): RawEvent[] => [
  of(ANA, id, 'delivered', t, fields),
  of(BIA, id, 'delivered', t, fields),
];
const template = (category: string, id: string, t: number): RawEvent[] => [
  sendsToGroup(id, t, { type: 'template', template: { name: 'to_group', category } }),
  ...delivered(id, t),
];
const groupWrites = (id: string, t: number, fields: object = {}): RawEvent =>
  writes(id, t, { wa_id: ANA, group_id: GROUP, ...fields });
/** The rows of a message that are marked alike. */
const both = (id: string, cells: Cells): Record<string, Cells> => ({
  [`${id} ${ANA}`]: cells,
  [`${id} ${BIA}`]: cells,
});

export const groups: readonly GoldenCase[] = [
  {
    name: 'known from statuses alone: a row for each participant, with its own delivery and report',
    rule: 'F8, F3',
    events: [
      of(undefined, 'm', 'sent', MON),
      of(ANA, 'm', 'delivered', MON + 2, priced('regular', 'group_marketing')),
      of(BIA, 'm', 'read', MON + 5, priced('free_group_customer_service', 'group_service')),
      of('919900000003', 'm', 'failed', MON + 6, { errors: [{ code: 131026, title: 'Undeliverable' }] }),
    ],
    expect: {
      messages: {
        [`m ${ANA}`]: {
          sent_at: iso(MON),
          delivered_at: iso(MON + 2),
          type: '',
          category: 'group_marketing',
          predicted: 'BILLABLE',
          reported: 'BILLABLE',
          billing: 'BILLABLE',
          error_code: '',
        },
        [`m ${BIA}`]: {
          sent_at: iso(MON),
          delivered_at: iso(MON + 5),
          category: 'group_service',
          predicted: 'FREE_SERVICE',
          reported: 'FREE_SERVICE',
        },
        'm 919900000003': { ...UNDELIVERED, sent_at: iso(MON), delivered_at: '', error_code: '131026' },
      },
      noMessages: [`m ${GROUP}`, 'm '],
      daily: { [`2026-01-05 ${NUMBER}`]: { messages: '3', delivered: '2', billable: '1', free_service: '1' } },
    },
  },
  {
    name: 'a participant in several spellings is one, a business-scoped id stays',
    rule: 'F8, contract 1',
    events: [
      of('+55 (11) 90000-0001', 'm', 'sent', MON),
      of(ANA, 'm', 'delivered', MON + 1),
      of('BR.13491208655302741918', 'm', 'delivered', MON + 2),
    ],
    expect: {
      messages: {
        [`m ${ANA}`]: { delivered_at: iso(MON + 1) },
        'm BR.13491208655302741918': { delivered_at: iso(MON + 2) },
      },
      daily: { [`2026-01-05 ${NUMBER}`]: { messages: '2' } },
    },
  },
  {
    name: 'no status names a participant: no row',
    rule: 'F8',
    events: [sendsToGroup('m', MON), of(undefined, 'm', 'delivered', MON)],
    expect: { noMessages: ['m'] },
  },
  {
    name: 'statuses that name no participant deliver nothing to anybody',
    rule: 'F8, F4',
    events: [sendsToGroup('m', MON), of(undefined, 'm', 'delivered', MON + 1), of(ANA, 'm', 'sent', MON + 1)],
    expect: { messages: { [`m ${ANA}`]: UNDELIVERED } },
  },
  {
    name: 'its own event names the customer alone; a late status makes it a group message',
    rule: 'F8',
    events: [
      clicks('e', MON),
      sends('m', MON + 1),
      status('m', 'delivered', MON + 2),
      of(ANA, 'm', 'delivered', MON + DAY),
    ],
    expect: {
      messages: { [`m ${ANA}`]: { ...FREE_SERVICE, delivered_at: iso(MON + DAY), sent_at: iso(MON + 1) } },
      noMessages: [`m ${CUSTOMER}`],
      conversations: { e: UNANSWERED },
    },
  },
  {
    name: 'statuses that name nobody report what the own ones do not',
    rule: 'F8, V1',
    events: [
      sendsToGroup('m', MON, { type: 'template' }),
      of(ANA, 'm', 'delivered', MON, priced('free_group_customer_service', 'group_utility')),
      of(BIA, 'm', 'delivered', MON),
      // Later than Ana's own, and yet hers decides for her.
      of(undefined, 'm', 'read', MON + 9, priced('regular', 'group_marketing')),
    ],
    expect: {
      messages: {
        [`m ${ANA}`]: { reported: 'FREE_SERVICE', category: 'group_utility', delivered_at: iso(MON) },
        [`m ${BIA}`]: { reported: 'BILLABLE', category: 'group_marketing', delivered_at: iso(MON) },
      },
    },
  },
  {
    name: 'the service window of a group is open 24 h after a message of any member, for all of them',
    rule: 'F8, W1',
    events: [
      groupWrites('in', MON),
      ...template('utility', 'open', MON + DAY - 1),
      ...template('group_utility', 'too', MON + DAY - 1),
      ...template('utility', 'closed', MON + DAY),
    ],
    expect: {
      messages: { ...both('open', FREE_SERVICE), ...both('too', FREE_SERVICE), ...both('closed', BILLABLE) },
    },
  },
  {
    name: 'what a member writes in the group opens no service window of his own, and the other way round',
    rule: 'F8, W1',
    events: [
      writes('in group', MON, { group_id: GROUP }),
      ...utility('alone', MON + 1),
      writes('own', MON + DAY),
      of(CUSTOMER, 'together', 'delivered', MON + DAY + 1),
      sendsToGroup('together', MON + DAY + 1, { type: 'template', template: { category: 'utility' } }),
    ],
    expect: { messages: { alone: BILLABLE, [`together ${CUSTOMER}`]: BILLABLE } },
  },
  {
    name: 'a click in a group is no entry, and a group has no free entry window',
    rule: 'F8, W2',
    events: [
      clicks('e', MON, { group_id: GROUP }),
      ...text('alone', MON + 1),
      of(CUSTOMER, 'm', 'delivered', MON + 2, { ...priced('odd', 'group_marketing'), ...windowUntil(MON + 96 * HOUR) }),
    ],
    expect: {
      messages: { alone: FREE_SERVICE, [`m ${CUSTOMER}`]: { predicted: 'BILLABLE', conversation_id: '' } },
      noConversations: ['e'],
    },
  },
  {
    name: "a member's own window makes nothing free in the group",
    rule: 'F8',
    events: [
      clicks('e', MON),
      ...text('reply', MON + 1),
      of(CUSTOMER, 'm', 'delivered', MON + 2, priced('odd', 'group_marketing')),
    ],
    expect: {
      messages: { [`m ${CUSTOMER}`]: { predicted: 'BILLABLE', conversation_id: '' } },
      conversations: { e: { free_messages: '1' } },
    },
  },
  {
    name: 'nor where the group is called as the customer is',
    rule: 'F8, F1',
    events: [
      clicks('e', MON),
      ...text('reply', MON + 1),
      of(ANA, 'm', 'delivered', MON + 2, { group_id: CUSTOMER, ...priced('odd', 'group_utility') }),
    ],
    expect: { messages: { [`m ${ANA}`]: { predicted: 'BILLABLE', reported: 'UNKNOWN', conversation_id: '' } } },
  },
  {
    name: 'a name of a group is compared as it is written',
    rule: 'F8, F2',
    events: [
      groupWrites('in', MON, { group_id: '+1 650' }),
      of(ANA, 'other', 'delivered', MON + 1, { group_id: '1650', ...priced('odd', 'group_utility') }),
      of(ANA, 'same', 'delivered', MON + 1, { group_id: '+1 650', ...priced('odd', 'group_utility') }),
    ],
    expect: {
      messages: { [`other ${ANA}`]: { predicted: 'BILLABLE' }, [`same ${ANA}`]: { predicted: 'FREE_SERVICE' } },
    },
  },
  {
    name: 'of several groups the one of the earliest status counts, then the smaller name, then its own',
    rule: 'F8',
    events: ['A', 'B'].flatMap((group_id) => [
      groupWrites(`in ${group_id}`, MON, { group_id }),
      // Nobody wrote in group C or D.
      sendsToGroup(`first ${group_id}`, MON, { group_id: 'C', type: 'template', template: { category: 'utility' } }),
      of(ANA, `first ${group_id}`, 'sent', MON + 1, { group_id }),
      of(ANA, `first ${group_id}`, 'delivered', MON + 2, { group_id: 'D' }),
      of(ANA, `smaller ${group_id}`, 'delivered', MON + 2, { group_id, ...priced('odd', 'utility') }),
      of(ANA, `smaller ${group_id}`, 'sent', MON + 2, { group_id: 'AA' }),
      sendsToGroup(`own ${group_id}`, MON, { group_id, type: 'template', template: { category: 'utility' } }),
      of(ANA, `own ${group_id}`, 'delivered', MON + 2, { group_id: '' }),
    ]),
    expect: {
      messages: {
        [`first A ${ANA}`]: FREE_SERVICE,
        [`first B ${ANA}`]: FREE_SERVICE,
        [`smaller A ${ANA}`]: { predicted: 'FREE_SERVICE' },
        [`smaller B ${ANA}`]: { predicted: 'BILLABLE' },
        [`own A ${ANA}`]: FREE_SERVICE,
        [`own B ${ANA}`]: FREE_SERVICE,
      },
    },
  },
  {
    name: 'conversation pricing: each participant has conversations of his own',
    rule: 'F8, 3.1',
    events: [
      ...template('marketing', 'm1', CBP),
      sendsToGroup('m2', CBP + 1, { type: 'template', template: { category: 'group_marketing' } }),
      of(ANA, 'm2', 'delivered', CBP + 1),
      of('3', 'm2', 'delivered', CBP + 1),
    ],
    expect: { messages: { ...both('m1', BILLABLE), [`m2 ${ANA}`]: COVERED, 'm2 3': BILLABLE } },
  },
  {
    name: "conversation pricing: one id on all reports of a message is each participant's own charge",
    rule: 'F8, V1a',
    events: ['m1', 'm2'].flatMap((id, i) =>
      delivered(id, CBP + i, {
        pricing: { billable: true, pricing_model: 'CBP', category: 'marketing' },
        conversation: { id: 'c' },
      }),
    ),
    expect: { messages: { ...both('m1', { reported: 'BILLABLE' }), ...both('m2', { reported: 'COVERED' }) } },
  },
  {
    name: 'October 2026: service in a group is charged, and what Meta gives away of it is no mismatch',
    rule: 'F8, V2',
    events: [
      sendsToGroup('m', MONDAY_OF['PMP-2026-10']),
      ...delivered('m', MONDAY_OF['PMP-2026-10'], priced('free_group_customer_service', 'group_service')),
    ],
    expect: {
      messages: both('m', { predicted: 'BILLABLE', reported: 'FREE_SERVICE', category: 'service' }),
      daily: { [`2026-10-12 ${NUMBER}`]: { messages: '2', free_service: '2', mismatches: '0' } },
    },
  },
  {
    name: 'an echo in a group is delivered when sent, to those that its statuses name',
    rule: 'F8, F6',
    events: [
      echo('m', MON, { group_id: GROUP }),
      of(ANA, 'm', 'sent', MON + 1),
      echo('nobody', MON, { group_id: GROUP }),
    ],
    expect: { messages: { [`m ${ANA}`]: { ...FREE_SERVICE, delivered_at: iso(MON) } }, noMessages: ['nobody'] },
  },
];
