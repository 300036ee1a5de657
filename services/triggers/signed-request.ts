import { signatureOf } from './payload.ts';

const ANSWER_WITHIN_MS = 10_000;
const MAX_DETAIL_CHARS = 300;

/** The result of a request. */
export interface Answer {
  /** HTTP status of the response; 0 when there was none. */
  readonly status: number;
  /** What went wrong; empty = it was accepted. */
  readonly detail: string;
}

/** A request to be signed and sent. */
export interface SignedRequest {
  readonly url: string;
  /** A second request with the same key repeats the first. */
  readonly key: string;
  readonly body: string;
  /** Null when it cannot be signed, so it is not sent. */
  readonly secret: string | null;
}

export function wordsOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const words = cause instanceof Error ? cause.message || cause.name : String(cause);
  return (words === '' ? 'it did not work' : words).slice(0, MAX_DETAIL_CHARS);
}

/** Sends a signed request. Every 2xx is a success; redirects are not followed. Never throws. */
export async function sendSigned({ url, key, body, secret }: SignedRequest, stopping: AbortSignal): Promise<Answer> {
  if (secret === null)
    return { status: 0, detail: 'CTWA_TRIGGER_SECRET is not set, so nothing can be signed; set it and start again' };
  const timestamp = String(Math.floor(Date.now() / 1000));
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'idempotency-key': key,
        'x-ctwa-timestamp': timestamp,
        'x-ctwa-signature-256': signatureOf(secret, timestamp, body),
      },
      body,
      // A redirect is not followed: the receiver must be configured under its own address.
      redirect: 'manual',
      signal: AbortSignal.any([stopping, AbortSignal.timeout(ANSWER_WITHIN_MS)]),
    });
    await response.body?.cancel();
    return { status: response.status, detail: response.ok ? '' : `it answered ${response.status}` };
  } catch (error) {
    return { status: 0, detail: wordsOf(error) };
  }
}
