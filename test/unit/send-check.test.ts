import { describe, expect, it } from 'vitest';
import { DEFAULT_POLICY_SETTINGS } from '@ctwa-ledger/schemas/config.ts';
import type { PhoneNumberId } from '@ctwa-ledger/schemas/ids.ts';
import { MAX_RECIPIENTS, parseSendRequest } from '@ctwa-ledger/schemas/send-check.ts';
import { KeptReading } from '../../services/clickhouse/kept-reading.ts';
import { composerWords } from '../../services/lifecycle/composer.ts';
import { establishFacts } from '../../services/lifecycle/facts.ts';
import { addressedThread, comingChanges, sendOutlook, type SendOutlook } from '../../services/lifecycle/planned.ts';
import { compileRulebook } from '../../services/lifecycle/rulebook.ts';
import { parsed } from '../support/expected-rows.ts';

const RULEBOOK = compileRulebook([], DEFAULT_POLICY_SETTINGS);
const NUMBER = '1';
const DAY = 86_400;
const unix = (iso: string): number => Date.parse(iso) / 1000;
/** Under PMP-2026-10. */
const T = unix('2026-10-05T10:00:00Z');

type Event = Readonly<Record<string, unknown>>;
const base = { phone_number_id: NUMBER, wa_id: '16505551234' };
const writes = (at: number, more: Event = {}): Event => ({
  ...base,
  event: 'message',
  direction: 'inbound',
  id: `in ${at}`,
  timestamp: at,
  type: 'text',
  ...more,
});
const clicks = (at: number): Event => writes(at, { referral: { source_type: 'ad', source_id: '9' } });
const replies = (at: number, more: Event = {}): Event[] => [
  { ...base, event: 'message', direction: 'outbound', id: `out ${at}`, timestamp: at, type: 'text', ...more },
  { ...base, event: 'status', id: `out ${at}`, status: 'delivered', timestamp: at },
];

const TEMPLATE = { type: 'template', template_name: 'offer', category: 'marketing' };
const TEXT = { type: 'text', template_name: '', category: 'service' };
const REACTION = { type: 'reaction', template_name: '', category: 'service' };

function outlook(events: readonly Event[], at: number, planned = TEMPLATE, name = '16505551234'): SendOutlook {
  const facts = establishFacts(NUMBER as PhoneNumberId, parsed(events), RULEBOOK);
  const { thread } = addressedThread(facts, { is_group: false, name });
  return sendOutlook(thread, RULEBOOK, planned, '', at);
}

function changes(events: readonly Event[], at: number, planned = TEMPLATE): [number, string, boolean][] {
  const facts = establishFacts(NUMBER as PhoneNumberId, parsed(events), RULEBOOK);
  const { thread } = addressedThread(facts, { is_group: false, name: '16505551234' });
  const now = sendOutlook(thread, RULEBOOK, planned, '', at);
  return comingChanges(thread, RULEBOOK, '', now).map(({ at, mark, is_allowed }) => [at - T, mark, is_allowed]);
}

describe('the thread that a message would belong to', () => {
  const participant = '16505550000';
  const status = (id: string, group_id: string): Event => ({
    ...{ ...base, event: 'status', id, status: 'delivered', timestamp: T },
    ...{ wa_id: participant, participant, group_id },
  });

  it('is that of the group, whatever other groups the events name', () => {
    // Two statuses of one message name different groups: the smaller name counts, and makes a thread before the other.
    const events = [
      status('a', '+1650'),
      status('a', 'Y2FwaQ=='),
      writes(T, { wa_id: participant, group_id: 'Y2FwaQ==' }),
    ];
    const facts = establishFacts(NUMBER as PhoneNumberId, parsed(events), RULEBOOK);
    expect(facts.threads.map(({ group_id }) => group_id)).toEqual(['+1650', 'Y2FwaQ==']);
    const { thread } = addressedThread(facts, { is_group: true, name: 'Y2FwaQ==' });
    expect(sendOutlook(thread, RULEBOOK, TEXT, '', T + 60)).toMatchObject({
      is_allowed: true,
      service_window_ends_at: T + DAY,
    });
    expect(addressedThread(facts, { is_group: true, name: 'new' }).thread).toEqual({
      ...{ group_id: 'new', customer: '', inbound: [], outbound: [] },
    });
  });
});

describe('both timers', () => {
  it.each<[string, Event[], number, number | null, number | null, number | null]>([
    // Ends of the service window and of the free entry window, and the last second of a reply; in seconds after T.
    ['nothing was written', [], T, null, null, null],
    ['an ad click that waits', [clicks(T)], T + 60, DAY, null, DAY],
    ['in the last second of the time to reply', [clicks(T)], T + DAY, DAY, null, DAY],
    ['a second after that', [clicks(T)], T + DAY + 1, DAY, null, null],
    ['an ad click that was answered', [clicks(T), ...replies(T + 60)], T + 120, DAY, 60 + 3 * DAY, null],
    ['when the free entry window has ended', [clicks(T), ...replies(T)], T + 3 * DAY, DAY, null, null],
    ['another message of the customer', [clicks(T), writes(T + 30)], T + 60, DAY + 30, null, DAY],
    ['a system message', [writes(T), writes(T + 30, { type: 'system' })], T + 60, DAY, null, null],
    ['a call', [writes(T, { type: 'call' })], T + 60, DAY, null, null],
    ['a plain message', [writes(T)], T + 60, DAY, null, null],
  ])('%s', (_, events, at, service, free, reply_by) => {
    const { service_window_ends_at, free_window, openable } = outlook(events, at);
    const since = (end: number | null | undefined): number | null => (end == null ? null : end - T);
    expect([since(service_window_ends_at), since(free_window?.expires_at), since(openable?.reply_by)]).toEqual([
      service,
      free,
      reply_by,
    ]);
  });

  it('keeps the deadline where a reaction is asked for, which answers nothing', () => {
    const { openable, mark } = outlook([clicks(T)], T + 60, REACTION);
    expect([mark, openable?.reply_by]).toEqual(['FREE_SERVICE', T + DAY]);
  });
});

describe('what changes by itself', () => {
  it.each<[string, Event[], number, typeof TEMPLATE, [number, string, boolean][]]>([
    ['a template to a waiting click', [clicks(T)], T + 60, TEMPLATE, [[DAY + 1, 'BILLABLE', true]]],
    [
      'a template in the free entry window',
      [clicks(T), ...replies(T)],
      T + 60,
      TEMPLATE,
      [[3 * DAY, 'BILLABLE', true]],
    ],
    [
      'a text in the free entry window',
      [clicks(T), ...replies(T)],
      T + 60,
      TEXT,
      [
        [DAY, 'FREE_ENTRY', false],
        [3 * DAY, 'BILLABLE', false],
      ],
    ],
    ['a template that nothing makes free', [writes(T)], T + 60, TEMPLATE, []],
    ['a text in the customer service window', [writes(T)], T + 60, TEXT, [[DAY, 'BILLABLE', false]]],
  ])('%s', (_, events, at, planned, expected) => {
    expect(changes(events, at, planned)).toEqual(expected);
  });
});

describe('whom a message goes to', () => {
  const brazil = [
    clicks(T),
    { ...replies(T + 60, { wa_id: '+55 82 9 9999-0000' })[0], id: 'r' },
    { ...base, wa_id: '558299990000', event: 'status', id: 'r', status: 'delivered', timestamp: T + 60 },
    { ...clicks(T), wa_id: '558299990000', id: 'c' },
  ];

  it("finds the thread that Meta's statuses name where the sender dials another number", () => {
    expect(outlook(brazil, T + 120, TEMPLATE, '5582999990000').free_window?.expires_at).toBe(T + 60 + 3 * DAY);
    expect(outlook(brazil, T + 120, TEMPLATE, '558299990000').free_window?.expires_at).toBe(T + 60 + 3 * DAY);
  });

  it('takes a new customer for one who has written nothing', () => {
    const { mark, service_window_ends_at } = outlook(brazil, T + 120, TEMPLATE, '4915112345678');
    expect([mark, service_window_ends_at]).toEqual(['BILLABLE', null]);
  });
});

describe('what a composer says', () => {
  it.each([
    [TEXT, 'BILLABLE', '3_charged', false, /^Not allowed now: the customer service window is closed/],
    [TEMPLATE, 'FREE_ENTRY', 'W5', true, /^Free: this marketing template answers the ad in time and opens/],
    [TEMPLATE, 'FREE_ENTRY', 'W7', true, /^Free: the free entry window is open/],
    [TEMPLATE, 'BILLABLE', '3_charged', true, /^Outside a free entry window: this marketing template would be charged/],
    [TEMPLATE, 'BILLABLE', '3.1_opens', true, /would open a paid conversation/],
    [TEMPLATE, 'COVERED', '3.1_covered', true, /would join a conversation that is open already/],
    [TEXT, 'BILLABLE', '3_charged', true, /once the monthly allowance is used up/],
    [REACTION, 'FREE_SERVICE', '3_reaction', true, /^Free: this reaction costs nothing/],
    [{ ...TEMPLATE, category: 'unknown' }, 'UNKNOWN', 'unknown_category', true, /this template would cost depends/],
  ] as const)('of %o as %s by %s', (planned, mark, rule, is_allowed, expected) => {
    expect(composerWords({ ...planned, mark, rule, is_allowed })).toMatch(expected);
  });
});

describe('a send body', () => {
  const template = { name: 'offer', language: { code: 'en' } };
  const body = {
    phone_number_id: NUMBER,
    messaging_product: 'whatsapp',
    to: '+1 650-555-1234',
    type: 'template',
    template,
  };

  it('is read as Meta has it', () => {
    expect(parseSendRequest({ ...body, recipient_type: 'individual', biz_opaque_callback_data: 'x' })).toEqual({
      ok: true,
      request: {
        phone_number_id: NUMBER,
        recipients: [{ is_group: false, name: '16505551234' }],
        is_list: false,
        lines: false,
        type: 'template',
        template_name: 'offer',
        template_language: 'en',
        template_category: '',
      },
    });
  });

  it.each<[string, Event, unknown]>([
    ['"to" where both are given', { ...body, recipient: 'US.1349' }, [{ is_group: false, name: '16505551234' }]],
    ['a business-scoped id', { ...body, to: undefined, recipient: 'US.1349' }, [{ is_group: false, name: 'US.1349' }]],
    ['one in "to"', { ...body, to: 'US.1349' }, [{ is_group: false, name: 'US.1349' }]],
    ['a group', { ...body, recipient_type: 'group', to: 'Y2FwaQ==' }, [{ is_group: true, name: 'Y2FwaQ==' }]],
    [
      'a list',
      { ...body, to: undefined, recipients: ['+44 20', 'US.1'] },
      [
        { is_group: false, name: '4420' },
        { is_group: false, name: 'US.1' },
      ],
    ],
  ])('goes to %s', (_, given, recipients) => {
    expect(parseSendRequest(given)).toMatchObject({ ok: true, request: { recipients } });
  });

  it.each<[string, Event]>([
    ['text', { text: { body: 'hi' } }],
    ['text', { type: 'text', text: { body: 'hi', preview_url: true } }],
    ['image', { type: 'image', image: { link: 'https://example.com/a.png', caption: 'x' } }],
    ['audio', { type: 'audio', audio: { id: '1' } }],
    ['interactive', { type: 'interactive', interactive: { type: 'button', body: { text: 'x' }, action: {} } }],
    ['reaction', { type: 'reaction', reaction: { message_id: 'wamid.1', emoji: '' } }],
    ['location', { type: 'location', location: { latitude: 1, longitude: '2' } }],
  ])('may be of type %s', (type, content) => {
    const bare = { phone_number_id: NUMBER, to: '16505551234' };
    expect(parseSendRequest({ ...bare, ...content })).toMatchObject({ ok: true, request: { type } });
  });

  it.each<[string, unknown, RegExp]>([
    ['no number', { ...body, phone_number_id: undefined }, /"phone_number_id": say from which business number/],
    ['a number that is no text', { ...body, phone_number_id: 1 }, /"phone_number_id"/],
    ['nobody', { ...body, to: undefined }, /Say who it goes to/],
    ['a name for a number', { ...body, to: 'guest' }, /"guest" is neither a phone number nor/],
    ['a number and a list', { ...body, recipients: ['1'] }, /not both/],
    ['an empty list', { ...body, to: undefined, recipients: [] }, /"recipients"/],
    ['a list with a name', { ...body, to: undefined, recipients: ['1', 'x'] }, /"recipients.1": "x" is neither/],
    [
      'too long a list',
      { ...body, to: undefined, recipients: Array.from({ length: MAX_RECIPIENTS + 1 }, () => '1') },
      /at most 10000 recipients/,
    ],
    ['a list of groups', { ...body, to: undefined, recipient_type: 'group', recipients: ['1'] }, /one group at a time/],
    ['lines without a list', { ...body, lines: true }, /"lines" goes with a list/],
    ['an unknown field', { ...body, tpye: 'text' }, /not known here: tpye/],
    ['an unknown type', { ...body, type: 'video_note' }, /"type"/],
    ['no content', { phone_number_id: NUMBER, to: '1', type: 'image' }, /needs the object "image"/],
    ['content of another type', { ...body, text: { body: 'x' } }, /cannot have "text" as well/],
    ['content without a type', { phone_number_id: NUMBER, to: '1', template }, /say "template"/],
    ['a template without a name', { ...body, template: {} }, /"template.name"/],
    [
      'media with two places',
      { ...body, type: 'image', template: undefined, image: { id: '1', link: 'x' } },
      /either "id"/,
    ],
    ['another product', { ...body, messaging_product: 'sms' }, /"messaging_product"/],
    ['a list for a body', [], /The body/],
  ])('is refused with %s', (_, given, message) => {
    const read = parseSendRequest(given);
    expect(read.ok ? '' : read.message).toMatch(message);
  });
});

describe('a reading that is kept', () => {
  it('is read once for all requests during the reading, and again for later ones when nothing is kept', async () => {
    let reads = 0;
    const kept = new KeptReading(0, () => Promise.resolve(++reads));
    expect(await Promise.all([kept.get(), kept.get()])).toEqual([1, 1]);
    expect(await kept.get()).toBe(2);
  });

  it('is given what was read before, and is not kept when it fails', async () => {
    let fails = true;
    const kept = new KeptReading<number>(0, (before) =>
      fails ? Promise.reject(new Error('away')) : Promise.resolve((before ?? 0) + 1),
    );
    await expect(kept.get()).rejects.toThrow('away');
    fails = false;
    expect(await kept.get()).toBe(1);
    expect(await kept.get()).toBe(2);
  });

  it('is not read again while it is current', async () => {
    let reads = 0;
    const kept = new KeptReading(3_600_000, () => Promise.resolve(++reads));
    expect([await kept.get(), await kept.get()]).toEqual([1, 1]);
  });
});
