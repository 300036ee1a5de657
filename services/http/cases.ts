import type { IncomingMessage, ServerResponse } from 'node:http';
import { readCaseDecision } from '@ctwa-ledger/schemas/cases.ts';
import type { Changes } from '@ctwa-ledger/schemas/changes.ts';
import type { UnfinishedBodies } from '../ingest/unfinished.ts';
import { failure, isAnswer, jsonBody, READ_ONLY, sendAnswer, type Answer } from './answers.ts';

const MAX_BODY_BYTES = 16 * 1024;

/** What the address needs to decide on cases. */
export interface CaseParts {
  /** Null on a server that changes nothing. */
  readonly changes: Pick<Changes, 'decideCase'> | null;
  readonly unfinished: UnfinishedBodies;
}

async function answerOf(request: IncomingMessage, url: URL, parts: CaseParts): Promise<Answer | null> {
  const [unknown] = url.searchParams.keys();
  if (unknown !== undefined)
    return failure(400, 'BAD_REQUEST', `A decision takes no parameter "${unknown}": everything is in the body.`);
  if (parts.changes === null) return READ_ONLY;
  const body = await jsonBody(request, parts.unfinished, MAX_BODY_BYTES);
  if (body === null || isAnswer(body)) return body;
  const decision = readCaseDecision(body.value);
  if (typeof decision === 'string') return failure(400, 'BAD_REQUEST', decision);
  const decided = await parts.changes.decideCase(decision);
  if (decided.ok) return { status: 200, body: { outcome: decided.outcome, case: decided.case } };
  return failure(409, 'REFUSED', decided.message);
}

/** `POST /api/cases` (contract.md 4): decides on a case. The report of the same name lists cases. */
export async function answerCaseDecision(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  parts: CaseParts,
): Promise<void> {
  const answer = await answerOf(request, url, parts);
  if (answer !== null) sendAnswer(response, answer);
}
