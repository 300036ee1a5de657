import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { MAX_VALUE_BYTES, type LedgerEvent, type Rejection } from '@ctwa-ledger/schemas/event.ts';
import { DeadLetters } from '../ledger/events/dead-letters.ts';
import { ConfigurationChangedError } from '../clickhouse/errors.ts';
import type { Landing } from '../ledger/events/landing.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { codingOf, MAX_GZIP_OVERHEAD_BYTES, receiveBody, unzipped } from './body.ts';
import type { EndedBecause, UnfinishedBodies, UnfinishedLimits } from './unfinished.ts';
import { readBytes, summarised } from './value.ts';

export interface WebhookSecrets {
  /**
   * App secret of the Meta app, which signs every delivery. Null = none is configured, so every delivery is refused.
   */
  readonly appSecret: string | null;
  /** Verify token that was entered in Meta's dashboard for the handshake. */
  readonly verifyToken: string | null;
}

/**
 * Takes the events of deliveries; resolves when they are durable and their outcomes are known.
 * @param onDurable called once the events are durable, if that is known before the outcomes; nothing fails after it
 */
export type Sink = (delivery: Delivery, onDurable: () => void) => Promise<DeliveryCounts>;

export interface Delivery {
  readonly events: readonly LedgerEvent[];
  readonly rejections: readonly Rejection[];
  readonly raw: Buffer;
}

/**
 * Events of a delivery by outcome. Events sent to a broker are `produced`; the consumer counts them as stored or
 * duplicate later.
 */
export interface DeliveryCounts {
  readonly read: number;
  readonly stored?: number;
  readonly duplicate?: number;
  readonly produced?: number;
  readonly rejected: number;
}

/** Limits for deliveries whose signature cannot be checked yet: ten of the largest, or many small ones. */
export const BODY_LIMITS: UnfinishedLimits = { bodies: 64, bytes: 32 * 1024 * 1024, milliseconds: 10_000 };

/** The origin of a delivery. It has no position: the same body sent again is the same letter. */
const WEBHOOK = { source: 'webhook', partition: 0, position: 0 } as const;
/**
 * Bytes of deliveries that are not landed or folded yet. Beyond it deliveries are refused, and Meta sends them again.
 */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

/**
 * Landings and folds begin at least this far apart: a write costs the ledger much the same for one event as for many,
 * and a longer interval gathers more of them. A single delivery is landed at once.
 */
const LAND_EVERY_MS = 80;
const FOLD_EVERY_MS = 300;
/** A landing that could not be folded is tried again after this. */
const FOLD_AGAIN_MS = 2_000;

interface Waiting {
  readonly delivery: Delivery;
  readonly onDurable: () => void;
  readonly resolve: (counts: DeliveryCounts) => void;
  readonly reject: (error: unknown) => void;
}

/** Deliveries that were landed together. */
interface Landed {
  readonly landing: Landing;
  readonly batch: readonly Waiting[];
  /** Events that ClickHouse refused. */
  readonly refused: () => number;
}

/** Keeps the starts of some work apart in time. */
class Pace {
  readonly #everyMs: number;
  #next = 0;

  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  /** Resolves when the work may begin. */
  async turn(): Promise<void> {
    const wait = this.#next - performance.now();
    if (wait > 0) await sleep(wait);
    this.#next = performance.now() + this.#everyMs;
  }
}

class OverloadedError extends Error {
  override readonly name = 'OverloadedError';
}

/**
 * Brings deliveries straight into the ledger. Deliveries that arrive while a batch is being landed are landed together
 * as the next batch. Each request is answered when its events are landed; they are folded after that, all landed
 * deliveries at once.
 */
export class LedgerSink {
  readonly #ledger: Ledger;
  readonly #afterBatch: () => void;
  readonly #onFoldFailure: (error: unknown) => void;
  #waiting: Waiting[] = [];
  /** Bytes of the deliveries that are not folded yet. */
  #heldBytes = 0;
  #landed: Landed[] = [];
  #landing: Promise<void> | null = null;
  #folding: Promise<void> | null = null;
  #stop = new AbortController();
  readonly #landPace = new Pace(LAND_EVERY_MS);
  readonly #foldPace = new Pace(FOLD_EVERY_MS);

  /** @param onFoldFailure called with the reason when landed deliveries could not be folded; they are tried again */
  constructor(ledger: Ledger, afterBatch: () => void, onFoldFailure: (error: unknown) => void = () => undefined) {
    this.#ledger = ledger;
    this.#afterBatch = afterBatch;
    this.#onFoldFailure = onFoldFailure;
  }

  take(delivery: Delivery, onDurable: () => void = () => undefined): Promise<DeliveryCounts> {
    if (this.#heldBytes + delivery.raw.length > MAX_WAITING_BYTES)
      return Promise.reject(new OverloadedError('Too many deliveries wait for the ledger; send it again later.'));
    this.#heldBytes += delivery.raw.length;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ delivery, onDurable, resolve, reject });
      this.#landing ??= this.#land();
    });
  }

  /** Resolves when nothing is left to do, or when what is left can be done by the next writer of the ledger. */
  async idle(): Promise<void> {
    while (this.#landing !== null) await this.#landing;
    this.#stop.abort();
    while (this.#folding !== null) await this.#folding;
    this.#stop = new AbortController();
  }

  async #land(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#landPace.turn();
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        const landed = await this.#write(batch);
        // Read only now: a fold that began meanwhile has taken the earlier list.
        this.#landed.push(landed);
        for (const { onDurable } of batch) onDurable();
        this.#folding ??= this.#fold();
      } catch (error) {
        for (const { delivery, reject } of batch) {
          this.#heldBytes -= delivery.raw.length;
          reject(error);
        }
      }
    }
    this.#landing = null;
  }

  async #write(batch: readonly Waiting[]): Promise<Landed> {
    const letters = new DeadLetters(this.#ledger.database);
    for (const { delivery } of batch) {
      const rejection = summarised(delivery.rejections);
      if (rejection !== null) await letters.add({ ...rejection, ...WEBHOOK, raw: delivery.raw });
    }
    await letters.flush();
    let refused = 0;
    const landing = this.#ledger.beginLiveLanding(async (some) => {
      refused += some.length;
      for (const letter of some) await letters.add(letter);
      await letters.flush();
    });
    for (const { delivery } of batch) for (const event of delivery.events) await landing.add(event, WEBHOOK);
    await this.#ledger.promise(landing);
    return { landing, batch, refused: () => refused };
  }

  /** Folds landed deliveries until none are left, or until folding fails and no request is waiting. */
  async #fold(): Promise<void> {
    while (this.#landed.length > 0) {
      await this.#foldPace.turn();
      const some = this.#landed;
      this.#landed = [];
      try {
        const { stored } = await this.#ledger.foldTogether(some.map(({ landing }) => landing));
        this.#report(some, stored);
        this.#afterBatch();
      } catch (error) {
        this.#onFoldFailure(error);
        this.#landed = [...some, ...this.#landed];
        if (error instanceof ConfigurationChangedError) await this.#ledger.takeOver().catch(() => undefined);
        await sleep(FOLD_AGAIN_MS, undefined, { signal: this.#stop.signal }).catch(() => undefined);
        if (this.#stop.signal.aborted) break;
      }
    }
    this.#folding = null;
  }

  #report(some: readonly Landed[], stored: number): void {
    for (const { batch, refused } of some) {
      let left = refused();
      for (const { delivery, resolve } of batch) {
        this.#heldBytes -= delivery.raw.length;
        // The counts of new and refused events are known for the batch, not for each delivery: they are assigned to the
        // first deliveries.
        const own = Math.min(stored, delivery.events.length);
        stored -= own;
        const ownRefused = Math.min(left, delivery.events.length - own);
        left -= ownRefused;
        resolve({
          read: delivery.events.length + delivery.rejections.length,
          stored: own,
          duplicate: delivery.events.length - own - ownRefused,
          rejected: delivery.rejections.length + ownRefused,
        });
      }
    }
  }
}

const SIGNATURE = /^sha256=([0-9a-fA-F]{64})$/;

function isSignedBy(secret: string, signature: string, body: Buffer): boolean {
  const given = Buffer.from(SIGNATURE.exec(signature)?.[1] ?? '', 'hex');
  const expected = createHmac('sha256', secret).update(body).digest();
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function respond(response: ServerResponse, status: number, text: string): void {
  if (response.headersSent) return;
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(`${text}\n`);
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

/** What a receiver of deliveries needs. */
export interface Receiving {
  readonly secrets: WebhookSecrets;
  readonly sink: Sink;
  /** Limits the bodies that are not complete yet. */
  readonly unfinished: UnfinishedBodies;
  /** Called for a body that ended before it was complete. */
  readonly onUnfinished: (why: EndedBecause | 'gone') => void;
  /** Called with the reason when a delivery could not be stored. */
  readonly onFailure: (error: unknown) => void;
}

/** Why a delivery is refused; its body is not needed any more. */
interface Refusal {
  readonly status: 401 | 408 | 413 | 415 | 503;
  readonly message: string;
}

const TOO_LARGE: Refusal = { status: 413, message: `The body is over ${MAX_VALUE_BYTES} bytes.` };
const NOT_SIGNED: Refusal = {
  status: 401,
  message: 'The signature does not match the body: is META_APP_SECRET that of this app?',
};
const NOT_GZIP: Refusal = {
  status: 415,
  message: 'Content-Encoding says gzip, but the body cannot be decoded as such. Send it whole, or not compressed.',
};
const ENDED: Readonly<Record<EndedBecause, Refusal>> = {
  late: {
    status: 408,
    message: `The body was not complete after ${BODY_LIMITS.milliseconds / 1000} s; send it again.`,
  },
  crowded: { status: 503, message: 'Too many deliveries are being received at once; send it again.' },
};

function refuse(response: ServerResponse, refusal: Refusal): null {
  // Reading the rest of a body that is not needed would keep the connection busy.
  if (!response.req.complete) response.setHeader('connection', 'close');
  respond(response, refusal.status, refusal.message);
  return null;
}

/** Refuses a request by its head alone; then nothing of its body has to be kept. */
function refusalByHead(request: IncomingMessage, secret: string | null, signature: string | null): Refusal | null {
  if (secret === null)
    return { status: 503, message: 'The webhook has no app secret: set META_APP_SECRET and start again.' };
  if (codingOf(request) === null)
    return {
      status: 415,
      message: `Content-Encoding "${request.headers['content-encoding'] ?? ''}" is not taken; send the body as it is, or with gzip.`,
    };
  return signature === null || !SIGNATURE.test(signature) ? NOT_SIGNED : null;
}

/**
 * `POST /webhook` (contract.md 4): 401 for a bad signature, which is computed over the bytes as they were sent; 413
 * over 3 MB, decoded if they are gzipped; 415 for another coding; 200 only once the events are durable; 503 when they
 * cannot be stored now: nothing is lost, because Meta sends them again. A body that can never be used is kept as a dead
 * letter, decoded, and answered with 200, because sending it again would change nothing. A body that is not complete in
 * time is answered with 408, one that was ended to make room with 503.
 * @returns the events by outcome; null when the delivery was refused
 */
export async function receiveDelivery(
  request: IncomingMessage,
  response: ServerResponse,
  receiving: Receiving,
): Promise<DeliveryCounts | null> {
  const secret = receiving.secrets.appSecret;
  const header = request.headers['x-hub-signature-256'];
  const signature = typeof header === 'string' ? header : null;
  const refusal = refusalByHead(request, secret, signature);
  const coding = codingOf(request);
  const most = coding === 'gzip' ? MAX_VALUE_BYTES + MAX_GZIP_OVERHEAD_BYTES : MAX_VALUE_BYTES;
  const sent = await receiveBody(request, receiving.unfinished, refusal === null ? most : 0);
  if (sent === 'gone' || sent === 'late' || sent === 'crowded') {
    receiving.onUnfinished(sent);
    return sent === 'gone' ? null : refuse(response, ENDED[sent]);
  }
  if (refusal !== null || secret === null || signature === null) return refuse(response, refusal ?? NOT_SIGNED);
  if (sent === 'too_large') return refuse(response, TOO_LARGE);
  if (!isSignedBy(secret, signature, sent)) return refuse(response, NOT_SIGNED);
  const body = coding === 'gzip' ? await unzipped(sent, MAX_VALUE_BYTES) : sent;
  if (body === 'too_large') return refuse(response, TOO_LARGE);
  if (body === 'not_gzip') return refuse(response, NOT_GZIP);
  const outcomes = readBytes(body, Math.floor(Date.now() / 1000));
  const delivery: Delivery = {
    events: outcomes.flatMap((outcome) => (outcome.kind === 'event' ? [outcome.event] : [])),
    rejections: outcomes.flatMap((outcome) => (outcome.kind === 'rejected' ? [outcome.rejection] : [])),
    raw: body,
  };
  const answer = (): void => {
    respond(response, 200, 'ok');
  };
  try {
    const counts = await receiving.sink(delivery, answer);
    answer();
    return counts;
  } catch (error) {
    receiving.onFailure(error);
    respond(response, 503, 'The events could not be stored; send them again.');
    return null;
  }
}
