import { isUtf8 } from 'node:buffer';
import { expandEnvelope } from '@ctwa-ledger/schemas/envelope.ts';
import { MAX_VALUE_BYTES, parseEvent, type LedgerEvent, type Rejection } from '@ctwa-ledger/schemas/event.ts';

/** What became of one event of a value: it can be landed, or it cannot be used. */
export type Outcome =
  | { readonly kind: 'event'; readonly event: LedgerEvent }
  | { readonly kind: 'rejected'; readonly rejection: Rejection };

function refused(code: Rejection['code'], message: string): Outcome[] {
  return [{ kind: 'rejected', rejection: { code, message } }];
}

/** An escape of a surrogate: alone it is not a character, and no text encoding carries it. */
const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/;

function wellFormed(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(/\p{Surrogate}/gu, '\ufffd');
  if (Array.isArray(value)) return value.map(wellFormed);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, wellFormed(member)]));
  return value;
}

/** @throws SyntaxError when it is no JSON, RangeError when it is nested too deeply */
function parsed(text: string): unknown {
  const value: unknown = JSON.parse(text);
  // Meta cuts texts to a length, in the middle of a character if need be; such an event is still good.
  return SURROGATE_ESCAPE.test(text) ? wellFormed(value) : value;
}

/** Wrappers within wrappers: a log of a list of bodies, and no deeper. */
const MAX_WRAPPERS = 4;

/** The body of a request that was kept with its headers, as an object or as the text that came; undefined = none. */
function wrappedBody(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('body' in value) || 'event' in value) return undefined;
  const { body } = value;
  if (typeof body !== 'string') return body;
  try {
    return parsed(body);
  } catch {
    return undefined;
  }
}

/**
 * The outcomes of a parsed value: an event, an envelope of Meta's or a part of one that names its number, each also in a
 * list or as the `body` of a request (contract.md 1).
 * @param nowSeconds the receiver's clock, Unix seconds
 */
export function readParsed(value: unknown, nowSeconds: number, wrappers = 0): Outcome[] {
  if (wrappers <= MAX_WRAPPERS) {
    if (Array.isArray(value) && value.length > 0)
      return value.flatMap((member: unknown) => readParsed(member, nowSeconds, wrappers + 1));
    const body = wrappedBody(value);
    if (typeof body === 'object' && body !== null) return readParsed(body, nowSeconds, wrappers + 1);
  }
  const expanded = expandEnvelope(value);
  if (expanded === null) return [readEvent(value, nowSeconds)];
  if (!expanded.ok) return [{ kind: 'rejected', rejection: expanded.rejection }];
  return expanded.events.map((event) => readEvent(event, nowSeconds));
}

/**
 * Turns one value (contract.md 1) into the outcomes of its events.
 * @param text the value, at most `MAX_VALUE_BYTES` of valid UTF-8
 * @param nowSeconds the receiver's clock, Unix seconds
 */
export function readValue(text: string, nowSeconds: number): Outcome[] {
  let value: unknown;
  try {
    value = parsed(text);
  } catch (error) {
    if (error instanceof RangeError) return refused('schema', 'The value is nested too deeply to be read; flatten it.');
    const reason = error instanceof Error ? error.message : String(error);
    return refused('not_json', `The value is not JSON (${reason.slice(0, 200)}). Send one JSON object per line.`);
  }
  return readParsed(value, nowSeconds);
}

function readEvent(value: unknown, nowSeconds: number): Outcome {
  const parsed = parseEvent(value, nowSeconds);
  return parsed.ok ? { kind: 'event', event: parsed.event } : { kind: 'rejected', rejection: parsed.rejection };
}

/** The same for raw bytes, which may be too many or no text at all. */
export function readBytes(bytes: Buffer, nowSeconds: number): Outcome[] {
  if (bytes.length > MAX_VALUE_BYTES)
    return refused('too_large', `The value has ${bytes.length} bytes; at most ${MAX_VALUE_BYTES} are taken. Split it.`);
  if (!isUtf8(bytes)) return refused('invalid_utf8', 'The value is not valid UTF-8; send JSON as UTF-8.');
  return readValue(bytes.toString('utf8'), nowSeconds);
}

/** One rejection that stands for all those of a value, whose bytes are kept once; null when there are none. */
export function summarised(rejections: readonly Rejection[]): Rejection | null {
  const [first, ...others] = rejections;
  if (first === undefined) return null;
  if (others.length === 0) return first;
  return { code: first.code, message: `${first.message} (and ${others.length} more events of the same value)` };
}
