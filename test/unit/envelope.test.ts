import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { namesOfCustomer } from '@ctwa-ledger/schemas/event.ts';
import { brokenParts, envelopeOf, expanded, isUsable, METADATA, parsed, taken } from '../support/envelopes.ts';

/** What a file of test/cases/envelopes holds: sample payloads of Meta's documentation, verbatim or shortened. */
function contentOf(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../cases/envelopes/${name}.json`, import.meta.url), 'utf8'));
}

function sample(name: string): Record<string, unknown>[] {
  return expanded(contentOf(name));
}

describe('expandEnvelope on the documented samples', () => {
  it('takes an ad message with its referral and without its text', () => {
    const [raw, ...rest] = sample('ad-text');
    expect(rest).toEqual([]);
    expect(raw).toMatchObject({
      event: 'message',
      direction: 'inbound',
      waba_id: '102290129340398',
      phone_number_id: '106540352242922',
      wa_id: '16505551234',
      id: 'wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQUQ0N0VFMDA2MTQ0RkJFNkNDNAA=',
      timestamp: '1750275992',
      type: 'text',
      referral: { source_type: 'ad', source_id: '120226305854810726', headline: 'Chat with us', media_type: 'image' },
    });
    expect(JSON.stringify(raw)).not.toMatch(/Can I get more info|Sheena/);
    expect(parsed(raw!)).toMatchObject({ customer: '16505551234', referral_source_type: 'ad' });
  });

  it('takes an ad message that is not text and has no click id', () => {
    const [raw] = sample('ad-audio');
    expect(JSON.stringify(raw)).not.toContain('1908647269898587');
    expect(parsed(raw!)).toMatchObject({
      type: 'audio',
      customer: '573001112233',
      referral_source_id: '120226305854810999',
      referral_ctwa_clid: '',
    });
  });

  it('takes a customer without a phone number', () => {
    const [raw] = sample('username-user');
    expect(raw).not.toHaveProperty('wa_id');
    expect(parsed(raw!)).toMatchObject({ customer: 'US.13491208655302741918', user_id: 'US.13491208655302741918' });
  });

  it('passes the context on', () => {
    const [raw] = sample('reply-with-context');
    expect(raw!['context']).toMatchObject({ from: '15550783881', referred_product: { catalog_id: '194836987003835' } });
    expect(parsed(raw!)).toMatchObject({ waba_id: '419561257915477', type: 'text' });
  });

  it('takes statuses with conversation, pricing and recipient', () => {
    expect(sample('sent-in-window')).toEqual([
      {
        event: 'status',
        waba_id: '102290129340398',
        phone_number_id: '106540352242922',
        wa_id: '16505551234',
        user_id: 'US.13491208655302741918',
        id: 'wamid.REPLY1',
        status: 'sent',
        timestamp: '1750276592',
        conversation: {
          id: '8f842dbba350821654c9dfed31f5635c',
          expiration_timestamp: '1750535792',
          origin: { type: 'referral_conversion' },
        },
        pricing: { billable: false, pricing_model: 'PMP', type: 'free_entry_point', category: 'referral_conversion' },
      },
    ]);
    expect(parsed(sample('delivered-in-window')[0]!)).toMatchObject({
      status: 'delivered',
      conversation_expiration: -1,
    });
    expect(parsed(sample('sent-marketing-v23')[0]!)).toMatchObject({
      pricing_category: 'marketing',
      pricing_billable: 1,
    });
    expect(sample('sent-bare')).toEqual([
      {
        event: 'status',
        waba_id: '102290129340398',
        phone_number_id: '106540352242922',
        wa_id: '16505551234',
        id: 'wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQUFERjg0NDEzNDdFODU3MUMxMAA=',
        status: 'sent',
        timestamp: '1750030073',
      },
    ]);
    expect(parsed(sample('delivered-to-user-id')[0]!)).toMatchObject({
      wa_id: '',
      customer: 'US.13491208655302741918',
    });
    expect(parsed(sample('failed')[0]!)).toMatchObject({
      status: 'failed',
      errors: expect.stringContaining('131049') as string,
    });
  });

  it('takes every pricing object', () => {
    const objects = Object.values(contentOf('pricing-objects') as Record<string, unknown>);
    const statuses = objects.map((pricing, i) => ({ id: `m${i}`, status: 'sent', timestamp: '1750030073', pricing }));
    const events = expanded(envelopeOf({ metadata: METADATA, statuses }));
    expect(events.map((raw) => raw['pricing'])).toEqual(objects);
    expect(events.every(isUsable)).toBe(true);
  });

  it('takes a group status with its participant', () => {
    const contacts = [{ wa_id: '16505551234', user_id: 'US.1' }];
    const status = contentOf('group-status') as Record<string, unknown>;
    const { recipient_participant_id: _, ...byUserId } = status;
    const [byPhone, byId] = expanded(envelopeOf({ metadata: METADATA, contacts, statuses: [status, byUserId] }));
    expect(byPhone).toMatchObject({ group_id: '120363000000000000', participant: '16505551234' });
    expect(byPhone).not.toHaveProperty('wa_id');
    expect(byPhone).not.toHaveProperty('user_id');
    expect(byId).toMatchObject({ group_id: '120363000000000000', participant: 'US.13491208655302741918' });
    expect(parsed(byPhone!)).toMatchObject({ customer: '120363000000000000', pricing_category: 'group_marketing' });
  });

  it('takes a message echo as an outbound message of the app', () => {
    const [raw] = sample('echo');
    expect(raw).toEqual({
      event: 'message',
      direction: 'outbound',
      waba_id: '102290129340398',
      phone_number_id: '106540352242922',
      wa_id: '16505551234',
      user_id: 'US.13491208655302741918',
      id: 'wamid.ECHO1',
      timestamp: '1750276592',
      type: 'text',
      origin: 'app',
    });
    expect(isUsable(raw!)).toBe(true);
  });

  it('takes an identity change on the thread of the old identity', () => {
    expect(parsed(sample('identity-change')[0]!)).toMatchObject({
      type: 'system',
      customer: 'US.13491208655302741918',
    });
  });

  it('keeps the previous and the new names of a change, and nothing else of it', () => {
    expect(namesOfCustomer(parsed(sample('identity-change')[0]!))).toEqual([
      'US.13491208655302741918',
      'US.99999999999999999999',
    ]);
    const system = { body: 'changed to +1 219', type: 'user_changed_number', wa_id: '+1 (219) 555-5358', identity: 7 };
    const message = { from: '16505551234', id: 'wamid.S', timestamp: '1750275992', type: 'system', system };
    const [raw] = expanded(envelopeOf({ metadata: METADATA, messages: [message] }));
    expect(raw?.['system']).toEqual({ type: 'user_changed_number', wa_id: '+1 (219) 555-5358' });
    expect(namesOfCustomer(parsed(raw!))).toEqual(['16505551234', '12195555358']);
  });

  it.each([
    ['messages', 'messages', { from: '1', from_parent_user_id: 'US.ENT.1' }],
    ['message_echoes', 'smb_message_echoes', { to: '1', to_parent_user_id: 'US.ENT.1' }],
    ['statuses', 'messages', { recipient_id: '1', recipient_parent_user_id: 'US.ENT.1', status: 'sent' }],
    ['calls', 'calls', { from: '1', from_parent_user_id: 'US.ENT.1', direction: 'USER_INITIATED' }],
    ['user_preferences', 'user_preferences', { wa_id: '1', parent_user_id: 'US.ENT.1', category: 'c', value: 'stop' }],
  ])('keeps the parent id of %s', (list, field, names) => {
    const item = { id: 'wamid.P', timestamp: '1750275992', type: list === 'statuses' ? 'message' : 'text', ...names };
    const [raw] = expanded(envelopeOf({ metadata: METADATA, [list]: [item] }, field));
    expect(parsed(raw!)).toMatchObject({ wa_id: '1', parent_user_id: 'US.ENT.1' });
  });

  it('gives a part that is named no name of a contact that may be somebody else’s', () => {
    const contacts = [{ user_id: 'US.1', parent_user_id: 'US.ENT.1' }];
    const of = (messages: readonly object[]): readonly unknown[] =>
      expanded(envelopeOf({ metadata: METADATA, contacts, messages })).map((raw) => namesOfCustomer(parsed(raw)));
    const message = { id: 'wamid.C', timestamp: '1750275992', type: 'text' };
    expect(of([{ ...message, from: '1' }])).toEqual([['1', 'US.1', 'US.ENT.1']]);
    expect(
      of([
        { ...message, from: '1' },
        { ...message, from_user_id: 'US.1' },
      ]),
    ).toEqual([['1'], ['US.1', 'US.ENT.1']]);
  });

  it('skips changes that hold no events', () => {
    expect(sample('tier-update')).toEqual([]);
  });

  it('takes an outcome that Meta noticed as an event of its own, which names a click and no customer', () => {
    const [raw] = sample('automatic-events');
    expect(parsed(raw!)).toMatchObject({
      id: 'automatic_events:Purchase:wamid.EV1',
      type: 'automatic_events',
      direction: 'inbound',
      customer: '',
      timestamp: 1_790_000_000,
      referral_source_type: '',
      referral_ctwa_clid: 'Aff-n8ZT',
      context: '{"custom_data":{"currency":"USD","value":25000},"event_name":"Purchase"}',
    });
  });
});

describe('expandEnvelope', () => {
  const inbound = { from: '16505551234', id: 'wamid.1', timestamp: '1750275992', type: 'text' };
  const status = { id: 'wamid.2', status: 'sent', timestamp: '1750275992' };

  it('takes everything out of several entries and changes', () => {
    const change = (id: string): unknown => ({
      field: 'messages',
      value: { metadata: METADATA, messages: [{ ...inbound, id }], statuses: [{ ...status, id: `${id}s` }] },
    });
    const events = expanded({
      object: 'whatsapp_business_account',
      entry: [
        { id: 'w1', changes: [change('a'), { field: 'account_update', value: {} }, change('b')] },
        { id: 'w2', changes: [change('c')] },
        { id: 'w3', changes: [] },
      ],
    });
    expect(events.map((raw) => [raw['waba_id'], raw['id']])).toEqual([
      ['w1', 'a'],
      ['w1', 'as'],
      ['w1', 'b'],
      ['w1', 'bs'],
      ['w2', 'c'],
      ['w2', 'cs'],
    ]);
    expect(events.every(isUsable)).toBe(true);
  });

  it('keeps unknown message types and drops the rest of what it does not need', () => {
    const message = { ...inbound, type: 'hologram', hologram: { body: 'secret' }, biz_opaque_callback_data: 'secret' };
    const [raw] = expanded(envelopeOf({ metadata: METADATA, messages: [message] }));
    expect(raw).toMatchObject({ type: 'hologram' });
    expect(JSON.stringify(raw)).not.toContain('secret');
  });

  it('takes what the sender attached to a message from its statuses', () => {
    const tagged = { ...status, biz_opaque_callback_data: 'spring-campaign' };
    const [raw] = expanded(envelopeOf({ metadata: METADATA, statuses: [tagged] }));
    expect(parsed(raw!).tag).toBe('spring-campaign');
    const [nonsense] = expanded(
      envelopeOf({ metadata: METADATA, statuses: [{ ...tagged, biz_opaque_callback_data: 7 }] }),
    );
    expect(isUsable(nonsense!)).toBe(false);
  });

  it('takes the errors of messages and statuses as they came', () => {
    const errors = [{ code: 131060, title: 'This message is unavailable' }];
    const unavailable = { ...inbound, type: 'unsupported', errors };
    const events = expanded(
      envelopeOf({ metadata: METADATA, messages: [unavailable], statuses: [{ ...status, status: 'failed', errors }] }),
    );
    for (const raw of events)
      expect(parsed(raw).errors).toBe('[{"code":131060,"title":"This message is unavailable"}]');
    for (const none of [null, [], {}, '']) {
      const [raw] = expanded(envelopeOf({ metadata: METADATA, messages: [{ ...inbound, errors: none }] }));
      expect(parsed(raw!).errors).toBe('');
    }
  });

  it.each(['message_echoes', 'smb_message_echoes', 'standby'])('takes echoes, messages and statuses of %s', (field) => {
    const echo = { from: '15550783881', to: '16505551234', id: 'wamid.E', timestamp: '1750276592', type: 'image' };
    const value = { metadata: METADATA, messages: [inbound], message_echoes: [echo], statuses: [status] };
    const events = expanded(envelopeOf(value, field));
    expect(events.map((raw) => raw['direction'] ?? raw['event'])).toEqual(['inbound', 'outbound', 'status']);
    expect(events.every(isUsable)).toBe(true);
  });

  it('takes statuses of messages, not those of payments and calls', () => {
    const own = ['message', undefined, null, ''].map((type, i) => ({ ...status, id: `wamid.${i}`, type }));
    const others = ['payment', 'call', 'something_new', 5, {}].map((type) => ({ ...status, id: 'wamid.0', type }));
    const events = expanded(envelopeOf({ metadata: METADATA, statuses: [...others, ...own, ...others] }));
    expect(events.map((raw) => raw['id'])).toEqual(own.map(({ id }) => id));
    expect(expanded(envelopeOf({ metadata: METADATA, statuses: [status] }, 'calls'))).toEqual([]);
  });

  it('takes messages of a group on the thread of the group', () => {
    const group_id = 'Y2FwaV9ncm91cDoxNzA1NTU1MDEzOToxMjAzNjM0MDQ2OTQyMzM4MjAZD';
    const echo = { ...inbound, to: '16505551234', group_id };
    const sent = { ...status, recipient_id: group_id, recipient_type: 'group' };
    const value = {
      metadata: METADATA,
      messages: [{ ...inbound, group_id }],
      message_echoes: [echo],
      statuses: [sent],
    };
    const events = expanded(envelopeOf(value)).map(parsed);
    expect(events.map(({ customer, wa_id }) => [customer, wa_id])).toEqual([
      [group_id, '16505551234'],
      [group_id, '16505551234'],
      [group_id, ''],
    ]);
    const withPhone = { ...sent, recipient_participant_id: '+55 (11) 90000-0001' };
    const [participant] = expanded(envelopeOf({ metadata: METADATA, statuses: [withPhone] })).map(parsed);
    expect(participant).toMatchObject({ customer: group_id, participant: '5511900000001' });
  });

  it.each([7, {}, { a: 1 }, ['x'], true])('refuses the message or status whose group is %j, and no other', (group) => {
    const messages = [{ ...inbound, group_id: group }, inbound];
    const statuses = [{ ...status, recipient_type: 'group', recipient_id: group }, status];
    const events = expanded(envelopeOf({ metadata: METADATA, messages, statuses }));
    const isNamed = JSON.stringify(group) !== '{}';
    expect(events.map(isUsable)).toEqual([!isNamed, true, !isNamed, true]);
  });

  it('takes a call of a customer as an inbound message, and none of the business', () => {
    const call = { id: 'wacid.1', from: '4915112340009', to: '15550783881', event: 'connect', timestamp: '1750275992' };
    const calls = [
      { ...call, direction: 'USER_INITIATED', session: { sdp: 'secret' } },
      { ...call, id: 'wacid.2', direction: 'BUSINESS_INITIATED' },
      { ...call, id: 'wacid.3' },
    ];
    const contacts = [{ wa_id: '4915112340009', user_id: 'DE.1' }];
    const events = expanded(envelopeOf({ metadata: METADATA, contacts, calls }, 'calls'));
    expect(events).toEqual([
      {
        event: 'message',
        direction: 'inbound',
        waba_id: 'waba',
        phone_number_id: '106540352242922',
        wa_id: '4915112340009',
        user_id: 'DE.1',
        id: 'wacid.1',
        timestamp: '1750275992',
        type: 'call',
      },
    ]);
    expect(expanded(envelopeOf({ metadata: METADATA, calls, messages: [inbound] }))).toHaveLength(1);
  });

  it('loses only the call that is broken', () => {
    const call = { from: '4915112340009', timestamp: '1750275992', direction: 'USER_INITIATED' };
    const calls = [
      call,
      null,
      { ...call, id: 'wacid.1' },
      { ...call, id: 0 },
      'x',
      { ...call, from: undefined, id: 'a' },
      {},
    ];
    const result = taken(envelopeOf({ metadata: METADATA, calls }, 'calls'));
    expect(result.events.map(isUsable)).toEqual([false, true, false, false]);
    expect(brokenParts(envelopeOf({ metadata: METADATA, calls }, 'calls'))).toEqual([
      'entry[0].changes[0].value.calls[1]',
      'entry[0].changes[0].value.calls[4]',
    ]);
    expect(brokenParts(envelopeOf({ metadata: METADATA, calls: 'x' }, 'calls'))).toEqual([
      'entry[0].changes[0].value.calls',
    ]);
  });

  it('finds the contact of a business-scoped id that stands in a phone field', () => {
    const contacts = [{ wa_id: '5511900000001', user_id: 'BR.1' }, { wa_id: 'BR.2' }];
    const messages = ['BR.1', 'BR.2', 'BR.3'].map((from) => ({ ...inbound, from }));
    const events = expanded(envelopeOf({ metadata: METADATA, contacts, messages })).map(parsed);
    expect(events.map(({ wa_id, user_id }) => [wa_id, user_id])).toEqual([
      ['5511900000001', 'BR.1'],
      ['', 'BR.2'],
      ['', 'BR.3'],
    ]);
    const alone = {
      metadata: METADATA,
      contacts: contacts.slice(0, 1),
      statuses: [{ ...status, recipient_id: 'BR.1' }],
    };
    expect(expanded(envelopeOf(alone)).map(parsed)).toMatchObject([{ wa_id: '5511900000001', user_id: 'BR.1' }]);
  });

  it('completes the customer of a message from the matching or the only contact', () => {
    const contacts = [
      { wa_id: '1', user_id: 'US.1' },
      { wa_id: '2', user_id: 'US.2' },
    ];
    const { from: _, ...unnamed } = inbound;
    const messages = [{ ...inbound, from: '2' }, { ...unnamed, from_user_id: 'US.1' }, unnamed];
    const events = expanded(envelopeOf({ metadata: METADATA, contacts, messages }));
    expect(events.map((raw) => [raw['wa_id'], raw['user_id']])).toEqual([
      ['2', 'US.2'],
      ['1', 'US.1'],
      [undefined, undefined],
    ]);
    const [only] = expanded(envelopeOf({ metadata: METADATA, contacts: contacts.slice(1), messages: [unnamed] }));
    expect(only).toMatchObject({ wa_id: '2', user_id: 'US.2' });
    const [other] = expanded(envelopeOf({ metadata: METADATA, contacts: contacts.slice(1), messages: [inbound] }));
    expect(other).not.toHaveProperty('user_id');
    const echo = { id: 'wamid.E', timestamp: '1750276592', type: 'text' };
    const echoes = { metadata: METADATA, contacts: contacts.slice(0, 1), message_echoes: [echo] };
    expect(expanded(envelopeOf(echoes, 'smb_message_echoes'))[0]).toMatchObject({ wa_id: '1', user_id: 'US.1' });
  });

  it('completes the recipient of a status from the only contact, and never guesses', () => {
    const contacts = [{ wa_id: '1', user_id: 'US.1' }];
    const [alone] = expanded(envelopeOf({ metadata: METADATA, contacts, statuses: [status] }));
    expect(alone).toMatchObject({ wa_id: '1', user_id: 'US.1' });
    const statuses = [{ ...status, recipient_id: '1' }, { ...status, recipient_id: '2' }, status];
    const several = expanded(envelopeOf({ metadata: METADATA, contacts, statuses }));
    expect(several.map((raw) => [raw['wa_id'], raw['user_id']])).toEqual([
      ['1', 'US.1'],
      ['2', undefined],
      [undefined, undefined],
    ]);
    const two = [...contacts, { wa_id: '2' }];
    const [unknown] = expanded(envelopeOf({ metadata: METADATA, contacts: two, statuses: [status] }));
    expect(unknown).not.toHaveProperty('wa_id');
    expect(isUsable(unknown!)).toBe(true);
  });

  it('loses only the broken item', () => {
    const messages = [inbound, null, 7, [], { ...inbound, id: undefined }, { ...inbound, timestamp: 'now' }, inbound];
    const envelope = envelopeOf({ metadata: METADATA, messages, statuses: [status, 'x'] });
    expect(taken(envelope).events.map(isUsable)).toEqual([true, false, false, true, true]);
    const path = 'entry[0].changes[0].value';
    expect(brokenParts(envelope)).toEqual([
      `${path}.messages[1]`,
      `${path}.messages[2]`,
      `${path}.messages[3]`,
      `${path}.statuses[1]`,
    ]);
  });

  it('names each part of the wrong shape', () => {
    const good = { id: 'w', changes: [{ field: 'messages', value: { metadata: METADATA, messages: [inbound] } }] };
    const broken: [unknown, string][] = [
      [null, 'entry[0]'],
      [5, 'entry[0]'],
      ['x', 'entry[0]'],
      [{}, 'entry[0].changes'],
      [{ changes: 3 }, 'entry[0].changes'],
      [{ changes: null }, 'entry[0].changes'],
      [{ changes: [null] }, 'entry[0].changes[0]'],
      [{ changes: [{}] }, 'entry[0].changes[0].field'],
    ];
    for (const [entry, path] of broken) {
      const envelope = { object: 'whatsapp_business_account', entry: [entry, good] };
      expect(brokenParts(envelope)).toEqual([path]);
      expect(taken(envelope).events.map(isUsable)).toEqual([true]);
    }
    const values: [unknown, string][] = [
      [null, 'value'],
      [4, 'value'],
      ['x', 'value'],
      [[], 'value'],
      [{ messages: 4 }, 'value.messages'],
      [{ statuses: 'x' }, 'value.statuses'],
      [{ message_echoes: {} }, 'value.message_echoes'],
    ];
    for (const [value, path] of values) {
      expect(brokenParts(envelopeOf(value))).toEqual([`entry[0].changes[0].${path}`]);
      expect(taken(envelopeOf(value)).events).toEqual([]);
    }
    for (const field of [null, 4, {}])
      expect(brokenParts(envelopeOf({ metadata: METADATA, messages: [inbound] }, field))).toEqual([
        'entry[0].changes[0].field',
      ]);
    for (const value of [{}, { messages: null }, { messages: [], statuses: [] }])
      expect(expanded(envelopeOf(value))).toEqual([]);
  });

  it('lets items without a business number or with nonsense beside them fail or pass by themselves', () => {
    for (const metadata of [undefined, null, 3, { phone_number_id: 4 }])
      expect(expanded(envelopeOf({ metadata, messages: [inbound] })).map(isUsable)).toEqual([false]);
    for (const contacts of [null, 3, [null], [3], [{ wa_id: 5 }], {}])
      expect(expanded(envelopeOf({ metadata: METADATA, contacts, messages: [inbound] })).map(isUsable)).toEqual([true]);
  });

  it('rejects an envelope without a list of entries', () => {
    for (const entry of [undefined, null, 3, 'x', {}])
      expect(brokenParts({ object: 'whatsapp_business_account', entry })).toEqual(['entry']);
    expect(expanded({ object: 'whatsapp_business_account', entry: [] })).toEqual([]);
  });

  it('takes lists of junk as long as a value can hold, and names each', () => {
    const junk = Array.from({ length: 200_000 }, () => 0);
    for (const [list, field] of [
      ['messages', 'messages'],
      ['statuses', 'messages'],
      ['calls', 'calls'],
    ] as const)
      expect(taken(envelopeOf({ metadata: METADATA, [list]: junk }, field)).rejections).toHaveLength(junk.length);
  });

  it('takes 1,000 updates', () => {
    const messages = Array.from({ length: 1000 }, (_, i) => ({ ...inbound, id: `wamid.${i}`, from: `1650${i}` }));
    const contacts = messages.map(({ from }) => ({ wa_id: from, user_id: `US.${from}` }));
    const events = expanded(envelopeOf({ metadata: METADATA, contacts, messages }));
    expect(events).toHaveLength(1000);
    expect(events[999]).toMatchObject({ wa_id: '1650999', user_id: 'US.1650999', id: 'wamid.999' });
    expect(events.every(isUsable)).toBe(true);
  });
});
