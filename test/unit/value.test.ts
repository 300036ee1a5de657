import { describe, expect, it } from 'vitest';
import { MAX_VALUE_BYTES } from '@ctwa-ledger/schemas/event.ts';
import { readBytes, readValue, summarised, type Outcome } from '../../services/ingest/value.ts';

const NOW = 1_790_000_000;
const METADATA = { display_phone_number: '15550783881', phone_number_id: '106540352242922' };
const event = {
  event: 'message',
  direction: 'inbound',
  phone_number_id: '1',
  wa_id: '16505551234',
  id: 'wamid.A',
  timestamp: '1750275992',
  type: 'text',
};

function statusOf(id: string): object {
  return { id, status: 'delivered', timestamp: '1789000000', recipient_id: '31612340040' };
}

/** A webhook body with one status, as Meta sends it. */
function bodyOf(id: string): object {
  const value = { messaging_product: 'whatsapp', metadata: METADATA, statuses: [statusOf(id)] };
  return { object: 'whatsapp_business_account', entry: [{ id: 'waba', changes: [{ field: 'messages', value }] }] };
}

/** The outcomes of a value as it comes through the webhook or from Kafka: ids of events, reasons of rejections. */
function outcomesOf(value: unknown): string[] {
  const bytes = Buffer.isBuffer(value) ? value : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
  return readBytes(bytes, NOW).map(shown);
}

function shown(outcome: Outcome): string {
  return outcome.kind === 'event' ? outcome.event.id : outcome.rejection.code;
}

function messagesOf(value: unknown): string[] {
  return readValue(JSON.stringify(value), NOW).flatMap((outcome) =>
    outcome.kind === 'rejected' ? [outcome.rejection.message] : [],
  );
}

/** A value in so many lists. */
function listed(value: unknown, times: number): unknown {
  return times === 0 ? value : [listed(value, times - 1)];
}

describe('a value in a wrapper', () => {
  const headers = { 'x-hub-signature-256': 'sha256=0' };

  it.each([
    ['the body of a request', { headers, params: {}, query: {}, body: bodyOf('a') }, ['a']],
    ['a body kept as text', { headers, body: JSON.stringify(bodyOf('a')) }, ['a']],
    ['a body with an event name of its own beside it', { event: 'webhook_received', body: bodyOf('a') }, ['a']],
    ['an event as the body', { body: event }, ['wamid.A']],
    ['a list of bodies', [bodyOf('a'), bodyOf('b')], ['a', 'b']],
    ['a list of requests', [{ body: bodyOf('a') }, { body: JSON.stringify(bodyOf('b')) }], ['a', 'b']],
    ['a body that lists bodies', { body: [bodyOf('a'), bodyOf('b')] }, ['a', 'b']],
    ['a body that lists bodies, as text', { body: JSON.stringify([bodyOf('a'), event]) }, ['a', 'wamid.A']],
    ['a wrapper in a wrapper', { body: { body: JSON.stringify({ body: bodyOf('a') }) } }, ['a']],
    ['five lists around it', listed(bodyOf('a'), 5), ['a']],
    ['a value that names its number', [{ metadata: METADATA, statuses: [statusOf('a')] }], ['a']],
  ])('is taken: %s', (_, value, ids) => {
    expect(outcomesOf(value)).toEqual(ids);
  });

  it('is no wrapper where it is an event or an envelope itself', () => {
    expect(outcomesOf({ ...event, body: bodyOf('a') })).toEqual(['wamid.A']);
    expect(outcomesOf({ ...bodyOf('a'), body: bodyOf('b') })).toEqual(['a']);
    expect(outcomesOf({ ...event, id: '', body: bodyOf('a') })).toEqual(['schema']);
  });

  it.each([
    ['text that is no JSON', { headers, body: 'hello' }, ['not_json'], 'Field "body": The value is not JSON'],
    ['JSON cut short', { headers, body: '{"object":' }, ['not_json'], 'Field "body": The value is not JSON'],
    ['a number', { headers, body: 7 }, ['not_an_event'], 'Field "body": The value is a number'],
    ['a number as text', { headers, body: '7' }, ['not_an_event'], 'Field "body": The value is a number'],
    ['null', { headers, body: null }, ['not_an_event'], 'an object with the fields "headers", "body"'],
    ['nothing', { headers, body: {} }, ['not_an_event'], 'an object with the fields "headers", "body"'],
    [
      'an event of another kind',
      { body: { event: 'history' } },
      ['not_an_event'],
      'Field "body": Field "event" is "history"',
    ],
    ['an empty list', [], ['not_an_event'], 'The value is an empty list'],
    ['a list of no objects', [1, 'x', null], ['not_an_event'], 'The value is a list'],
    ['six lists', listed(bodyOf('a'), 6), ['not_an_event'], 'The value is a list'],
  ])('says what it is when it cannot be used: %s', (_, value, codes, words) => {
    expect(outcomesOf(value)).toEqual(codes);
    expect(messagesOf(value)[0]).toContain(words);
  });

  it('loses only the item that is broken, and says which', () => {
    const list = [bodyOf('a'), 5, { ...bodyOf('b'), entry: 7 }, null, { body: '{' }, bodyOf('c'), {}, []];
    expect(outcomesOf(list)).toEqual([
      'a',
      'not_an_event',
      'schema',
      'not_an_event',
      'not_json',
      'c',
      'not_an_event',
      'not_an_event',
    ]);
    const messages = messagesOf(list);
    expect(messages[0]).toContain('Item 2 of the list: The value is a number.');
    expect(messages[1]).toContain('Item 3 of the list: entry of the webhook envelope: expected a list.');
    expect(messages[3]).toContain('Item 5 of the list: Field "body": The value is not JSON');
  });

  it('takes a list of 1,000 bodies', () => {
    const ids = Array.from({ length: 1000 }, (_, i) => `wamid.${i}`);
    expect(outcomesOf(ids.map(bodyOf))).toEqual(ids);
    expect(outcomesOf({ headers, body: JSON.stringify(ids.map(bodyOf)) })).toEqual(ids);
  });

  it('takes the largest list of junk that a value can be', () => {
    const count = Math.floor((MAX_VALUE_BYTES - 4) / 2);
    const outcomes = readBytes(Buffer.from(`[{}${',0'.repeat(count - 1)}]`), NOW);
    expect(outcomes).toHaveLength(count);
    expect(new Set(outcomes.map(shown))).toEqual(new Set(['not_an_event']));
  });
});

describe('an envelope', () => {
  const call = { id: 'wacid.1', from: '4915112340009', timestamp: '1789000050', direction: 'USER_INITIATED' };

  function callsOf(...changes: readonly (readonly object[])[]): object {
    const value = (calls: readonly object[]): object => ({ field: 'calls', value: { metadata: METADATA, calls } });
    return { object: 'whatsapp_business_account', entry: [{ id: 'waba', changes: changes.map(value) }] };
  }

  it('gives one event for each call: the earliest of its notices', () => {
    const notices = [
      { ...call, event: 'terminate', timestamp: '1789000099' },
      { ...call, event: 'connect' },
      { ...call, event: 'connect' },
    ];
    const other = { ...call, id: 'wacid.2' };
    for (const value of [callsOf(notices, [other]), callsOf([other], ...notices.map((notice) => [notice]))]) {
      const outcomes = readValue(JSON.stringify(value), NOW);
      expect(
        outcomes.map((outcome) => outcome.kind === 'event' && [outcome.event.id, outcome.event.timestamp]),
      ).toEqual(
        expect.arrayContaining([
          ['wacid.1', 1_789_000_050],
          ['wacid.2', 1_789_000_050],
        ]),
      );
      expect(outcomes).toHaveLength(2);
    }
  });

  it('counts a notice that cannot be used by itself, and it takes the place of none', () => {
    const unusable = [
      { ...call, timestamp: 'soon' },
      { ...call, timestamp: '12' },
      { ...call, from: undefined },
      { ...call, id: undefined },
      { ...call, id: undefined },
    ];
    expect(outcomesOf(callsOf([...unusable, call])).sort()).toEqual(
      ['schema', 'timestamp_too_old', 'schema', 'schema', 'schema', 'wacid.1'].sort(),
    );
    expect(outcomesOf(callsOf([call, ...unusable]))).toHaveLength(6);
  });

  it('keeps calls of the same id on two numbers apart', () => {
    const both = ['1', '2'].map((phone_number_id) => ({
      field: 'calls',
      value: { metadata: { phone_number_id }, calls: [call] },
    }));
    expect(outcomesOf({ object: 'whatsapp_business_account', entry: [{ id: 'w', changes: both }] })).toHaveLength(2);
  });

  it('says which of its items cannot be used', () => {
    const value = {
      metadata: METADATA,
      statuses: [statusOf('a'), { ...statusOf('b'), timestamp: 'x' }, { status: 'sent' }],
      messages: [{ id: 'c' }],
    };
    const messages = messagesOf(value);
    expect(messages.map((message) => message.replace(/:.*/, ''))).toEqual([
      'Message "c"',
      'Status "b"',
      'Status without an id',
    ]);
  });

  it('takes the status of a message beside that of a payment with the same id', () => {
    const payment = { ...statusOf('wamid.S'), type: 'payment', status: 'captured' };
    expect(outcomesOf({ metadata: METADATA, statuses: [payment, statusOf('wamid.S')] })).toEqual(['wamid.S']);
  });
});

describe('bytes', () => {
  it.each([
    ['{"event":', 'not_json'],
    ['['.repeat(200_000), 'not_json'],
    [`${'['.repeat(200_000)}${']'.repeat(200_000)}`, 'not_an_event'],
    [`${'{"body":'.repeat(50_000)}1${'}'.repeat(50_000)}`, 'not_an_event'],
    [`${'{"body":'.repeat(50_000)}"\\ud83d"${'}'.repeat(50_000)}`, 'schema'],
    [`{"event":"message","context":${'['.repeat(50_000)}${']'.repeat(50_000)}}`, 'schema'],
  ])('%.20s… never throws', (text, code) => {
    expect(outcomesOf(text)).toEqual([code]);
  });

  it('that are no UTF-8, or too many', () => {
    expect(outcomesOf(Buffer.from([0x7b, 0xff, 0x7d]))).toEqual(['invalid_utf8']);
    expect(outcomesOf(Buffer.alloc(MAX_VALUE_BYTES + 1, 0x20))).toEqual(['too_large']);
  });

  it('that hold half a character, which Meta cut off', () => {
    const text = JSON.stringify({ ...event, referral: { headline: 'ok' } }).replace('ok', 'ok \\ud83d');
    const headline = { kind: 'event', event: { referral_headline: 'ok \ufffd' } };
    expect(readValue(text, NOW)).toMatchObject([headline]);
    expect(readValue(JSON.stringify({ body: text }), NOW)).toMatchObject([headline]);
  });

  it.each([
    ['a field', '{"k\\ud83d":1}'],
    ['an event', `{"event":"${'x'.repeat(39)}😀"}`],
    ['a text that is no JSON', `{"a":xxxxxxxxx${'😀'.repeat(12)}}`],
  ])('never put half a character into a message: %s', (_, text) => {
    const rejection = summarised(
      readValue(text, NOW).flatMap((outcome) => (outcome.kind === 'rejected' ? [outcome.rejection] : [])),
    );
    expect(rejection?.message).toMatch(/^\P{Surrogate}*$/u);
    expect(rejection?.message).toContain('\ufffd');
  });
});
