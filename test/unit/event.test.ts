import { describe, expect, it } from 'vitest';
import { canonicalEvent, parseEvent } from '@ctwa-ledger/schemas/event.ts';
import { canonicalJson, compareUtf8 } from '@ctwa-ledger/schemas/json.ts';

const NOW = 1_790_000_000;
const message = {
  event: 'message',
  direction: 'inbound',
  phone_number_id: '1',
  wa_id: '+1 (650) 555-1234',
  id: 'wamid.A',
  timestamp: '1750275992',
  type: 'text',
};
const status = { event: 'status', phone_number_id: '1', id: 'wamid.A', status: 'sent', timestamp: 1750275992 };

/** A list in a list, so many times. */
function nested(depth: number): unknown {
  let value: unknown = 'x';
  for (let i = 0; i < depth; i++) value = [value];
  return value;
}

function canonical(raw: unknown): string {
  const parsed = parseEvent(raw, NOW);
  if (!parsed.ok) throw new Error(parsed.rejection.message);
  return canonicalEvent(parsed.event);
}

describe('a normalised event (F2)', () => {
  it.each([
    ['unknown fields', { ...message, contacts: [{ name: 'x' }], text: { body: 'secret' } }],
    ['null, empty string, {} and []', { ...message, device: null, origin: '', context: {}, sender: [], referral: {} }],
    ['a referral of unknown fields', { ...message, referral: { image_url: 'https://example.org' } }],
    ['a referral of empty fields', { ...message, referral: { headline: '', source_id: null } }],
    ['a number for a time', { ...message, timestamp: 1750275992 }],
    ['other punctuation in the number', { ...message, wa_id: '16505551234' }],
  ])('is the same without %s', (_, raw) => {
    expect(canonical(raw)).toBe(canonical(message));
  });

  it.each([
    ['+55 (82) 9 9999-0000', '', '5582999990000', '', '5582999990000'],
    ['16505551234', 'US.1', '16505551234', 'US.1', '16505551234'],
    ['BR.13491208655302741918', '', '', 'BR.13491208655302741918', 'BR.13491208655302741918'],
    ['US.ENT.11815799212886844830', '', '', 'US.ENT.11815799212886844830', 'US.ENT.11815799212886844830'],
    ['BR.1', 'BR.2', '', 'BR.2', 'BR.2'],
    ['br.1', '', 'br.1', '', 'br.1'],
    ['@pablo77', '', '@pablo77', '', '@pablo77'],
    ['+1 650 ext. 12', '', '+1 650 ext. 12', '', '+1 650 ext. 12'],
    ['--', 'US.1', '', 'US.1', 'US.1'],
  ])('of the customer %j and %j', (wa_id, user_id, waId, userId, customer) => {
    const expected = { wa_id: waId, user_id: userId, customer };
    expect(parseEvent({ ...message, wa_id, user_id }, NOW)).toMatchObject({ event: expected });
    expect(parseEvent({ ...status, wa_id, user_id }, NOW)).toMatchObject({ event: expected });
  });

  it.each([
    ['+55 (11) 90000-0001', '5511900000001'],
    ['BR.13491208655302741918', 'BR.13491208655302741918'],
  ])('of the participant %j of a group', (participant, normalised) => {
    const raw = { ...status, participant, group_id: '120363-0000', wa_id: '1650', tag: 'a b' };
    const event = { participant: normalised, group_id: '120363-0000', customer: '120363-0000', tag: 'a b' };
    expect(parseEvent(raw, NOW)).toMatchObject({ event });
    expect(canonical(raw)).toContain('"group_id":"120363-0000"');
  });

  it('has sorted keys, no white space and plain non-ASCII', () => {
    expect(canonical({ ...message, context: { z: 1, é: ['x', { b: null, a: 'ß' }] } })).toBe(
      '{"context":{"z":1,"é":["x",{"a":"ß","b":null}]},"direction":"inbound","event":"message","id":"wamid.A","phone_number_id":"1","timestamp":1750275992,"type":"text","wa_id":"16505551234"}',
    );
    expect(
      canonical({
        ...status,
        conversation: { id: '', origin: { type: 'x', y: 1 }, expiration_timestamp: '0' },
        pricing: { billable: false, extra: 1 },
      }),
    ).toBe(
      '{"conversation":{"expiration_timestamp":0,"origin":{"type":"x"}},"event":"status","id":"wamid.A","phone_number_id":"1","pricing":{"billable":false},"status":"sent","timestamp":1750275992}',
    );
  });

  it.each([
    ['', 'a', -1],
    ['a', 'a', 0],
    ['ab', 'a', 1],
    ['\u{1f600}', '\uffff', 1],
    ['é', 'z', 1],
    ['\u{1f600}', '\u{1f601}', -1],
  ] as const)('orders %j and %j by their UTF-8 bytes', (a, b, order) => {
    expect(compareUtf8(a, b)).toBe(order);
    expect(Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b)))).toBe(order);
  });

  it('writes canonical JSON of anything', () => {
    expect(canonicalJson({ b: [1, 'x'], a: { d: undefined, c: true } })).toBe('{"a":{"c":true},"b":[1,"x"]}');
  });
});

describe('a value that cannot be used', () => {
  it.each([
    ['a number', 5, 'not_an_event', 'The value is a number.'],
    ['null', null, 'not_an_event', 'The value is null.'],
    ['a list', [1], 'not_an_event', 'The value is a list.'],
    ['an empty list', [], 'not_an_event', 'The value is an empty list.'],
    ['an empty object', {}, 'not_an_event', 'The value is an empty object.'],
    ['an unknown event', { event: 'call' }, 'not_an_event', 'Field "event" is "call".'],
    ['a long event', { event: 'x'.repeat(99) }, 'not_an_event', `Field "event" is "${'x'.repeat(40)}".`],
    ['another object', { object: 'page', entry: [] }, 'not_an_event', 'Field "object" is "page".'],
    ['an event that is no text', { event: 7, a: 1 }, 'not_an_event', 'an object with the fields "event", "a".'],
    ['many fields', Object.fromEntries([...'abcdefghij'].map((k) => [k, 1])), 'not_an_event', '"g", "h" and 2 more.'],
    ['a message without id', { ...message, id: undefined }, 'schema', '"id"'],
    ['an empty type', { ...message, type: '' }, 'schema', '"type"'],
    ['a direction of its own', { ...message, direction: 'sideways' }, 'schema', '"direction"'],
    ['a customer without digits', { ...message, wa_id: '(-)' }, 'schema', 'wa_id'],
    ['a number for a group', { ...message, group_id: 5 }, 'schema', '"group_id"'],
    ['a list for a participant', { ...status, participant: ['1'] }, 'schema', '"participant"'],
    ['an object for a tag', { ...status, tag: { a: 1 } }, 'schema', '"tag"'],
    ['errors nested too deeply', { ...message, errors: nested(65) }, 'schema', 'nested too deeply'],
    ['a number for a text', { ...message, referral: { source_id: 5 } }, 'schema', '"referral.source_id"'],
    ['a text for a flag', { ...status, pricing: { billable: 'yes' } }, 'schema', '"pricing.billable"'],
    ['a broken time', { ...status, timestamp: '17.5' }, 'schema', '"timestamp"'],
    ['1970', { ...status, timestamp: '0' }, 'timestamp_too_old', '2015'],
    ['2099', { ...status, timestamp: '4070908800' }, 'timestamp_in_future', 'a day ahead'],
    ['milliseconds', { ...status, timestamp: 1750275992000 }, 'timestamp_in_future', 'milliseconds'],
  ])('%s says what is wrong', (_, raw, code, words) => {
    const parsed = parseEvent(JSON.parse(JSON.stringify(raw)), NOW);
    expect(parsed.ok).toBe(false);
    if (parsed.ok) return;
    expect(parsed.rejection.code).toBe(code);
    expect(parsed.rejection.message).toContain(words);
  });

  it.each([
    [1_420_070_400, true],
    [1_420_070_399, false],
    [NOW + 86_400, true],
    [NOW + 86_401, false],
  ])('takes the time %i: %s', (timestamp, ok) => {
    expect(parseEvent({ ...status, timestamp }, NOW).ok).toBe(ok);
  });

  it('does not lend an event the fields of a "__proto__"', () => {
    const text = JSON.stringify({ ...message, id: undefined, device: '' }).replace(
      '{',
      '{"__proto__":{"id":"wamid.X"},',
    );
    expect(parseEvent(JSON.parse(text), NOW)).toMatchObject({ ok: false, rejection: { code: 'schema' } });
  });
});
