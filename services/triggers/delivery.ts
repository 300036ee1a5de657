import { setTimeout as pause } from 'node:timers/promises';
import { TRIGGER_CHANNELS, type SavedTrigger, type TriggerChannel } from '@ctwa-ledger/schemas/triggers.ts';
import { z } from 'zod';
import type { Database } from '../clickhouse/database.ts';
import type { Firing } from './firing.ts';
import { idempotencyKey } from './payload.ts';
import { sendSigned, wordsOf, type Answer } from './signed-request.ts';

const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 3_600_000;
/** A delivery is given up after so long, until it is replayed. */
export const GIVE_UP_MS = 86_400_000;
/** Deliveries that run at the same time. */
const MAX_AT_ONCE = 16;
/** Orders are read again for so long, because the clock of the process that wrote them may be behind. */
const ORDERS_OVERLAP_MS = 60_000;

/** The topic of Kafka for firings. */
export interface TriggerTopic {
  /** Resolves when the broker has the record. */
  send(record: { readonly key: string; readonly value: string; readonly idempotency_key: string }): Promise<void>;
}

export interface DeliveryParts {
  /** Null without a broker: firings for the topic then wait for a process that has one. */
  readonly topic: TriggerTopic | null;
  /** Signs requests; null = none is sent. */
  readonly secret: string | null;
}

interface Pending extends Pick<Firing, 'trigger_id' | 'phone_number_id' | 'message_id' | 'customer' | 'payload'> {
  readonly channel: TriggerChannel;
  attempts: number;
  /** Milliseconds since the firing, or since it was ordered to be delivered again. */
  since_ms: number;
  due_ms: number;
  isUnderWay: boolean;
}

const pendingRow = z.object({
  trigger_id: z.string(),
  phone_number_id: z.string(),
  message_id: z.string(),
  customer: z.string(),
  payload: z.string(),
  fired_ms: z.coerce.number(),
  channel: z.enum(TRIGGER_CHANNELS),
  outcome: z.string(),
  attempts: z.coerce.number(),
  last_ms: z.coerce.number(),
  ordered_ms: z.coerce.number(),
});

/** The last attempt for each channel of each firing. */
export const LAST_ATTEMPTS = `
SELECT trigger_id, phone_number_id, message_id, toString(trigger_attempts.channel) AS channel,
    argMax(toString(trigger_attempts.outcome), trigger_attempts.attempted_at) AS outcome,
    argMax(trigger_attempts.attempt, trigger_attempts.attempted_at) AS attempts,
    argMax(trigger_attempts.status, trigger_attempts.attempted_at) AS status,
    argMax(trigger_attempts.detail, trigger_attempts.attempted_at) AS detail,
    max(trigger_attempts.attempted_at) AS last_at,
    maxIf(trigger_attempts.attempted_at, trigger_attempts.outcome = 'ordered') AS ordered_at,
    countIf(trigger_attempts.outcome != 'ordered') AS all_attempts
FROM trigger_attempts GROUP BY trigger_id, phone_number_id, message_id, channel`;

/** @param outcomes the outcomes of last attempts that are selected; the empty one = there was none */
function waiting(outcomes: string): string {
  return `
WITH waiting AS
(
    SELECT trigger_id, phone_number_id, message_id, channel, outcome, attempts,
        toUnixTimestamp64Milli(tried.last_at) AS last_ms, toUnixTimestamp64Milli(tried.ordered_at) AS ordered_ms
    FROM (SELECT DISTINCT trigger_id, phone_number_id, message_id, arrayJoin(channels) AS channel FROM trigger_firings) AS told
    LEFT JOIN (${LAST_ATTEMPTS}) AS tried USING (trigger_id, phone_number_id, message_id, channel)
    WHERE outcome IN (${outcomes})
)
SELECT trigger_id, phone_number_id, message_id, channel, outcome, attempts, last_ms, ordered_ms, customer, payload,
    toUnixTimestamp64Milli(fired.fired_at) AS fired_ms
FROM waiting INNER JOIN
(
    SELECT * FROM trigger_firings FINAL
    WHERE (trigger_id, phone_number_id, message_id) IN (SELECT trigger_id, phone_number_id, message_id FROM waiting)
) AS fired USING (trigger_id, phone_number_id, message_id)`;
}

/** The pause after so many failures. */
export function pauseAfter(failures: number): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** Math.max(0, failures - 1), LONGEST_PAUSE_MS);
}

/**
 * Delivers firings to topics and webhooks. A firing without an attempt is delivered, and after each attempt its outcome
 * is stored. After a crash between the two it is delivered again, with the same key and body.
 */
export class Deliveries {
  readonly #database: Database;
  readonly #parts: DeliveryParts;
  readonly #pending = new Map<string, Pending>();
  readonly #underWay = new Set<Promise<void>>();
  #ordersFromMs: number | null = null;
  readonly #stopping = new AbortController();

  constructor(database: Database, parts: DeliveryParts) {
    this.#database = database;
    this.#parts = parts;
  }

  /** Whether there is something to deliver, now or later. */
  get isWaiting(): boolean {
    return this.#pending.size > 0;
  }

  #put(one: Omit<Pending, 'isUnderWay'>): void {
    const key = [one.trigger_id, one.phone_number_id, one.message_id, one.channel].join('\n');
    if (!this.#pending.has(key)) this.#pending.set(key, { ...one, isUnderWay: false });
  }

  /** Takes new firings. */
  take(firings: readonly Firing[], now = Date.now()): void {
    for (const { fired_ms: _, channels, ...firing } of firings)
      for (const channel of channels) this.#put({ ...firing, channel, attempts: 0, since_ms: now, due_ms: now });
  }

  /** Takes firings that were not delivered before this process started. */
  async recall(): Promise<void> {
    this.#ordersFromMs = Date.now();
    for (const row of await this.#database.query(pendingRow, waiting(`'', 'failed', 'ordered'`))) this.#putBack(row);
  }

  #putBack(row: z.infer<typeof pendingRow>): void {
    const { fired_ms, outcome, attempts, last_ms, ordered_ms, ...firing } = row;
    const due_ms = outcome === 'failed' ? last_ms + pauseAfter(attempts) : 0;
    this.#put({ ...firing, attempts, since_ms: Math.max(fired_ms, ordered_ms), due_ms });
  }

  /** Takes deliveries that were ordered to be tried again. */
  async takeOrders(): Promise<void> {
    const now = Date.now();
    const from = (this.#ordersFromMs ?? now) - ORDERS_OVERLAP_MS;
    const [ordered] = await this.#database.query(
      z.object({ n: z.coerce.number() }),
      `SELECT count() AS n FROM trigger_attempts
       WHERE trigger_attempts.attempted_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND outcome = 'ordered'`,
      { from },
    );
    this.#ordersFromMs = now;
    if (ordered === undefined || ordered.n === 0) return;
    for (const row of await this.#database.query(pendingRow, waiting(`'ordered'`))) this.#putBack(row);
  }

  /** Starts deliveries that are due, as far as there is room. Resolves when one of them ends, or none is running. */
  begin(triggers: ReadonlyMap<string, SavedTrigger>): void {
    if (this.#stopping.signal.aborted) return;
    const now = Date.now();
    for (const [key, one] of this.#pending) {
      if (this.#underWay.size >= MAX_AT_ONCE) return;
      if (one.isUnderWay || one.due_ms > now) continue;
      one.isUnderWay = true;
      const work = this.#tell(key, one, triggers.get(one.trigger_id) ?? null).finally(() => {
        one.isUnderWay = false;
        this.#underWay.delete(work);
      });
      // If the outcome could not be stored, the delivery is tried again with the same key.
      work.catch(() => undefined);
      this.#underWay.add(work);
    }
  }

  /** Milliseconds until something is due; Infinity when nothing is waiting. */
  get dueIn(): number {
    let due = Infinity;
    for (const one of this.#pending.values()) if (!one.isUnderWay) due = Math.min(due, one.due_ms);
    return Math.max(0, due - Date.now());
  }

  async #tell(key: string, one: Pending, trigger: SavedTrigger | null): Promise<void> {
    const url = trigger?.webhook_url ?? null;
    const isWanted = trigger !== null && (one.channel === 'topic' ? trigger.to_topic : url !== null);
    if (trigger === null || !isWanted || trigger.state === 'deleted') {
      await this.#write(one, 'given_up', {
        status: 0,
        detail: 'the trigger was deleted, or tells this channel no more',
      });
      this.#pending.delete(key);
      return;
    }
    if (one.channel === 'topic' && this.#parts.topic === null) {
      one.due_ms = Date.now() + LONGEST_PAUSE_MS;
      return;
    }
    const answer = await (one.channel === 'topic' ? this.#produce(one) : this.#post(one, url ?? ''));
    // A request that this process aborted is no failure of the receiver.
    if (this.#stopping.signal.aborted && answer.status === 0 && answer.detail !== '') return;
    one.attempts += 1;
    const isTaken = answer.detail === '';
    const isOver = !isTaken && Date.now() + pauseAfter(one.attempts) - one.since_ms > GIVE_UP_MS;
    one.due_ms = Date.now() + pauseAfter(one.attempts);
    await this.#write(one, isTaken ? 'delivered' : isOver ? 'given_up' : 'failed', answer);
    if (isTaken || isOver) this.#pending.delete(key);
  }

  async #produce({ trigger_id, phone_number_id, message_id, customer, payload }: Pending): Promise<Answer> {
    try {
      await this.#parts.topic?.send({
        key: `${phone_number_id}:${customer}`,
        value: payload,
        idempotency_key: idempotencyKey(message_id, trigger_id),
      });
      return { status: 0, detail: '' };
    } catch (error) {
      return { status: 0, detail: wordsOf(error) };
    }
  }

  #post({ trigger_id, message_id, payload: body }: Pending, url: string): Promise<Answer> {
    const key = idempotencyKey(message_id, trigger_id);
    return sendSigned({ url, key, body, secret: this.#parts.secret }, this.#stopping.signal);
  }

  #write(
    { trigger_id, phone_number_id, message_id, channel, attempts }: Pending,
    outcome: string,
    { status, detail }: Answer,
  ): Promise<void> {
    return writeAttempt(this.#database, {
      trigger_id,
      phone_number_id,
      message_id,
      channel,
      attempt: attempts,
      outcome,
      status,
      detail,
    });
  }

  /** Starts nothing more, and gives running deliveries a moment to end. */
  async stop(): Promise<void> {
    const settled = Promise.allSettled([...this.#underWay]);
    await Promise.race([settled, pause(1_000)]);
    this.#stopping.abort();
    await settled;
  }
}

interface Attempt {
  readonly trigger_id: string;
  readonly phone_number_id: string;
  readonly message_id: string;
  readonly channel: TriggerChannel;
  readonly attempt: number;
  readonly outcome: string;
  readonly status: number;
  readonly detail: string;
}

/** Stores an attempt, or an order to try again. */
export function writeAttempt(database: Database, one: Attempt): Promise<void> {
  return database.command(
    `INSERT INTO trigger_attempts
     SELECT now64(3, 'UTC'), {trigger_id:String}, {phone_number_id:String}, {message_id:String}, {channel:String},
        {attempt:UInt32}, {outcome:String}, {status:UInt16}, {detail:String}`,
    { ...one },
  );
}
