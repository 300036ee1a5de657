import { DEFAULT_POLICY_SETTINGS } from '@ctwa-ledger/schemas/config.ts';
import { REPLY_WITHIN_SECONDS } from '@ctwa-ledger/schemas/durations.ts';
import type { SavedTrigger, TriggerChannel } from '@ctwa-ledger/schemas/triggers.ts';
import { z } from 'zod';
import type { Database } from '../clickhouse/database.ts';
import { KeptReading } from '../clickhouse/kept-reading.ts';
import { readConfiguration } from '../ledger/configuration/configuration.ts';
import { readFact, writeFact } from '../ledger/configuration/facts.ts';
import { compileRulebook, type Rulebook } from '../lifecycle/rulebook.ts';
import { ThreadReader } from '../send-check/thread-reader.ts';
import { campaignsOfAds, type Campaigns } from './campaigns.ts';
import { deadlineOf, dueTrigger } from './deadlines.ts';
import { isInTime, passes } from './matching.ts';
import { entryAmong, payloadOf } from './payload.ts';
import { latestOf, revisionAt, type History } from './register.ts';

/** The fact with the time up to which arrivals were examined, by ClickHouse's clock. */
const EXAMINED = 'triggers_examined_ms';
/** An insert gets its time when it begins and is visible when it is done, so a later one may be visible earlier. */
const OVERLAP_MS = 600_000;
const MESSAGES_PER_QUESTION = 500;
/** How long accounts and the names of campaigns count as current. */
const KEPT_MS = 10_000;
/** Deadlines are hours away, so looking for them twice a minute is enough. */
const DEADLINES_EVERY_MS = 30_000;

const arrivalRow = z.object({
  noted_ms: z.coerce.number(),
  phone_number_id: z.string(),
  customer: z.string(),
  message_id: z.string(),
});
type Arrival = z.infer<typeof arrivalRow>;

const landedRow = z.object({
  phone_number_id: z.string(),
  message_id: z.string(),
  ads: z.array(z.tuple([z.string(), z.string()])),
  written_at: z.coerce.number(),
  landed_ms: z.coerce.number(),
});

const nearRow = z.object({
  phone_number_id: z.string(),
  message_id: z.string(),
  customer: z.string(),
  ad_id: z.string(),
  source_url: z.string(),
  entry_at: z.coerce.number(),
  is_replied: z.coerce.boolean(),
  opened_at: z.coerce.number(),
  expires_at: z.coerce.number(),
});
const firedRow = z.object({ trigger_id: z.string(), phone_number_id: z.string(), message_id: z.string() });

/** A message, and the triggers that may fire for it by what is known before its thread is read. */
interface Candidate {
  readonly phone_number_id: string;
  readonly customer: string;
  readonly message_id: string;
  readonly histories: readonly History[];
  /** When the ledger first stored it; null for a deadline. */
  readonly landed_ms: number | null;
}

/** A firing: stored, and not delivered yet. */
export interface Firing {
  readonly trigger_id: string;
  readonly phone_number_id: string;
  readonly message_id: string;
  readonly customer: string;
  readonly fired_ms: number;
  /** Its receivers. */
  readonly channels: readonly TriggerChannel[];
  readonly payload: string;
}

function keyOf({ phone_number_id, message_id }: Pick<Candidate, 'phone_number_id' | 'message_id'>): string {
  return `${phone_number_id}\n${message_id}`;
}

/**
 * Finds what triggers fire for. It reads what has landed, by any way: so webhook, Kafka and files are the same, and a
 * batch that is read again, a rebuild or another member of the group adds nothing. Firings are stored before they are
 * delivered; the time up to which arrivals were examined is stored after that, so that after a crash in between they
 * are examined again and found to have fired.
 */
export class Firings {
  readonly #database: Database;
  readonly #threads: ThreadReader;
  readonly #rulebook: KeptReading<Rulebook>;
  readonly #campaigns: KeptReading<Campaigns>;
  #examinedMs: number | null = null;
  /** Examined arrivals within the overlap, with their times. */
  readonly #seen = new Map<string, number>();
  #deadlinesAt = -Infinity;

  constructor(database: Database) {
    this.#database = database;
    this.#threads = new ThreadReader(database, 1);
    this.#rulebook = new KeptReading<Rulebook>(KEPT_MS, async () => {
      const configuration = await readConfiguration(database);
      return compileRulebook(configuration?.accounts ?? [], configuration?.settings.policy ?? DEFAULT_POLICY_SETTINGS);
    });
    this.#campaigns = new KeptReading<Campaigns>(KEPT_MS, () => campaignsOfAds(database));
  }

  async #campaignsFor(histories: readonly History[]): Promise<Campaigns> {
    const named = histories.some((history) => history.some(({ trigger }) => trigger.filters.campaigns.length > 0));
    return named ? this.#campaigns.get() : new Map();
  }

  /**
   * Examines a part of what has arrived since the last time.
   * @returns what fired; null when nothing has arrived
   */
  async ofArrivals(histories: readonly History[]): Promise<readonly Firing[] | null> {
    this.#examinedMs ??= Number((await readFact(this.#database, EXAMINED)) ?? 0);
    const from = Math.max(0, this.#examinedMs - OVERLAP_MS);
    for (const [key, noted_ms] of this.#seen) if (noted_ms < from) this.#seen.delete(key);
    const listed = await this.#database.query(
      arrivalRow,
      `SELECT toUnixTimestamp64Milli(max(trigger_arrivals.noted_at)) AS noted_ms, phone_number_id, customer, message_id
       FROM trigger_arrivals WHERE trigger_arrivals.noted_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
       GROUP BY phone_number_id, customer, message_id ORDER BY noted_ms, message_id`,
      { from },
    );
    // A message that arrives again may contain what was missing before.
    const some = listed
      .filter((arrival) => (this.#seen.get(keyOf(arrival)) ?? -1) < arrival.noted_ms)
      .slice(0, MESSAGES_PER_QUESTION);
    const last = some.at(-1);
    if (last === undefined) return null;
    const fired = await this.#fire(await this.#arrived(some, histories), Date.now());
    for (const arrival of some) this.#seen.set(keyOf(arrival), arrival.noted_ms);
    if (last.noted_ms > this.#examinedMs) {
      this.#examinedMs = last.noted_ms;
      await writeFact(this.#database, EXAMINED, String(last.noted_ms));
    }
    return fired;
  }

  /**
   * The arrivals for which a trigger may fire, before their threads are read. In an imported backlog there are none.
   */
  async #arrived(arrivals: readonly Arrival[], histories: readonly History[]): Promise<Candidate[]> {
    const campaigns = await this.#campaignsFor(histories);
    const landed = await this.#database.query(
      landedRow,
      `SELECT phone_number_id, id AS message_id, groupUniqArray((referral_source_id, referral_source_url)) AS ads,
          toUInt32(min(events.timestamp)) AS written_at,
          toString(bitShiftRight(bitNot(max(events.landing_rank)), 20)) AS landed_ms
       FROM events
       WHERE phone_number_id IN {numbers:Array(String)} AND customer IN {customers:Array(String)}
         AND id IN {ids:Array(String)} AND kind = 'message' AND direction = 'inbound'
       GROUP BY phone_number_id, id`,
      {
        numbers: [...new Set(arrivals.map(({ phone_number_id }) => phone_number_id))],
        customers: [...new Set(arrivals.map(({ customer }) => customer))],
        ids: [...new Set(arrivals.map(({ message_id }) => message_id))],
      },
    );
    const known = new Map(landed.map((row) => [keyOf(row), row]));
    return arrivals.flatMap(({ phone_number_id, customer, message_id }): Candidate[] => {
      const found = known.get(keyOf({ phone_number_id, message_id }));
      if (found === undefined) return [];
      const { landed_ms, written_at, ads } = found;
      const wanted = histories.filter((history) => {
        const trigger = arrivalTrigger(history, written_at, landed_ms);
        return (
          trigger !== null &&
          ads.some(([ad_id, source_url]) => passes(trigger, { phone_number_id, ad_id, source_url }, campaigns))
        );
      });
      return wanted.length === 0 ? [] : [{ phone_number_id, customer, message_id, landed_ms, histories: wanted }];
    });
  }

  /** Looks for deadlines that are near. */
  async ofDeadlines(histories: readonly History[], nowMs: number): Promise<readonly Firing[]> {
    const isDeadlined = (history: History): boolean => history.some(({ trigger }) => trigger.kind !== 'arrival');
    const deadlined = histories.filter(isDeadlined);
    if (deadlined.length === 0 || nowMs - this.#deadlinesAt < DEADLINES_EVERY_MS) return [];
    const campaigns = await this.#campaignsFor(deadlined);
    const near = await this.#database.query(
      nearRow,
      `SELECT phone_number_id, entry_id AS message_id, customer, ad_id, source_url,
          toUInt32(entry_marks.entry_at) AS entry_at, replied_at IS NOT NULL AS is_replied,
          toUInt32(ifNull(entry_marks.opened_at, 0)) AS opened_at, toUInt32(ifNull(entry_marks.expires_at, 0)) AS expires_at
       FROM entry_marks FINAL
       WHERE (phone_number_id, entry_id) IN
         (SELECT phone_number_id, entry_id FROM entry_marks
          WHERE entry_marks.entry_at > toDateTime({now:UInt32}, 'UTC') - INTERVAL ${REPLY_WITHIN_SECONDS} SECOND
             OR entry_marks.expires_at > toDateTime({now:UInt32}, 'UTC'))`,
      { now: Math.floor(nowMs / 1000) },
    );
    const candidates = near.flatMap(({ message_id, customer, entry_at, is_replied, opened_at, expires_at, ...row }) => {
      const entry = { entry_at, window: opened_at === 0 ? null : { opened_at, expires_at } };
      const wanted = deadlined.filter((history) => {
        const trigger = deadlineOf(history, entry, nowMs);
        return trigger !== null && !(trigger.kind === 'unanswered' && is_replied) && passes(trigger, row, campaigns);
      });
      const { phone_number_id } = row;
      return wanted.length === 0 ? [] : [{ phone_number_id, customer, message_id, landed_ms: null, histories: wanted }];
    });
    const fired: Firing[] = [];
    for (let from = 0; from < candidates.length; from += MESSAGES_PER_QUESTION)
      fired.push(...(await this.#fire(candidates.slice(from, from + MESSAGES_PER_QUESTION), nowMs)));
    this.#deadlinesAt = nowMs;
    return fired;
  }

  /** Fires for the candidates that pass by everything known of their threads, unless they have fired before. */
  async #fire(found: readonly Candidate[], nowMs: number): Promise<readonly Firing[]> {
    if (found.length === 0) return [];
    const before = await this.#firedBefore(found);
    const candidates = found.flatMap((one) => {
      const left = one.histories.filter((history) => !before.has(`${latestOf(history).trigger_id}\n${keyOf(one)}`));
      return left.length === 0 ? [] : [{ ...one, histories: left }];
    });
    if (candidates.length === 0) return [];
    const [rulebook, campaigns] = await Promise.all([
      this.#rulebook.get(),
      this.#campaignsFor(candidates.flatMap(({ histories }) => histories)),
    ]);
    const fired = await Promise.all(
      candidates.map((candidate) => this.#examine(candidate, rulebook, campaigns, nowMs)),
    );
    const firings = fired.flat();
    await this.#write(firings);
    return firings;
  }

  async #examine(
    { phone_number_id, customer, message_id, landed_ms, histories }: Candidate,
    rulebook: Rulebook,
    campaigns: Campaigns,
    firedMs: number,
  ): Promise<Firing[]> {
    const events = await this.#threads.read({
      phone_number_id,
      customer,
      nameless_id: customer === '' ? message_id : '',
    });
    const known = entryAmong(events, phone_number_id, message_id, rulebook, Math.floor(firedMs / 1000));
    if (known === null) return [];
    const { entry } = known;
    return histories.flatMap((history): Firing[] => {
      const trigger =
        landed_ms === null ? dueTrigger(history, known, firedMs) : arrivalTrigger(history, entry.entry_at, landed_ms);
      if (trigger === null || !passes(trigger, entry, campaigns)) return [];
      const channels: TriggerChannel[] = [];
      if (trigger.to_topic) channels.push('topic');
      if (trigger.webhook_url !== null) channels.push('webhook');
      const { trigger_id } = trigger;
      const payload = payloadOf(trigger, known, firedMs, landed_ms);
      return [
        { trigger_id, phone_number_id, message_id, customer: entry.customer, fired_ms: firedMs, channels, payload },
      ];
    });
  }

  async #firedBefore(candidates: readonly Candidate[]): Promise<ReadonlySet<string>> {
    const rows = await this.#database.query(
      firedRow,
      `SELECT DISTINCT trigger_id, phone_number_id, message_id FROM trigger_firings
       WHERE phone_number_id IN {numbers:Array(String)} AND message_id IN {ids:Array(String)}`,
      {
        numbers: [...new Set(candidates.map(({ phone_number_id }) => phone_number_id))],
        ids: candidates.map(({ message_id }) => message_id),
      },
    );
    return new Set(rows.map((row) => `${row.trigger_id}\n${keyOf(row)}`));
  }

  async #write(firings: readonly Firing[]): Promise<void> {
    await this.#database.insertLines(
      'trigger_firings',
      ['trigger_id', 'phone_number_id', 'message_id', 'rank', 'fired_at', 'customer', 'channels', 'payload'],
      firings
        .map(({ trigger_id, phone_number_id, message_id, fired_ms, customer, channels, payload }) =>
          JSON.stringify([
            trigger_id,
            phone_number_id,
            message_id,
            (((1n << 64n) - 1n) ^ BigInt(fired_ms)).toString(),
            new Date(fired_ms).toISOString().replace('T', ' ').replace('Z', ''),
            customer,
            channels,
            payload,
          ]),
        )
        .join('\n'),
    );
  }
}

/** The trigger as it was when a message arrived, if it fires for arrivals; else null. */
function arrivalTrigger(history: History, writtenAt: number, landedMs: number): SavedTrigger | null {
  const trigger = revisionAt(history, landedMs);
  if (trigger?.state !== 'active' || trigger.kind !== 'arrival') return null;
  return isInTime(trigger, writtenAt, landedMs) ? trigger : null;
}
