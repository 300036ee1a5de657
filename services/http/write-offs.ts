import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Changes } from '@ctwa-ledger/schemas/changes.ts';
import { readNewWriteOff, readWriteOffUndo } from '@ctwa-ledger/schemas/write-offs.ts';
import type { UnfinishedBodies } from '../ingest/unfinished.ts';
import { failure, isAnswer, jsonBody, READ_ONLY, sendAnswer, type Answer } from './answers.ts';

/** Room for the keys of 500 rows. */
const MAX_BODY_BYTES = 256 * 1024;
const ONE_WRITE_OFF = /^\/api\/write-offs\/([0-9a-f]{1,64})$/;

/** What the address needs to change write-offs. */
interface WriteOffParts {
  /** Null on a server that changes nothing. */
  readonly changes: Pick<Changes, 'makeWriteOff' | 'undoWriteOff'> | null;
  readonly unfinished: UnfinishedBodies;
}

/** Whether a request writes something off, or undoes it. Reading write-offs is the report of the same name. */
export function entersWriteOff({ method }: IncomingMessage, { pathname }: URL): boolean {
  return method === 'POST' && (pathname === '/api/write-offs' || ONE_WRITE_OFF.test(pathname));
}

async function answerOf(request: IncomingMessage, url: URL, parts: WriteOffParts): Promise<Answer | null> {
  const { changes } = parts;
  const [unknown] = url.searchParams.keys();
  if (unknown !== undefined)
    return failure(400, 'BAD_REQUEST', `A write-off takes no parameter "${unknown}": everything is in the body.`);
  if (changes === null) return READ_ONLY;
  const body = await jsonBody(request, parts.unfinished, MAX_BODY_BYTES);
  if (body === null || isAnswer(body)) return body;
  const write_off_id = ONE_WRITE_OFF.exec(url.pathname)?.[1];
  const asked = write_off_id === undefined ? readNewWriteOff(body.value) : readWriteOffUndo(body.value);
  if (typeof asked === 'string') return failure(400, 'BAD_REQUEST', asked);
  const entered = await ('action' in asked
    ? changes.undoWriteOff(write_off_id ?? '', asked)
    : changes.makeWriteOff(asked));
  if (!entered.ok) return failure(409, 'REFUSED', entered.message);
  const { outcome, write_off } = entered;
  return { status: write_off_id === undefined && outcome === 'entered' ? 201 : 200, body: { outcome, write_off } };
}

/** `POST /api/write-offs` writes off rows, `POST /api/write-offs/{id}` undoes a write-off (contract.md 4). */
export async function answerWriteOffs(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  parts: WriteOffParts,
): Promise<void> {
  const answer = await answerOf(request, url, parts);
  if (answer !== null) sendAnswer(response, answer);
}
