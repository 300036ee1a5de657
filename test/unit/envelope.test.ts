import { describe, expect, it } from 'vitest';
import { expandEnvelope, isEnvelope } from '@ctwa-ledger/schemas/envelope.ts';
import { parseEvent, type LedgerEvent } from '@ctwa-ledger/schemas/event.ts';

/** Sample payloads of Meta's documentation, verbatim or shortened. */
const SAMPLES = {
  adText:
    '{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550783881","phone_number_id":"106540352242922"},"contacts":[{"profile":{"name":"Sheena Nelson"},"wa_id":"16505551234"}],"messages":[{"referral":{"source_url":"https://fb.me/3cr4Wqqkv","source_id":"120226305854810726","source_type":"ad","body":"Summer Succulents are here!","headline":"Chat with us","media_type":"image","image_url":"https://scontent.xx.fbcdn.net/v/t45.1...","ctwa_clid":"Aff-n8ZTODiE79d22KtAwQKj9e_mIEOOj27vDVwFjN80dp4_0NiNhEgpGo0AHemvuSoifXaytfTzcchptiErTKCqTrJ5nW1h7IHYeYymGb5K5J5iTROpBhWAGaIAeUzHL50","welcome_message":{"text":"Hi there! Let us know how we can help!"}},"from":"16505551234","id":"wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQUQ0N0VFMDA2MTQ0RkJFNkNDNAA=","timestamp":"1750275992","text":{"body":"Can I get more info about this?"},"type":"text"}]},"field":"messages"}]}]}',
  adAudio:
    '{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550783881","phone_number_id":"106540352242922"},"contacts":[{"profile":{"name":"Ana"},"wa_id":"573001112233"}],"messages":[{"referral":{"source_url":"https://fb.me/abc","source_id":"120226305854810999","source_type":"ad","headline":"Chat with us","media_type":"video","video_url":"https://scontent.xx.fbcdn.net/v/t45.2...","thumbnail_url":"https://scontent.xx.fbcdn.net/v/t45.3..."},"from":"573001112233","id":"wamid.AUDIO1","timestamp":"1790000000","type":"audio","audio":{"mime_type":"audio/ogg; codecs=opus","sha256":"abc=","id":"1908647269898587","voice":true}}]},"field":"messages"}]}]}',
  usernameUser:
    '{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550783881","phone_number_id":"106540352242922"},"contacts":[{"profile":{"name":"Pablo M.","username":"@pablomorales"},"user_id":"US.13491208655302741918"}],"messages":[{"from_user_id":"US.13491208655302741918","id":"wamid.BSUID1","timestamp":"1790000100","type":"text","text":{"body":"Hello from the ad"},"referral":{"source_url":"https://fb.me/abc","source_id":"120226305854810726","source_type":"ad","ctwa_clid":"ARxxx"}}]},"field":"messages"}]}]}',
  replyWithContext:
    '{"object":"whatsapp_business_account","entry":[{"id":"419561257915477","changes":[{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550783881","phone_number_id":"106540352242922"},"contacts":[{"profile":{"name":"Sheena Nelson"},"wa_id":"16505551234"}],"messages":[{"context":{"from":"15550783881","id":"wamid.HBgLMTY1MDM4Nzk0MzkVAgARGA9wcm9kdWN0X2lucXVpcnkA","referred_product":{"catalog_id":"194836987003835","product_retailer_id":"di9ozbzfi4"}},"from":"16505551234","id":"wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQTA2NTUwRkNEMDdFQjJCRUU0NQA=","timestamp":"1750016800","text":{"body":"Is this still available?"},"type":"text"}]},"field":"messages"}]}]}',
  sentInWindow:
    '{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550783881","phone_number_id":"106540352242922"},"contacts":[{"profile":{"name":"Sheena Nelson"},"wa_id":"16505551234","user_id":"US.13491208655302741918"}],"statuses":[{"id":"wamid.REPLY1","status":"sent","timestamp":"1750276592","recipient_id":"16505551234","recipient_user_id":"US.13491208655302741918","conversation":{"id":"8f842dbba350821654c9dfed31f5635c","expiration_timestamp":"1750535792","origin":{"type":"referral_conversion"}},"pricing":{"billable":false,"pricing_model":"PMP","type":"free_entry_point","category":"referral_conversion"}}]},"field":"messages"}]}]}',
  deliveredInWindow:
    '{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550783881","phone_number_id":"106540352242922"},"contacts":[{"profile":{"name":"Sheena Nelson"},"wa_id":"16505551234","user_id":"US.13491208655302741918"}],"statuses":[{"id":"wamid.REPLY1","status":"delivered","timestamp":"1750276595","recipient_id":"16505551234","recipient_user_id":"US.13491208655302741918","conversation":{"id":"8f842dbba350821654c9dfed31f5635c","origin":{"type":"referral_conversion"}},"pricing":{"billable":false,"pricing_model":"PMP","type":"free_entry_point","category":"referral_conversion"}}]},"field":"messages"}]}]}',
  sentMarketingV23:
    '{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550783881","phone_number_id":"106540352242922"},"statuses":[{"id":"wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQUFERjg0NDEzNDdFODU3MUMxMAA=","status":"sent","timestamp":"1750030073","recipient_id":"16505551234","conversation":{"id":"72b14d6bd5407799e66f64d1b338e567","expiration_timestamp":"1750116480","origin":{"type":"marketing"}},"pricing":{"billable":true,"pricing_model":"PMP","type":"regular","category":"marketing"}}]},"field":"messages"}]}]}',
  sentBare:
    '{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550783881","phone_number_id":"106540352242922"},"statuses":[{"id":"wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQUFERjg0NDEzNDdFODU3MUMxMAA=","status":"sent","timestamp":"1750030073","recipient_id":"16505551234"}]},"field":"messages"}]}]}',
  deliveredToUserId:
    '{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550783881","phone_number_id":"106540352242922"},"contacts":[{"profile":{"name":"Pablo M.","username":"@pablomorales"},"user_id":"US.13491208655302741918","parent_user_id":"US.ENT.11815799212886844830"}],"statuses":[{"id":"wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQUFERjg0NDEzNDdFODU3MUMxMAA=","status":"delivered","timestamp":"1750030073","recipient_user_id":"US.13491208655302741918","recipient_parent_user_id":"US.ENT.11815799212886844830","pricing":{"billable":true,"pricing_model":"PMP","type":"regular","category":"marketing"}}]},"field":"messages"}]}]}',
  failed:
    '{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550783881","phone_number_id":"106540352242922"},"statuses":[{"id":"wamid.HBgLMTY1MDM4Nzk0MzkVAgARGBI0QUQ2MjA4NEYyRkExNjMyREUA","status":"failed","timestamp":"1751142888","recipient_id":"16505551234","errors":[{"code":131049,"title":"This message was not delivered to maintain healthy ecosystem engagement.","message":"This message was not delivered to maintain healthy ecosystem engagement.","error_data":{"details":"In order to maintain a healthy ecosystem engagement, the message failed to be delivered."},"href":"/documentation/business-messaging/whatsapp/support/error-codes"}]}]},"field":"messages"}]}]}',
  pricingObjects:
    '{"service_in_csw_before_oct_2026":{"billable":false,"pricing_model":"PMP","type":"free_customer_service","category":"service"},"utility_in_csw_before_oct_2026":{"billable":false,"pricing_model":"PMP","type":"free_customer_service","category":"utility"},"service_in_free_tier_from_oct_2026":{"billable":false,"pricing_model":"PMP","type":"free_customer_service","category":"service"},"service_after_free_tier_from_oct_2026":{"billable":true,"pricing_model":"PMP","type":"regular","category":"service"},"utility_in_csw_from_oct_2026":{"billable":true,"pricing_model":"PMP","type":"regular","category":"utility"},"cbp_free_entry_point":{"billable":false,"pricing_model":"CBP","category":"referral_conversion"}}',
  groupStatus:
    '{"id":"wamid.GROUP1","status":"delivered","timestamp":"1790000000","recipient_id":"120363000000000000","recipient_type":"group","recipient_participant_id":"16505551234","recipient_participant_user_id":"US.13491208655302741918","pricing":{"billable":true,"pricing_model":"PMP","type":"regular","category":"group_marketing"}}',
  echo: '{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550783881","phone_number_id":"106540352242922"},"message_echoes":[{"from":"15550783881","to":"16505551234","to_user_id":"US.13491208655302741918","id":"wamid.ECHO1","timestamp":"1750276592","type":"text","text":{"body":"Hi, how can I help?"}}]},"field":"smb_message_echoes"}]}]}',
  identityChange:
    '{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550783881","phone_number_id":"106540352242922"},"messages":[{"id":"wamid.SYS1","timestamp":"1790000000","type":"system","system":{"type":"user_changed_user_id","body":"User changed","user_id":"US.99999999999999999999","previous_user_id":"US.13491208655302741918"}}]},"field":"messages"}]}]}',
  tierUpdate:
    '{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","time":1743451903,"changes":[{"value":{"volume_tier_info":{"tier_update_time":1743451903,"pricing_category":"UTILITY","tier":"25000001:50000000","effective_month":"2025-11","region":"India"},"event":"VOLUME_BASED_PRICING_TIER_UPDATE"},"field":"account_update"}]}]}',
  automaticEvents:
    '{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550783881","phone_number_id":"106540352242922"},"automatic_events":[{"id":"wamid.EV1","event_name":"Purchase","timestamp":1790000000,"ctwa_clid":"Aff-n8ZT","custom_data":{"currency":"USD","value":25000}}]},"field":"automatic_events"}]}]}',
};

const NOW = 1_795_000_000;

/** The raw events of an envelope that is not rejected. */
function expanded(envelope: unknown): Record<string, unknown>[] {
  const result = expandEnvelope(envelope);
  if (!result.ok) throw new Error(result.rejection.message);
  return result.events;
}

function sample(name: keyof typeof SAMPLES): Record<string, unknown>[] {
  const envelope: unknown = JSON.parse(SAMPLES[name]);
  expect(isEnvelope(envelope)).toBe(true);
  return expanded(envelope);
}

function parsed(raw: Record<string, unknown>): LedgerEvent {
  const result = parseEvent(raw, NOW);
  if (!result.ok) throw new Error(result.rejection.message);
  return result.event;
}

function isUsable(raw: Record<string, unknown>): boolean {
  return parseEvent(raw, NOW).ok;
}

const METADATA = { display_phone_number: '15550783881', phone_number_id: '106540352242922' };

/** An envelope with one change. */
function envelopeOf(value: unknown, field: unknown = 'messages'): unknown {
  return { object: 'whatsapp_business_account', entry: [{ id: 'waba', changes: [{ value, field }] }] };
}

describe('isEnvelope', () => {
  it('asks for the object name only', () => {
    expect(isEnvelope({ object: 'whatsapp_business_account' })).toBe(true);
    expect(isEnvelope({ object: 'whatsapp_business_account', entry: 7 })).toBe(true);
    for (const value of [null, undefined, 1, 'whatsapp_business_account', [], {}, { object: 'page', entry: [] }])
      expect(isEnvelope(value)).toBe(false);
  });
});

describe('expandEnvelope on the documented samples', () => {
  it('takes an ad message with its referral and without its text', () => {
    const [raw, ...rest] = sample('adText');
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
    const [raw] = sample('adAudio');
    expect(JSON.stringify(raw)).not.toContain('1908647269898587');
    expect(parsed(raw!)).toMatchObject({
      type: 'audio',
      customer: '573001112233',
      referral_source_id: '120226305854810999',
      referral_ctwa_clid: '',
    });
  });

  it('takes a customer without a phone number', () => {
    const [raw] = sample('usernameUser');
    expect(raw).not.toHaveProperty('wa_id');
    expect(parsed(raw!)).toMatchObject({ customer: 'US.13491208655302741918', user_id: 'US.13491208655302741918' });
  });

  it('passes the context on', () => {
    const [raw] = sample('replyWithContext');
    expect(raw!['context']).toMatchObject({ from: '15550783881', referred_product: { catalog_id: '194836987003835' } });
    expect(parsed(raw!)).toMatchObject({ waba_id: '419561257915477', type: 'text' });
  });

  it('takes statuses with conversation, pricing and recipient', () => {
    expect(sample('sentInWindow')).toEqual([
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
    expect(parsed(sample('deliveredInWindow')[0]!)).toMatchObject({ status: 'delivered', conversation_expiration: -1 });
    expect(parsed(sample('sentMarketingV23')[0]!)).toMatchObject({
      pricing_category: 'marketing',
      pricing_billable: 1,
    });
    expect(sample('sentBare')).toEqual([
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
    expect(parsed(sample('deliveredToUserId')[0]!)).toMatchObject({ wa_id: '', customer: 'US.13491208655302741918' });
    expect(parsed(sample('failed')[0]!)).toMatchObject({
      status: 'failed',
      errors: expect.stringContaining('131049') as string,
    });
  });

  it('takes every pricing object', () => {
    const objects = Object.values(JSON.parse(SAMPLES.pricingObjects) as Record<string, unknown>);
    const statuses = objects.map((pricing, i) => ({ id: `m${i}`, status: 'sent', timestamp: '1750030073', pricing }));
    const events = expanded(envelopeOf({ metadata: METADATA, statuses }));
    expect(events.map((raw) => raw['pricing'])).toEqual(objects);
    expect(events.every(isUsable)).toBe(true);
  });

  it('takes a group status with its participant', () => {
    const contacts = [{ wa_id: '16505551234', user_id: 'US.1' }];
    const status = JSON.parse(SAMPLES.groupStatus) as Record<string, unknown>;
    const { recipient_participant_id: _, ...byUserId } = status;
    const [byPhone, byId] = expanded(envelopeOf({ metadata: METADATA, contacts, statuses: [status, byUserId] }));
    expect(byPhone).toMatchObject({ wa_id: '120363000000000000', participant: '16505551234' });
    expect(byPhone).not.toHaveProperty('user_id');
    expect(byId).toMatchObject({ wa_id: '120363000000000000', participant: 'US.13491208655302741918' });
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
    expect(parsed(sample('identityChange')[0]!)).toMatchObject({ type: 'system', customer: 'US.13491208655302741918' });
  });

  it('skips changes that hold no events', () => {
    expect(sample('tierUpdate')).toEqual([]);
    expect(sample('automaticEvents')).toEqual([]);
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
    const callback = { ...status, biz_opaque_callback_data: 'secret' };
    const [sent] = expanded(envelopeOf({ metadata: METADATA, statuses: [callback] }));
    expect(JSON.stringify([raw, sent])).not.toContain('secret');
  });

  it.each(['message_echoes', 'smb_message_echoes', 'standby'])('takes echoes, messages and statuses of %s', (field) => {
    const echo = { from: '15550783881', to: '16505551234', id: 'wamid.E', timestamp: '1750276592', type: 'image' };
    const value = { metadata: METADATA, messages: [inbound], message_echoes: [echo], statuses: [status] };
    const events = expanded(envelopeOf(value, field));
    expect(events.map((raw) => raw['direction'] ?? raw['event'])).toEqual(['inbound', 'outbound', 'status']);
    expect(events.every(isUsable)).toBe(true);
  });

  it('skips the statuses of calls', () => {
    expect(expanded(envelopeOf({ metadata: METADATA, statuses: [{ ...status, type: 'call' }] }, 'calls'))).toEqual([]);
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
    const events = expanded(envelopeOf({ metadata: METADATA, messages, statuses: [status, 'x'] }));
    expect(events.map(isUsable)).toEqual([true, false, false, false, false, false, true, true, false]);
    expect(events[1]).toMatchObject({ envelope_path: 'entry[0].changes[0].value.messages[1]' });
  });

  it('gives one failing event for each part of the wrong shape', () => {
    const good = { id: 'w', changes: [{ field: 'messages', value: { metadata: METADATA, messages: [inbound] } }] };
    const broken = [null, 5, 'x', {}, { changes: 3 }, { changes: null }, { changes: [null] }, { changes: [{}] }];
    for (const entry of broken) {
      const events = expanded({ object: 'whatsapp_business_account', entry: [entry, good] });
      expect(events.map(isUsable)).toEqual([false, true]);
    }
    for (const value of [null, 4, 'x', [], { messages: 4 }, { statuses: 'x' }, { message_echoes: {} }]) {
      const events = expanded(envelopeOf(value));
      expect(events.map(isUsable)).toEqual([false]);
    }
    for (const field of [undefined, null, 4])
      expect(expanded(envelopeOf({ metadata: METADATA, messages: [inbound] }, field ?? null)).map(isUsable)).toEqual([
        false,
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
    for (const entry of [undefined, null, 3, 'x', {}]) {
      const result = expandEnvelope({ object: 'whatsapp_business_account', entry });
      expect(result).toMatchObject({ ok: false, rejection: { code: 'schema' } });
      if (!result.ok) expect(result.rejection.message).toContain('"entry"');
    }
    expect(expanded({ object: 'whatsapp_business_account', entry: [] })).toEqual([]);
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
