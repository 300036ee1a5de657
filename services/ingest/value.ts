import { isUtf8 } from 'node:buffer';
import { expandEnvelope, type ExpandedEnvelope } from '@ctwa-ledger/schemas/envelope.ts';
import {
  canonicalEvent,
  isAbsent,
  MAX_VALUE_BYTES,
  parseEvent,
  type LedgerEvent,
  type MessageEvent,
  type Rejection,
} from '@ctwa-ledger/schemas/event.ts';
import { compareUtf8, isObject, wellFormedText } from '@ctwa-ledger/schemas/json.ts';

/** What became of one event of a value: an event to land, or a rejection. */
export type Outcome =
  | { readonly kind: 'event'; readonly event: LedgerEvent }
  | { readonly kind: 'rejected'; readonly rejection: Rejection };

/** A message quotes the value that was sent, and may cut it in the middle of a character. */
function rejected({ code, message }: Rejection): Outcome {
  return { kind: 'rejected', rejection: { code, message: wellFormedText(message) } };
}

/** An escape of a surrogate: alone it is no character, and no text encoding can represent it. */
const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/;

function wellFormed(value: unknown): unknown {
  if (typeof value === 'string') return wellFormedText(value);
  if (Array.isArray(value)) return value.map(wellFormed);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [wellFormedText(key), wellFormed(member)]));
  return value;
}

/** The value that a text holds, or why the text cannot be read. */
function parsed(text: string): { readonly value: unknown } | { readonly rejection: Rejection } {
  try {
    const value: unknown = JSON.parse(text);
    // Meta cuts texts to a length, even in the middle of a character; the event can still be used.
    return { value: text.includes('\\u') && SURROGATE_ESCAPE.test(text) ? wellFormed(value) : value };
  } catch (error) {
    if (error instanceof RangeError)
      return { rejection: { code: 'schema', message: 'The value is nested too deeply to be read; flatten it.' } };
    const reason = error instanceof Error ? error.message : String(error);
    return {
      rejection: {
        code: 'not_json',
        message: `The value is not JSON (${reason.slice(0, 200)}). Send an event or a webhook body as JSON.`,
      },
    };
  }
}

/** How many lists and wrappers may enclose a value, for instance a log of a list of bodies. */
const MAX_WRAPPERS = 5;

/** A list that may hold values. A list of numbers and texts only is itself a value that cannot be used. */
function isListOfValues(value: unknown): value is unknown[] {
  return Array.isArray(value) && value.some((member) => typeof member === 'object' && member !== null);
}

function isEvent(value: Record<string, unknown>): boolean {
  return value['event'] === 'message' || value['event'] === 'status';
}

/** Adds to the message of each rejection the part of the value that it is about. */
function within(part: string, outcomes: readonly Outcome[]): Outcome[] {
  return outcomes.map((outcome) =>
    outcome.kind === 'event'
      ? outcome
      : rejected({ code: outcome.rejection.code, message: `${part}: ${outcome.rejection.message}` }),
  );
}

/** The outcomes of a request body that was logged with its headers, as an object or as text. */
function readWrapped(value: Record<string, unknown>, nowSeconds: number, wrappers: number): Outcome[] {
  const part = 'Field "body"';
  const { body } = value;
  if (typeof body !== 'string') return within(part, readParsed(body, nowSeconds, wrappers));
  const text = parsed(body);
  return within(part, 'value' in text ? readParsed(text.value, nowSeconds, wrappers) : [rejected(text.rejection)]);
}

/**
 * The outcomes of a parsed value: an event, an envelope of Meta's, or a part of one that names its number; each also
 * inside a list or as the `body` of a request (contract.md 1).
 */
function readParsed(value: unknown, nowSeconds: number, wrappers = 0): Outcome[] {
  if (wrappers < MAX_WRAPPERS && isListOfValues(value))
    return value.flatMap((member, i) =>
      within(`Item ${i + 1} of the list`, readParsed(member, nowSeconds, wrappers + 1)),
    );
  const expanded = expandEnvelope(value);
  if (expanded !== null) return readEnvelope(expanded, nowSeconds);
  if (wrappers < MAX_WRAPPERS && isObject(value) && !isEvent(value) && !isAbsent(value['body']))
    return readWrapped(value, nowSeconds, wrappers + 1);
  return [readEvent(value, nowSeconds)];
}

function readEnvelope({ events, rejections }: ExpandedEnvelope, nowSeconds: number): Outcome[] {
  const outcomes = events.flatMap((event) => {
    const outcome = readEvent(event, nowSeconds);
    return outcome.kind === 'event' ? outcome : within(itemName(event), [outcome]);
  });
  return [...oncePerCall(outcomes), ...rejections.map(rejected)];
}

const MAX_NAMED_CHARS = 100;

function itemName({ event, id }: Record<string, unknown>): string {
  const kind = event === 'status' ? 'Status' : 'Message';
  return typeof id === 'string' ? `${kind} "${id.slice(0, MAX_NAMED_CHARS)}"` : `${kind} without an id`;
}

/**
 * Keeps of several notices of one call only the earliest (contract.md 1), as of copies of a message (rules.md F2).
 * Notices that cannot be used keep their own outcomes.
 */
function oncePerCall(outcomes: Outcome[]): Outcome[] {
  const counting = new Map<string, MessageEvent>();
  let notices = 0;
  for (const outcome of outcomes) {
    const call = callOf(outcome);
    if (call === null) continue;
    notices += 1;
    const key = callKey(call);
    const known = counting.get(key);
    if (known === undefined || isBefore(call, known)) counting.set(key, call);
  }
  if (notices === counting.size) return outcomes;
  return outcomes.filter((outcome) => {
    const call = callOf(outcome);
    return call === null || counting.get(callKey(call)) === call;
  });
}

function callOf(outcome: Outcome): MessageEvent | null {
  return outcome.kind === 'event' && outcome.event.event === 'message' && outcome.event.type === 'call'
    ? outcome.event
    : null;
}

function callKey(call: MessageEvent): string {
  return JSON.stringify([call.phone_number_id, call.id]);
}

function isBefore(a: MessageEvent, b: MessageEvent): boolean {
  if (a.timestamp !== b.timestamp) return a.timestamp < b.timestamp;
  return compareUtf8(canonicalEvent(a), canonicalEvent(b)) < 0;
}

/**
 * Turns one value (contract.md 1) into the outcomes of its events.
 * @param text the value, at most `MAX_VALUE_BYTES` of valid UTF-8
 * @param nowSeconds the receiver's clock, Unix seconds
 */
export function readValue(text: string, nowSeconds: number): Outcome[] {
  const value = parsed(text);
  return 'value' in value ? readParsed(value.value, nowSeconds) : [rejected(value.rejection)];
}

function readEvent(value: unknown, nowSeconds: number): Outcome {
  const parsed = parseEvent(value, nowSeconds);
  return parsed.ok ? { kind: 'event', event: parsed.event } : rejected(parsed.rejection);
}

const BYTE_ORDER_MARK = Buffer.from('\ufeff');

/**
 * The same for raw bytes, which may be too many or not text. A byte order mark before them is ignored, because some
 * programs write one.
 */
export function readBytes(raw: Buffer, nowSeconds: number): Outcome[] {
  const hasMark = raw.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK);
  const bytes = hasMark ? raw.subarray(BYTE_ORDER_MARK.length) : raw;
  if (bytes.length > MAX_VALUE_BYTES)
    return [
      rejected({
        code: 'too_large',
        message: `The value has ${bytes.length} bytes; at most ${MAX_VALUE_BYTES} are taken. Split it.`,
      }),
    ];
  if (!isUtf8(bytes))
    return [rejected({ code: 'invalid_utf8', message: 'The value is not valid UTF-8; send JSON as UTF-8.' })];
  return readValue(bytes.toString('utf8'), nowSeconds);
}

/** One rejection for all rejections of a value, whose bytes are kept once; null when there are none. */
export function summarised(rejections: readonly Rejection[]): Rejection | null {
  const [first, ...others] = rejections;
  if (first === undefined) return null;
  if (others.length === 0) return first;
  return { code: first.code, message: `${first.message} (and ${others.length} more events of the same value)` };
}
