import { valueIn } from '@ctwa-ledger/schemas/address-parameters.ts';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Changes, Refused } from '@ctwa-ledger/schemas/changes.ts';
import type { Reports } from '@ctwa-ledger/schemas/reports.ts';
import { DELIVERY_STATES, readTrigger, replaySchema } from '@ctwa-ledger/schemas/triggers.ts';
import type { UnfinishedBodies } from '../ingest/unfinished.ts';
import { failure, isAnswer, isForeign, jsonBody, notAllowed, READ_ONLY, sendAnswer, type Answer } from './answers.ts';

const MAX_BODY_BYTES = 256 * 1024;
const DEFAULT_DELIVERIES = 100;
const DAY_SECONDS = 86_400;
/** Days on which a trigger is tried by default, and at most. */
const TRY_DAYS = 7;
const MAX_TRY_DAYS = 92;

/** What the addresses of triggers need. */
export interface TriggerParts {
  readonly queries: Pick<Reports, 'triggers' | 'triggerDeliveries' | 'tryTrigger'>;
  /** Null on a server that changes nothing. */
  readonly changes: Pick<Changes, 'saveTrigger' | 'setTriggerState' | 'replayDeliveries'> | null;
  readonly unfinished: UnfinishedBodies;
}

/** The result of a change, under a name; 404 or 409 if it was refused. */
function changed<T extends { readonly ok: true }>(
  result: T | Refused,
  status: number,
  body: (made: T) => object,
): Answer {
  if (result.ok) return { status, body: body(result) };
  return result.message.startsWith('There is no trigger')
    ? failure(404, 'NOT_FOUND', result.message)
    : failure(409, 'REFUSED', result.message);
}

/** Days as `YYYY-MM-DD`, in UTC, `to` excluded; by default the last seven days. */
function daysOf(query: URLSearchParams): { readonly from: number; readonly to: number } | string {
  const now = Math.floor(Date.now() / 1000);
  const timeOf = (name: 'from' | 'to', otherwise: number): number => {
    const text = valueIn(query, name);
    if (text === null) return otherwise;
    return /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) / 1000 : NaN;
  };
  const to = timeOf('to', now);
  const from = timeOf('from', to - TRY_DAYS * DAY_SECONDS);
  if (Number.isNaN(from) || Number.isNaN(to)) return 'from and to are days like 2026-10-31.';
  if (from >= to || to - from > MAX_TRY_DAYS * DAY_SECONDS)
    return `from and to are of at most ${MAX_TRY_DAYS} days, the first one before the last.`;
  return { from, to };
}

const NO_SUCH_ADDRESS = failure(404, 'NOT_FOUND', 'There is no such address of triggers.');
const isRead = ({ method }: IncomingMessage): boolean => method === 'GET' || method === 'HEAD';

/** `GET /api/trigger-deliveries`: lists deliveries. */
async function listDeliveries(query: URLSearchParams, { queries }: TriggerParts): Promise<Answer> {
  const state = valueIn(query, 'state');
  const known = DELIVERY_STATES.find((one) => one === state) ?? null;
  if (state !== null && known === null)
    return failure(400, 'BAD_REQUEST', `state "${state}" must be one of ${DELIVERY_STATES.join(', ')}.`);
  const limit = Number(valueIn(query, 'limit') ?? DEFAULT_DELIVERIES);
  if (!Number.isInteger(limit) || limit < 1) return failure(400, 'BAD_REQUEST', 'limit is not a whole number above 0.');
  const trigger_id = valueIn(query, 'trigger_id');
  return { status: 200, body: { rows: await queries.triggerDeliveries({ trigger_id, state: known, limit }) } };
}

/** `POST /api/trigger-deliveries/replay`: delivers again. */
async function replay(request: IncomingMessage, { changes, unfinished }: TriggerParts): Promise<Answer | null> {
  if (request.method !== 'POST') return notAllowed('POST');
  if (changes === null) return READ_ONLY;
  const body = await jsonBody(request, unfinished, MAX_BODY_BYTES);
  if (body === null || isAnswer(body)) return body;
  const { value } = body;
  const one = replaySchema.safeParse(value);
  const all = JSON.stringify(value) === '{"given_up":true}';
  if (!one.success && !all)
    return failure(
      400,
      'BAD_REQUEST',
      'Give trigger_id, phone_number_id and message_id of one delivery, or {"given_up":true} for all that were given up.',
    );
  const replayed = await changes.replayDeliveries(one.success ? one.data : 'given_up');
  return changed(replayed, 202, ({ deliveries }) => ({ deliveries }));
}

/** `POST /api/triggers/test`: tries a trigger on past messages. */
async function tryOut(
  request: IncomingMessage,
  query: URLSearchParams,
  { queries, unfinished }: TriggerParts,
): Promise<Answer | null> {
  if (request.method !== 'POST') return notAllowed('POST');
  const body = await jsonBody(request, unfinished, MAX_BODY_BYTES);
  if (body === null || isAnswer(body)) return body;
  const read = readTrigger(body.value);
  const days = daysOf(query);
  if (typeof read === 'string') return failure(400, 'BAD_REQUEST', read);
  if (typeof days === 'string') return failure(400, 'BAD_REQUEST', days);
  return { status: 200, body: await queries.tryTrigger(read, days) };
}

/**
 * `POST /api/triggers` and `PUT` or `DELETE /api/triggers/{id}`: saves or deletes a trigger.
 * @param trigger_id null = a new one
 */
async function saveOrDelete(
  request: IncomingMessage,
  trigger_id: string | null,
  { changes, unfinished }: TriggerParts,
): Promise<Answer | null> {
  const allow = trigger_id === null ? 'GET, POST' : 'PUT, DELETE';
  if (!allow.split(', ').includes(request.method ?? '')) return notAllowed(allow);
  if (changes === null) return READ_ONLY;
  if (trigger_id !== null && request.method === 'DELETE') {
    if (isForeign(request)) return failure(403, 'FOREIGN_ORIGIN', 'The request comes from a page of another origin.');
    return changed(await changes.setTriggerState(trigger_id, 'deleted'), 200, ({ trigger }) => trigger);
  }
  const body = await jsonBody(request, unfinished, MAX_BODY_BYTES);
  if (body === null || isAnswer(body)) return body;
  const read = readTrigger(body.value);
  if (typeof read === 'string') return failure(400, 'BAD_REQUEST', read);
  const saved = await changes.saveTrigger(trigger_id, read);
  return changed(saved, trigger_id === null ? 201 : 200, ({ trigger }) => trigger);
}

/** `POST /api/triggers/{id}/pause` and `…/resume`. */
async function setState(
  request: IncomingMessage,
  trigger_id: string,
  state: 'paused' | 'active',
  { changes, unfinished }: TriggerParts,
): Promise<Answer | null> {
  if (request.method !== 'POST') return notAllowed('POST');
  if (changes === null) return READ_ONLY;
  const body = await jsonBody(request, unfinished, MAX_BODY_BYTES);
  if (body === null || isAnswer(body)) return body;
  return changed(await changes.setTriggerState(trigger_id, state), 200, ({ trigger }) => trigger);
}

async function answerOf(request: IncomingMessage, url: URL, parts: TriggerParts): Promise<Answer | null> {
  const [, , first = '', second = '', third = '', ...more] = url.pathname.split('/').map(decodeURIComponent);
  if (more.length > 0) return NO_SUCH_ADDRESS;
  if (first === 'trigger-deliveries') {
    if (second === '') return isRead(request) ? await listDeliveries(url.searchParams, parts) : notAllowed('GET');
    return second === 'replay' && third === '' ? await replay(request, parts) : NO_SUCH_ADDRESS;
  }
  if (second === '' && isRead(request)) return { status: 200, body: { rows: await parts.queries.triggers() } };
  if (second === 'test' && third === '') return tryOut(request, url.searchParams, parts);
  if (second === '' || third === '') return saveOrDelete(request, second === '' ? null : second, parts);
  if (third === 'pause') return setState(request, second, 'paused', parts);
  return third === 'resume' ? setState(request, second, 'active', parts) : NO_SUCH_ADDRESS;
}

/** Whether an address belongs to triggers. */
export function isOfTriggers(pathname: string): boolean {
  return /^\/api\/(?:triggers|trigger-deliveries)(?:\/|$)/.test(pathname);
}

/** `/api/triggers` and `/api/trigger-deliveries` (contract.md 4): list, save, pause, delete, try, and deliver again. */
export async function answerTriggers(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  parts: TriggerParts,
): Promise<void> {
  const answer = await answerOf(request, url, parts);
  if (answer !== null) sendAnswer(response, answer);
}
