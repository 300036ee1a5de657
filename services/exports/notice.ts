import { createHmac } from 'node:crypto';
import { ActionableError } from '../clickhouse/errors.ts';

const ANSWER_WITHIN_MS = 10_000;

/** A message about a run: its file is there, or it was given up. */
export interface Notice {
  readonly event: 'export.done' | 'export.restated' | 'export.failed';
  /** The same for the same file, so that a receiver can recognise a repeated message. */
  readonly idempotency_key: string;
  readonly [name: string]: unknown;
}

/**
 * Posts a notice as JSON, signed like requests of triggers: the headers `x-ctwa-timestamp` and `x-ctwa-signature-256`,
 * the HMAC-SHA256 of time stamp, full stop and body under `CTWA_EXPORT_SECRET`.
 * @throws ActionableError when it is not accepted with a 2xx in time
 */
export async function sendNotice(
  address: string,
  notice: Notice,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<void> {
  const secret = environment['CTWA_EXPORT_SECRET'] ?? '';
  if (secret === '')
    throw new ActionableError(
      'The notice was not sent: CTWA_EXPORT_SECRET is not set, and a notice has to be signed. Set it.',
    );
  const { origin } = new URL(address);
  const body = JSON.stringify(notice);
  const timestamp = String(Math.floor(Date.now() / 1000));
  let status: number;
  try {
    const answer = await fetch(address, {
      method: 'POST',
      redirect: 'manual',
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      headers: {
        'content-type': 'application/json',
        'idempotency-key': notice.idempotency_key,
        'x-ctwa-timestamp': timestamp,
        'x-ctwa-signature-256': `sha256=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`,
      },
      body,
    });
    await answer.body?.cancel();
    ({ status } = answer);
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new ActionableError(
      `The receiver at ${origin} was not notified of the file (${cause instanceof Error ? cause.message : String(cause)}). The file is there.`,
    );
  }
  if (status < 200 || status > 299)
    throw new ActionableError(
      `The receiver at ${origin} answered ${status} when it was told of the file. The file is there.`,
    );
}
