import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Changes } from '@ctwa-ledger/schemas/changes.ts';
import { readClaimChange, readNewClaim } from '@ctwa-ledger/schemas/claims.ts';
import type { UnfinishedBodies } from '../ingest/unfinished.ts';
import { failure, isAnswer, jsonBody, READ_ONLY, sendAnswer, type Answer } from './answers.ts';

const MAX_BODY_BYTES = 16 * 1024;
const ONE_CLAIM = /^\/api\/claims\/([0-9a-f]{1,64})$/;

/** What the address needs to change claims. */
export interface ClaimParts {
  /** Null on a server that changes nothing. */
  readonly changes: Pick<Changes, 'makeClaim' | 'changeClaim'> | null;
  readonly unfinished: UnfinishedBodies;
}

/** Whether a request changes a claim. Reading claims is the report of the same name. */
export function entersClaim({ method }: IncomingMessage, { pathname }: URL): boolean {
  return method === 'POST' && (pathname === '/api/claims' || ONE_CLAIM.test(pathname));
}

async function answerOf(request: IncomingMessage, url: URL, parts: ClaimParts): Promise<Answer | null> {
  const { changes } = parts;
  const [unknown] = url.searchParams.keys();
  if (unknown !== undefined)
    return failure(400, 'BAD_REQUEST', `A claim takes no parameter "${unknown}": everything is in the body.`);
  if (changes === null) return READ_ONLY;
  const body = await jsonBody(request, parts.unfinished, MAX_BODY_BYTES);
  if (body === null || isAnswer(body)) return body;
  const claim_id = ONE_CLAIM.exec(url.pathname)?.[1];
  const asked = claim_id === undefined ? readNewClaim(body.value) : readClaimChange(body.value);
  if (typeof asked === 'string') return failure(400, 'BAD_REQUEST', asked);
  const entered = 'action' in asked ? await changes.changeClaim(claim_id ?? '', asked) : await changes.makeClaim(asked);
  if (!entered.ok) return failure(409, 'REFUSED', entered.message);
  const { outcome, claim } = entered;
  return { status: claim_id === undefined && outcome === 'entered' ? 201 : 200, body: { outcome, claim } };
}

/** `POST /api/claims` makes a claim, `POST /api/claims/{id}` records what happened to one (contract.md 4). */
export async function answerClaims(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  parts: ClaimParts,
): Promise<void> {
  const answer = await answerOf(request, url, parts);
  if (answer !== null) sendAnswer(response, answer);
}
