import { describe, expect, it } from 'vitest';
import { canonicalEvent, parseEvent } from '@ctwa-ledger/schemas/event.ts';
import { canonicalJson, compareUtf8 } from '@ctwa-ledger/schemas/json.ts';
import { readBytes, readValue } from '../../services/ingest/value.ts';

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
    ['a number', 5, 'not_an_event', 'JSON object'],
    ['an unknown event', { event: 'call' }, 'not_an_event', '"event"'],
    ['a message without id', { ...message, id: undefined }, 'schema', '"id"'],
    ['an empty type', { ...message, type: '' }, 'schema', '"type"'],
    ['a direction of its own', { ...message, direction: 'sideways' }, 'schema', '"direction"'],
    ['a customer without digits', { ...message, wa_id: 'nobody' }, 'schema', 'wa_id'],
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

  it.each([
    ['{"event":', 'not_json'],
    ['['.repeat(200_000), 'schema'],
    [`{"event":"message","context":${'['.repeat(50_000)}${']'.repeat(50_000)}}`, 'schema'],
  ])('%.20s… never throws', (text, code) => {
    const [outcome] = readValue(text, NOW);
    expect(outcome?.kind).toBe('rejected');
    if (outcome?.kind === 'rejected') expect([code, 'not_json']).toContain(outcome.rejection.code);
  });

  it('names invalid UTF-8 and size', () => {
    expect(readBytes(Buffer.from([0x7b, 0xff, 0x7d]), NOW)).toMatchObject([{ rejection: { code: 'invalid_utf8' } }]);
    expect(readBytes(Buffer.alloc(3 * 1024 * 1024 + 1, 0x20), NOW)).toMatchObject([
      { rejection: { code: 'too_large' } },
    ]);
  });

  it('is not made of half a character that Meta cut off', () => {
    const [outcome] = readValue(
      JSON.stringify({ ...message, referral: { headline: 'ok' } }).replace('ok', 'ok \\ud83d'),
      NOW,
    );
    expect(outcome).toMatchObject({ kind: 'event', event: { referral_headline: 'ok \ufffd' } });
  });
});
