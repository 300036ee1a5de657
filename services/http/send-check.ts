import { asksForSample, valueIn } from '@ctwa-ledger/schemas/address-parameters.ts';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseFilters } from '@ctwa-ledger/schemas/report-filters.ts';
import {
  MAX_SEND_CHECK_BYTES,
  parseSendRequest,
  type SendRequest,
  type SendResult,
} from '@ctwa-ledger/schemas/send-check.ts';
import { receiveBody } from '../ingest/body.ts';
import type { UnfinishedBodies, UnfinishedLimits } from '../ingest/unfinished.ts';
import { unknownValueOf } from './api.ts';

/** Limits for questions that are being received. */
export const QUESTION_LIMITS: UnfinishedLimits = {
  bodies: 256,
  bytes: 32 * MAX_SEND_CHECK_BYTES,
  milliseconds: 10_000,
};

/**
 * Lists that are checked at the same time. A list folds thousands of threads, and a question about one message must not
 * wait for many of them.
 */
const MAX_LISTS = 2;

/**
 * Answers a send check; null when it asks for sample data and there is none.
 * @param options.at Unix seconds
 */
export type AskSendCheck = (
  request: SendRequest,
  options: { readonly at: number; readonly tz: string },
  sample: boolean,
) => Promise<SendResult | null>;

/** The limits and counts of send checks on a server. */
export class SendCheckDoor {
  readonly #unfinished: UnfinishedBodies;
  readonly #ask: AskSendCheck;
  #lists = 0;

  constructor(unfinished: UnfinishedBodies, ask: AskSendCheck) {
    this.#unfinished = unfinished;
    this.#ask = ask;
  }

  /**
   * `POST /api/send-check` (contract.md 4): what would happen if a message were sent now, or at `as_of`. 200 with the
   * answer, or 409 with the error of Meta's help page if the message is not allowed.
   */
  async answer(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    if (request.method !== 'POST') {
      response.setHeader('allow', 'POST');
      fail(response, 405, 'METHOD_NOT_ALLOWED', 'A send check takes POST, with a send body of the Cloud API.');
      return;
    }
    const query = url.searchParams;
    const filters = parseFilters(
      { tz: valueIn(query, 'tz') ?? undefined, as_of: valueIn(query, 'as_of') ?? undefined },
      Math.floor(Date.now() / 1000),
    );
    const body = await receiveBody(request, this.#unfinished, MAX_SEND_CHECK_BYTES);
    if (body === 'gone') return;
    if (body === 'too_large') {
      fail(response, 413, 'TOO_LARGE', `A send check is of at most ${MAX_SEND_CHECK_BYTES / 1024} KB.`);
      return;
    }
    if (!Buffer.isBuffer(body)) {
      response.setHeader('retry-after', '1');
      fail(response, 503, 'BUSY', 'The body was not complete in time, or too many come at once. Send it again.');
      return;
    }
    if (!filters.ok) {
      fail(response, 400, 'BAD_REQUEST', filters.message);
      return;
    }
    const unknown = unknownValueOf('sample', query);
    if (unknown !== null) {
      fail(response, 400, 'BAD_REQUEST', unknown);
      return;
    }
    const asked = readQuestion(body, valueIn(query, 'phone_number_id'));
    if (!asked.ok) {
      fail(response, 400, 'BAD_REQUEST', asked.message);
      return;
    }
    if (asked.request.is_list && this.#lists >= MAX_LISTS) {
      response.setHeader('retry-after', '1');
      fail(response, 503, 'BUSY', 'Too many lists are being checked at once. Try again in a second.');
      return;
    }
    if (asked.request.is_list) this.#lists += 1;
    try {
      const { as_of: at, tz } = filters.filters;
      const result = await this.#ask(asked.request, { at, tz }, asksForSample(query) === true);
      if (result === null) {
        fail(response, 404, 'NO_SAMPLE', 'There is no sample data any more; leave out "sample" to read the ledger.');
        return;
      }
      switch (result.kind) {
        case 'allowed':
          send(response, 200, result.answer);
          return;
        case 'not_allowed':
          send(response, 409, result.refusal);
          return;
        case 'many':
          send(response, 200, result.totals);
          return;
      }
    } finally {
      if (asked.request.is_list) this.#lists -= 1;
    }
  }
}

/** @param number the business number, when the address names it and the body is in Meta's form */
function readQuestion(body: Buffer, number: string | null): ReturnType<typeof parseSendRequest> {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch (error) {
    return { ok: false, message: `The body is not JSON: ${error instanceof Error ? error.message : String(error)}.` };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return {
      ok: false,
      message: 'The body is not an object: give a send body of the Cloud API with a "phone_number_id".',
    };
  return parseSendRequest(
    number === null || 'phone_number_id' in value ? value : { ...value, phone_number_id: number },
  );
}

function send(response: ServerResponse, status: number, answer: object): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' });
  response.end(`${JSON.stringify(answer)}\n`);
}

function fail(response: ServerResponse, status: number, code: string, message: string): void {
  send(response, status, { error: { code, message } });
}
