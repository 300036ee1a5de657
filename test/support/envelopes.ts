import { expect } from 'vitest';
import { expandEnvelope, type ExpandedEnvelope } from '@ctwa-ledger/schemas/envelope.ts';
import { parseEvent, type LedgerEvent } from '@ctwa-ledger/schemas/event.ts';

const NOW = 1_795_000_000;

/** What an envelope, or a part of one, holds. */
export function taken(envelope: unknown): ExpandedEnvelope {
  const result = expandEnvelope(envelope);
  if (result === null) throw new Error('It is no envelope.');
  return result;
}

/** The raw events of an envelope of which nothing is broken. */
export function expanded(envelope: unknown): Record<string, unknown>[] {
  const { events, rejections } = taken(envelope);
  expect(rejections).toEqual([]);
  return events;
}

/** The broken parts of an envelope, as their rejections name them. */
export function brokenParts(envelope: unknown): string[] {
  return taken(envelope).rejections.map(({ code, message }) => {
    expect(code).toBe('schema');
    return message.replace(/ of the webhook envelope: expected .* Send the body as Meta sent it\.$/, '');
  });
}

export function parsed(raw: Record<string, unknown>): LedgerEvent {
  const result = parseEvent(raw, NOW);
  if (!result.ok) throw new Error(result.rejection.message);
  return result.event;
}

export function isUsable(raw: Record<string, unknown>): boolean {
  return parseEvent(raw, NOW).ok;
}

export const METADATA = { display_phone_number: '15550783881', phone_number_id: '106540352242922' };

/** An envelope with one change. */
export function envelopeOf(value: unknown, field: unknown = 'messages'): unknown {
  return { object: 'whatsapp_business_account', entry: [{ id: 'waba', changes: [{ value, field }] }] };
}
