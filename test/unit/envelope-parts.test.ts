import { describe, expect, it } from 'vitest';
import { expandEnvelope } from '@ctwa-ledger/schemas/envelope.ts';
import { brokenParts, expanded, isUsable, METADATA, taken } from '../support/envelopes.ts';

describe('a part of an envelope alone', () => {
  const message = { from: '16505551234', id: 'wamid.1', timestamp: '1750275992', type: 'text' };
  const status = { id: 'wamid.2', status: 'sent', timestamp: '1750275992' };
  const call = { id: 'wacid.1', from: '1650', timestamp: '1750275992', direction: 'USER_INITIATED' };
  const value = {
    messaging_product: 'whatsapp',
    metadata: METADATA,
    messages: [message],
    statuses: [status],
    calls: [call],
  };
  const ids = (part: unknown): unknown[] => expanded(part).map((raw) => raw['id']);

  it('is taken when it names its number', () => {
    const change = { field: 'messages', value };
    const calls = { field: 'calls', value };
    expect(ids({ id: 'waba', changes: [change, calls] })).toEqual(['wamid.1', 'wamid.2', 'wacid.1']);
    expect(expanded({ id: 'waba', changes: [change] })[0]).toMatchObject({ waba_id: 'waba' });
    expect(ids(change)).toEqual(['wamid.1', 'wamid.2']);
    expect(ids(value)).toEqual(['wacid.1', 'wamid.1', 'wamid.2']);
    expect(expanded(value).every(isUsable)).toBe(true);
  });

  it('takes of a value that names its field what that field holds', () => {
    expect(ids({ ...value, field: 'messages' })).toEqual(['wamid.1', 'wamid.2']);
    expect(ids({ ...value, field: 'calls' })).toEqual(['wacid.1']);
    expect(ids({ ...value, field: 'account_update' })).toEqual([]);
    for (const field of [7, null, {}]) expect(ids({ ...value, field })).toEqual(['wacid.1', 'wamid.1', 'wamid.2']);
  });

  it('is refused, and says what it is, when it does not name its number', () => {
    const { metadata: _, ...nameless } = value;
    const parts: [unknown, string][] = [
      [{ id: 'waba', changes: [{ field: 'messages', value: nameless }] }, 'one entry'],
      [{ id: 'waba', changes: [] }, 'one entry'],
      [{ id: 'waba', changes: [null, 5, { value: 7 }] }, 'one entry'],
      [{ field: 'messages', value: nameless }, 'one change'],
      [{ field: 'messages', value: {} }, 'one change'],
      [nameless, 'the "value" of one change'],
      [{ statuses: [] }, 'the "value" of one change'],
      [{ ...value, metadata: 7 }, 'the "value" of one change'],
      [{ ...value, metadata: { phone_number_id: '' } }, 'the "value" of one change'],
    ];
    for (const [part, name] of parts) {
      const { events, rejections } = taken(part);
      expect(events).toEqual([]);
      expect(rejections).toHaveLength(1);
      expect(rejections[0]!.message).toContain(`This is ${name} of a webhook envelope`);
      expect(rejections[0]!.message).toContain('metadata.phone_number_id');
    }
  });

  it('loses only what is broken in it', () => {
    expect(brokenParts({ ...value, messages: 7 })).toEqual(['value.messages']);
    expect(brokenParts({ metadata: METADATA, messages: {} })).toEqual(['value.messages']);
    expect(brokenParts({ ...value, field: 'messages', messages: [null] })).toEqual(['change.value.messages[0]']);
    expect(brokenParts({ id: 'w', changes: [7, { field: 'messages', value }] })).toEqual(['entry.changes[0]']);
    expect(ids({ ...value, metadata: { phone_number_id: 4 } })).toHaveLength(3);
    expect(expanded({ ...value, metadata: { phone_number_id: 4 } }).some(isUsable)).toBe(false);
  });

  it('is not seen in what is something else', () => {
    for (const other of [
      null,
      undefined,
      1,
      'whatsapp_business_account',
      [],
      [value],
      {},
      { object: 'page', entry: [] },
    ])
      expect(expandEnvelope(other)).toBeNull();
    for (const event of ['message', 'history']) expect(expandEnvelope({ ...value, event })).toBeNull();
    for (const absent of [null, '']) expect(ids({ ...value, event: absent, object: absent })).toHaveLength(3);
    expect(expandEnvelope({ field: 'messages', value: 'x' })).toBeNull();
    expect(expandEnvelope({ metadata: METADATA, history: [] })).toBeNull();
  });
});
