import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Changes } from '@ctwa-ledger/schemas/changes.ts';
import { readSentOutcomes } from '@ctwa-ledger/schemas/outcomes.ts';
import { reportOf } from '../catalogue/catalogue.ts';
import type { Database } from '../clickhouse/database.ts';
import type { UnfinishedBodies } from '../ingest/unfinished.ts';
import { conversionEvents } from '../reports/outcomes.ts';
import { readQuestion } from '../reports/parameters.ts';
import { failure, isAnswer, jsonBody, notAllowed, READ_ONLY, sendAnswer, type Answer } from './answers.ts';

/** Room for a thousand outcomes. */
const MAX_BODY_BYTES = 1024 * 1024;
const EVENTS = '/api/conversions-api-events';

/** What the addresses of outcomes need. */
interface OutcomeParts {
  /** Null on a server that changes nothing. */
  readonly changes: Pick<Changes, 'importOutcomes'> | null;
  readonly database: Database;
  readonly unfinished: UnfinishedBodies;
}

/** Whether a request enters outcomes, or asks for them in Meta's shape. Reading outcomes is the report of the same name. */
export function isOfOutcomes({ method }: IncomingMessage, { pathname }: URL): boolean {
  return pathname === EVENTS || (method === 'POST' && pathname === '/api/outcomes');
}

async function entered(request: IncomingMessage, { changes, unfinished }: OutcomeParts): Promise<Answer | null> {
  if (changes === null) return READ_ONLY;
  const body = await jsonBody(request, unfinished, MAX_BODY_BYTES);
  if (body === null || isAnswer(body)) return body;
  const outcomes = readSentOutcomes(body.value);
  if (typeof outcomes === 'string') return failure(400, 'BAD_REQUEST', outcomes);
  const done = await changes.importOutcomes(outcomes);
  if (!done.ok) return failure(400, 'BAD_REQUEST', done.message);
  return { status: done.planned.outcome === 'imported' ? 201 : 200, body: done.planned };
}

async function inMetasShape(url: URL, { database }: OutcomeParts): Promise<Answer> {
  const unknown = [...url.searchParams.keys()].find((name) => name !== 'from' && name !== 'to');
  if (unknown !== undefined)
    return failure(400, 'BAD_REQUEST', `There is no parameter "${unknown}" here; there are from and to.`);
  const question = readQuestion(
    reportOf('outcomes'),
    Object.fromEntries(url.searchParams),
    Math.floor(Date.now() / 1000),
  );
  if (!question.ok) return failure(400, 'BAD_REQUEST', question.message);
  return { status: 200, body: await conversionEvents(database, question.filters) };
}

/** `POST /api/outcomes` enters outcomes, `GET /api/conversions-api-events` gives own ones in Meta's shape (contract.md 4). */
export async function answerOutcomes(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  parts: OutcomeParts,
): Promise<void> {
  if (url.pathname !== EVENTS) {
    const answer = await entered(request, parts);
    if (answer !== null) sendAnswer(response, answer);
  } else if (request.method === 'GET' || request.method === 'HEAD')
    sendAnswer(response, await inMetasShape(url, parts));
  else sendAnswer(response, notAllowed('GET'));
}
