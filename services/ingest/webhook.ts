import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { MAX_VALUE_BYTES, type LedgerEvent, type Rejection } from '@ctwa-ledger/schemas/event.ts';
import { DeadLetters } from '../ledger/dead-letters.ts';
import type { PutAside } from '../ledger/landing.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { readBytes, summarised } from './value.ts';

export interface WebhookSecrets {
  /** Of the Meta app; signs every delivery. Null = none is configured, and no delivery can be believed. */
  readonly appSecret: string | null;
  /** What was entered in Meta's dashboard for the handshake. */
  readonly verifyToken: string | null;
}

/** Where events of deliveries go; resolves when they are durable. */
export type Sink = (delivery: Delivery) => Promise<DeliveryCounts>;

export interface Delivery {
  readonly events: readonly LedgerEvent[];
  readonly rejections: readonly Rejection[];
  readonly raw: Buffer;
}

/** Events of a delivery by outcome; into a broker they are `produced`, and stored or duplicate later. */
export interface DeliveryCounts {
  readonly read: number;
  readonly stored?: number;
  readonly duplicate?: number;
  readonly produced?: number;
  readonly rejected: number;
}

/** Where a delivery comes from. No position: the same body sent again is the same letter. */
const WEBHOOK = { source: 'webhook', partition: 0, position: 0 } as const;
/** Events that may wait for the ledger; more are refused, and Meta sends them again. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

interface Waiting {
  readonly delivery: Delivery;
  readonly resolve: (counts: DeliveryCounts) => void;
  readonly reject: (error: unknown) => void;
}

export class OverloadedError extends Error {
  override readonly name = 'OverloadedError';
}

/**
 * Deliveries straight into the ledger. Those that arrive while one batch is being written are written together as the
 * next: each waits for its own promise to be kept, none for its turn.
 */
export class LedgerSink {
  readonly #ledger: Ledger;
  readonly #afterBatch: () => void;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #busy: Promise<void> | null = null;

  constructor(ledger: Ledger, afterBatch: () => void) {
    this.#ledger = ledger;
    this.#afterBatch = afterBatch;
  }

  take(delivery: Delivery): Promise<DeliveryCounts> {
    if (this.#waitingBytes + delivery.raw.length > MAX_WAITING_BYTES)
      return Promise.reject(new OverloadedError('Too many deliveries wait for the ledger; send it again later.'));
    this.#waitingBytes += delivery.raw.length;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ delivery, resolve, reject });
      this.#busy ??= this.#work();
    });
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    while (this.#busy !== null) await this.#busy;
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      this.#waitingBytes = 0;
      try {
        await this.#write(batch);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
      this.#afterBatch();
    }
    this.#busy = null;
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    const letters = new DeadLetters(this.#ledger.database);
    for (const { delivery } of batch) {
      const rejection = summarised(delivery.rejections);
      if (rejection !== null) await letters.add({ ...rejection, ...WEBHOOK, raw: delivery.raw });
    }
    await letters.flush();
    const events = batch.flatMap(({ delivery }) => delivery.events);
    let refused = 0;
    const putAside: PutAside = async (some) => {
      refused += some.length;
      for (const letter of some) await letters.add(letter);
      await letters.flush();
    };
    let { stored } = await this.#ledger.record(events, { putAside, origin: WEBHOOK });
    for (const { delivery, resolve } of batch) {
      // The batch knows how many were new or refused, not which: they are counted for its first deliveries.
      const own = Math.min(stored, delivery.events.length);
      stored -= own;
      const ownRefused = Math.min(refused, delivery.events.length - own);
      refused -= ownRefused;
      resolve({
        read: delivery.events.length + delivery.rejections.length,
        stored: own,
        duplicate: delivery.events.length - own - ownRefused,
        rejected: delivery.rejections.length + ownRefused,
      });
    }
  }
}

function isSignedBy(secret: string, header: string | undefined, body: Buffer): boolean {
  const given = Buffer.from(/^sha256=([0-9a-fA-F]{64})$/.exec(header ?? '')?.[1] ?? '', 'hex');
  const expected = createHmac('sha256', secret).update(body).digest();
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function respond(response: ServerResponse, status: number, text: string): void {
  if (response.headersSent) return;
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(`${text}\n`);
}

/** What is still read of a body that is too large, so that its sender hears the answer before the connection ends. */
const MAX_DRAINED_BYTES = 64 * 1024 * 1024;

/** Reads a body up to the limit; null when it is larger. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | null> {
  let chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_DRAINED_BYTES) break;
    if (bytes > MAX_VALUE_BYTES) chunks = [];
    else chunks.push(chunk);
  }
  return bytes > MAX_VALUE_BYTES ? null : Buffer.concat(chunks);
}

/** `GET /webhook`: Meta's handshake (contract.md 4). */
export function verifyHandshake(query: URLSearchParams, secrets: WebhookSecrets, response: ServerResponse): void {
  const token = query.get('hub.verify_token');
  const challenge = query.get('hub.challenge');
  if (secrets.verifyToken === null) {
    respond(response, 503, 'The webhook has no verify token: set META_VERIFY_TOKEN and start again.');
    return;
  }
  if (query.get('hub.mode') !== 'subscribe' || challenge === null) {
    respond(response, 400, 'Not a webhook handshake: hub.mode must be "subscribe", with a hub.challenge.');
    return;
  }
  if (token === null || !safeEqual(token, secrets.verifyToken)) {
    respond(response, 403, 'The verify token is not the configured one.');
    return;
  }
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' });
  response.end(challenge);
}

function safeEqual(a: string, b: string): boolean {
  const x = createHmac('sha256', 'compare').update(a).digest();
  const y = createHmac('sha256', 'compare').update(b).digest();
  return timingSafeEqual(x, y);
}

/**
 * `POST /webhook` (contract.md 4): 401 on a bad signature, 413 over 3 MB, 200 only once the events are durable, 503 with
 * nothing lost when they cannot be: Meta sends again. A body that can never be used is kept as a dead letter and
 * answered with 200, because sending it again would change nothing.
 */
export async function receiveDelivery(
  request: IncomingMessage,
  response: ServerResponse,
  secrets: WebhookSecrets,
  sink: Sink,
  onFailure: (error: unknown) => void,
): Promise<DeliveryCounts | null> {
  const body = await bodyOf(request);
  if (body === null) {
    response.setHeader('connection', 'close');
    respond(response, 413, `The body is over ${MAX_VALUE_BYTES} bytes.`);
    return null;
  }
  if (secrets.appSecret === null) {
    respond(response, 503, 'The webhook has no app secret: set META_APP_SECRET and start again.');
    return null;
  }
  const signature = request.headers['x-hub-signature-256'];
  if (!isSignedBy(secrets.appSecret, typeof signature === 'string' ? signature : undefined, body)) {
    respond(response, 401, 'The signature does not match the body: is META_APP_SECRET that of this app?');
    return null;
  }
  const outcomes = readBytes(body, Math.floor(Date.now() / 1000));
  const delivery: Delivery = {
    events: outcomes.flatMap((outcome) => (outcome.kind === 'event' ? [outcome.event] : [])),
    rejections: outcomes.flatMap((outcome) => (outcome.kind === 'rejected' ? [outcome.rejection] : [])),
    raw: body,
  };
  try {
    const counts = await sink(delivery);
    respond(response, 200, 'ok');
    return counts;
  } catch (error) {
    onFailure(error);
    respond(response, 503, 'The events could not be stored; send them again.');
    return null;
  }
}
