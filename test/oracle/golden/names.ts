/** Names: who the customer of an event is, and of a message whose events name several. */
import {
  BILLABLE,
  clicks,
  CUSTOMER,
  DAY,
  echo,
  FREE_ENTRY,
  FREE_SERVICE,
  type GoldenCase,
  iso,
  marketing,
  MON,
  sends,
  status,
  text,
  UNANSWERED,
} from './builders.ts';

/** A message to somebody who is named so in the message event, while its status names nobody. */
const isCalled = (written: object, customer: string): GoldenCase => ({
  name: `${JSON.stringify(written)} is customer "${customer}"`,
  rule: 'F2, contract 1',
  events: [sends('m', MON, { wa_id: '', ...written }), status('m', 'delivered', MON, { wa_id: '' })],
  expect: { messages: { m: { customer } } },
});

const DIALLED = '+55 82 9 9999-0000';
const META = '558299990000';

export const names: readonly GoldenCase[] = [
  isCalled({ wa_id: '16505551234' }, '16505551234'),
  isCalled({ wa_id: '+1 (650) 555-12.34' }, '16505551234'),
  isCalled({ wa_id: '0044 20' }, '004420'),
  isCalled({ wa_id: '1\u00a0650' }, '1650'),
  isCalled({ wa_id: '16505551234x' }, '16505551234x'),
  isCalled({ wa_id: '1 650 +1' }, '1 650 +1'),
  isCalled({ wa_id: 'guest 7' }, 'guest 7'),
  isCalled({ wa_id: '()', user_id: 'US.1' }, 'US.1'),
  isCalled({ wa_id: 'BR.13491208655302741918' }, 'BR.13491208655302741918'),
  isCalled({ wa_id: 'US.ENT.11815799212886844830' }, 'US.ENT.11815799212886844830'),
  isCalled({ wa_id: 'BR.1', user_id: 'BR.2' }, 'BR.2'),
  isCalled({ wa_id: '16505551234', user_id: 'US.1' }, '16505551234'),
  isCalled({ wa_id: 'br.1' }, 'br.1'),
  isCalled({ wa_id: 'BRA.1' }, 'BRA.1'),
  isCalled({ wa_id: 'BR.1-2' }, 'BR.1-2'),
  {
    name: 'one customer, whether the business-scoped id stands in its own place or in that of the number',
    rule: 'F2, F1',
    events: [
      clicks('e', MON, { wa_id: 'BR.1' }),
      ...text('reply', MON + 1, { wa_id: null, user_id: 'BR.1' }),
      ...text('other', MON + 2, { wa_id: '1' }),
    ],
    expect: {
      messages: { reply: { ...FREE_ENTRY, customer: 'BR.1' }, other: { ...FREE_SERVICE, customer: '1' } },
      conversations: { e: { customer: 'BR.1', reply_message_id: 'reply' } },
    },
  },
  {
    name: 'dialled with a ninth digit, named by Meta without it: one thread, and the reply opens the window',
    rule: '7.13, F3',
    events: [
      clicks('e', MON, { wa_id: META }),
      sends('reply', MON + 60, { wa_id: DIALLED }),
      status('reply', 'delivered', MON + 61, { wa_id: META }),
      sends('then', MON + DAY, { wa_id: DIALLED }),
      status('then', 'delivered', MON + DAY, { wa_id: META }),
    ],
    expect: {
      messages: {
        reply: { ...FREE_ENTRY, customer: META, conversation_id: 'e' },
        then: { ...FREE_ENTRY, customer: META },
      },
      conversations: { e: { reply_message_id: 'reply', opened_at: iso(MON + 61), free_messages: '2' } },
    },
  },
  {
    name: 'until a status names him, the customer is as dialled',
    rule: 'F3',
    events: [
      clicks('e', MON, { wa_id: META }),
      sends('reply', MON + 60, { wa_id: DIALLED }),
      status('reply', 'delivered', MON + 61, { wa_id: '' }),
    ],
    expect: {
      messages: { reply: { ...FREE_SERVICE, customer: '5582999990000' } },
      conversations: { e: UNANSWERED },
    },
  },
  {
    name: 'any status may name him, however late: here one of failure',
    rule: 'F3',
    events: [
      clicks('e', MON, { wa_id: META }),
      sends('reply', MON + 60, { wa_id: DIALLED }),
      status('reply', 'delivered', MON + 61, { wa_id: '' }),
      status('reply', 'failed', MON + 9 * DAY, { wa_id: META }),
    ],
    expect: {
      messages: { reply: { ...FREE_ENTRY, customer: META } },
      conversations: { e: { reply_message_id: 'reply' } },
    },
  },
  {
    name: 'of statuses that name several the earliest counts, not the smaller name nor the own one',
    rule: 'F3',
    events: [
      sends('m', MON, { wa_id: '3' }),
      status('m', 'sent', MON + 1, { wa_id: '2' }),
      status('m', 'delivered', MON + 2, { wa_id: '1' }),
      status('m', 'read', MON + 3, { wa_id: '3' }),
    ],
    expect: { messages: { m: { customer: '2' } } },
  },
  {
    name: 'of one second the smaller name counts, compared as text',
    rule: 'F3',
    events: [
      sends('m', MON, { wa_id: '1' }),
      status('m', 'delivered', MON + 1, { wa_id: '9' }),
      status('m', 'sent', MON + 1, { wa_id: '10' }),
    ],
    expect: { messages: { m: { customer: '10' } } },
  },
  {
    name: 'a status that has the business-scoped id alone names the customer too',
    rule: 'F3',
    events: [
      clicks('e', MON),
      sends('reply', MON + 1),
      status('reply', 'delivered', MON + 2, { wa_id: '', user_id: 'US.1' }),
    ],
    expect: { messages: { reply: { ...FREE_SERVICE, customer: 'US.1' } }, conversations: { e: UNANSWERED } },
  },
  {
    name: "an echo's customer is its own, whatever its statuses say",
    rule: 'F3, F6',
    events: [
      clicks('e', MON),
      echo('reply', MON + 1),
      status('reply', 'sent', MON + 1, { wa_id: '0' }),
      status('reply', 'delivered', MON + 1, { wa_id: '0', group_id: 'G', participant: '0' }),
    ],
    expect: {
      messages: { reply: { ...FREE_SERVICE, customer: CUSTOMER } },
      conversations: { e: { reply_message_id: 'reply' } },
    },
  },
  {
    name: 'a participant names nobody on a message that went to no group',
    rule: 'F3, F8',
    events: [
      clicks('e', MON),
      sends('reply', MON + 1),
      status('reply', 'delivered', MON + 2, { wa_id: '', participant: '4915' }),
      ...marketing('m', MON + 3),
    ],
    expect: { messages: { reply: { ...FREE_ENTRY, customer: CUSTOMER }, m: FREE_ENTRY } },
  },
  {
    name: 'the thread that the statuses name is the one whose windows count',
    rule: 'F1, F3',
    events: [
      clicks('e', MON, { wa_id: '1' }),
      ...text('reply', MON + 1, { wa_id: '1' }),
      sends('in', MON + 2, { wa_id: '2', type: 'template', template: { category: 'marketing' } }),
      status('in', 'delivered', MON + 2, { wa_id: '1' }),
      sends('out', MON + 2, { wa_id: '1', type: 'template', template: { category: 'marketing' } }),
      status('out', 'delivered', MON + 2, { wa_id: '2' }),
    ],
    expect: { messages: { in: { ...FREE_ENTRY, customer: '1' }, out: { ...BILLABLE, customer: '2' } } },
  },
];
