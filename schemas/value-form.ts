import { isObject } from './json.ts';

const MAX_NAMED_FIELDS = 8;
const MAX_NAMED_CHARS = 40;

function named(name: string): string {
  return `"${name.slice(0, MAX_NAMED_CHARS)}"`;
}

/** Describes the form of a value that is no event, so that the sender recognises it, and says what to send instead. */
export function notAnEvent(value: unknown): string {
  return `${formOf(value)}. Send an event ("event" is "message" or "status"), a webhook envelope, or one entry or value of it that names its number.`;
}

function formOf(value: unknown): string {
  if (Array.isArray(value)) return `The value is ${value.length === 0 ? 'an empty list' : 'a list'}`;
  if (!isObject(value)) return `The value is ${value === null ? 'null' : `a ${typeof value}`}`;
  const { event, object } = value;
  if (typeof event === 'string') return `Field "event" is ${named(event)}`;
  if (typeof object === 'string') return `Field "object" is ${named(object)}`;
  const names = Object.keys(value);
  if (names.length === 0) return 'The value is an empty object';
  const others = names.length > MAX_NAMED_FIELDS ? ` and ${names.length - MAX_NAMED_FIELDS} more` : '';
  return `The value is an object with the fields ${names.slice(0, MAX_NAMED_FIELDS).map(named).join(', ')}${others}`;
}
