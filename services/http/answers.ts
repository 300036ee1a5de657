import type { IncomingMessage, ServerResponse } from 'node:http';
import { receiveBody } from '../ingest/body.ts';
import type { UnfinishedBodies } from '../ingest/unfinished.ts';

/** A JSON answer. */
export interface Answer {
  readonly status: number;
  readonly body: object;
  readonly allow?: string;
}

export const failure = (status: number, code: string, message: string): Answer => ({
  status,
  body: { error: { code, message } },
});
export const notAllowed = (allow: string): Answer => ({
  ...failure(405, 'METHOD_NOT_ALLOWED', `This address takes ${allow}.`),
  allow,
});
export const READ_ONLY = failure(403, 'READ_ONLY', 'This server only reads. Ask the one that writes the ledger.');

/**
 * Whether a page of another site sent the request. Browsers ask the server before they send JSON for such a page, so it
 * cannot change anything through a user's browser.
 */
export function isForeign({ headers }: IncomingMessage): boolean {
  const { origin, host } = headers;
  return origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== host);
}

/** The body of a request, parsed. */
export interface JsonBody {
  readonly value: unknown;
}

/** The body of a request as JSON, or the answer that refuses it; null when the sender is gone. */
export async function jsonBody(
  request: IncomingMessage,
  unfinished: UnfinishedBodies,
  max_bytes: number,
): Promise<JsonBody | Answer | null> {
  if (isForeign(request)) return failure(403, 'FOREIGN_ORIGIN', 'The request comes from a page of another origin.');
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? ''))
    return failure(415, 'UNSUPPORTED_MEDIA_TYPE', 'Send the body as application/json.');
  const body = await receiveBody(request, unfinished, max_bytes);
  if (body === 'gone') return null;
  if (body === 'too_large') return failure(413, 'TOO_LARGE', `The body is over ${max_bytes / 1024} KB.`);
  if (!Buffer.isBuffer(body)) return failure(503, 'BUSY', 'The body was not complete in time. Send it again.');
  try {
    return { value: JSON.parse(body.toString('utf8')) as unknown };
  } catch (error) {
    return failure(
      400,
      'BAD_REQUEST',
      `The body is not JSON: ${error instanceof Error ? error.message : String(error)}.`,
    );
  }
}

export function isAnswer(read: JsonBody | Answer): read is Answer {
  return 'status' in read;
}

export function sendAnswer(response: ServerResponse, { status, body, allow }: Answer): void {
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    ...(allow === undefined ? {} : { allow }),
  });
  response.end(`${JSON.stringify(body)}\n`);
}

/** A decoded part of an address. A part that cannot be decoded becomes a name that nothing has. */
export function decodedPart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return '\ufffd';
  }
}
