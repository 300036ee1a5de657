import type { Account } from '@ctwa-ledger/schemas/config.ts';
import { DAY, HOUR, localTimes, trafficWeight, type LocalTime } from './clock.ts';
import { EpisodePlanner, type EpisodeKind } from './episode.ts';
import { EventWriter } from './lines.ts';
import { Prng, runningTotals } from './prng.ts';
import type { Thread } from './thread.ts';
import { Timeline } from './timeline.ts';
import { ServiceAllowance, reportVerdicts } from './verdict.ts';
import {
  COUNTRIES_OF_ACCOUNT,
  ENTRY_SOURCES,
  NUMBERS,
  SAMPLE_ACCOUNTS,
  SOURCES,
  type BusinessNumber,
  type Countries,
  type Country,
  type Source,
} from './world.ts';

export { SAMPLE_ACCOUNTS } from './world.ts';

/** From 2026-04-01 UTC Meta also sends business-scoped ids of customers, for some nothing else. */
const USER_IDS_FROM = 1_775_001_600;
const USER_ID_SHARE = 0.3;
const ONLY_USER_ID_SHARE = 0.04;

export interface SimulateOptions {
  /** Customers of business numbers; a whole number, at least 0. */
  readonly threads: number;
  /** A whole number, at least 1. */
  readonly days: number;
  /** A whole number; the same options give the same lines. */
  readonly seed: number;
  /** Unix seconds. The traffic fills the days before it: every line arrives, and is stamped, before this. */
  readonly end_at: number;
}

interface Episode {
  readonly thread: Thread;
  readonly kind: EpisodeKind;
  readonly at: number;
}

function whole(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least)
    throw new RangeError(`simulate: "${name}" is ${value}; it must be a whole number, at least ${least}.`);
}

/**
 * When and from which source each thread starts, ascending: seconds since `begin` × number of sources + the source. One
 * number per thread, because nothing else is kept of threads that have not started.
 */
function threadStarts(
  prng: Prng,
  count: number,
  begin: number,
  end: number,
  locals: readonly LocalTime[],
): Float64Array {
  const starts = new Float64Array(count);
  const totals = runningTotals(SOURCES.map((source) => source.weight));
  for (let i = 0; i < count; i++) {
    const index = prng.weighted(totals);
    const source = SOURCES[index] as Source;
    const local = locals[(NUMBERS[source.number] as BusinessNumber).account] as LocalTime;
    const first = source.from * (end - begin);
    const length = (source.to - source.from) * (end - begin);
    let offset: number;
    do offset = Math.floor(first + prng.unit() * length);
    while (!prng.chance(trafficWeight(local, begin + offset)));
    starts[i] = offset * SOURCES.length + index;
  }
  return starts.sort();
}

function newThread(prng: Prng, source: Source, at: number): Thread {
  const number = NUMBERS[source.number] as BusinessNumber;
  const { list, totals } = COUNTRIES_OF_ACCOUNT[number.account] as Countries;
  const { iso, prefixes, digits } = list[prng.weighted(totals)] as Country;
  const waId = prng.pick(prefixes) + String(Math.floor(prng.unit() * 10 ** digits)).padStart(digits, '0');
  const hasUserId = at >= USER_IDS_FROM && prng.chance(USER_ID_SHARE);
  const isNameless = hasUserId && prng.chance(ONLY_USER_ID_SHARE / USER_ID_SHARE);
  const userId = hasUserId ? `"user_id":"${iso}.${prng.bits()}${prng.bits()}",` : '';
  const customer = isNameless ? userId : `"wa_id":"${waId}",${userId}`;
  const wabaId = (SAMPLE_ACCOUNTS[number.account] as Account).waba_id;
  const isOnDesktop = prng.chance(0.05);
  const device = isOnDesktop ? prng.pick(['desktop', 'web']) : prng.pick(['android', 'android', 'ios']);
  return {
    number,
    numberIndex: source.number,
    source,
    head: `"waba_id":"${wabaId}","phone_number_id":"${number.id}",${customer}`,
    device: number.hasDevice ? `,"device":"${device}"` : '',
    iso,
    isOnDesktop,
    isFromPageButton: source.kind === 'organic' && prng.chance(0.01),
    hasStoppedMarketing: false,
    lastOutboundId: '',
    waiting: [],
    lastInboundAt: -DAY,
    windowOpenedAt: -1,
    windowExpiresAt: -1,
    windowId: '',
    conversations: [],
  };
}

function firstEpisode(source: Source): EpisodeKind {
  return source.kind === 'ad' || source.kind === 'post' ? 'entry' : source.kind;
}

/** When the number's next campaign after `time` reaches this customer; campaigns go out from 11:00 local on. */
function nextCampaign(prng: Prng, thread: Thread, local: LocalTime, time: number): number {
  const { campaignDays } = thread.number;
  const day = Math.floor((time + local.offset(time)) / DAY) + 1;
  const campaignDay = day + campaignDays - 1 - ((day + thread.numberIndex * 3) % campaignDays);
  const midnight = campaignDay * DAY - local.offset(campaignDay * DAY);
  return midnight + 11 * HOUR + Math.floor(prng.unit() * 2 * HOUR);
}

/** The next episode of a thread after one that ended at `time`, if there is one. */
function nextEpisode(
  prng: Prng,
  thread: Thread,
  kind: EpisodeKind,
  time: number,
  local: LocalTime,
): Episode | undefined {
  const next = prng.unit();
  const after = time + 60;
  if (kind === 'login')
    return next < 0.6 ? { thread, kind, at: after + Math.floor(prng.exponential(9 * DAY)) } : undefined;
  if (next < 0.07) {
    const sources = ENTRY_SOURCES[thread.numberIndex] as readonly Source[];
    if (prng.chance(0.5)) thread.source = prng.pick(sources);
    const isEntry = thread.source.referral !== '';
    return { thread, kind: isEntry ? 'entry' : 'organic', at: after + Math.floor((1 + prng.exponential(8)) * DAY) };
  }
  if (next < 0.13) return { thread, kind: 'organic', at: after + Math.floor(prng.exponential(10 * DAY)) };
  if (next < (kind === 'campaign' ? 0.8 : 0.5) && !thread.hasStoppedMarketing)
    return { thread, kind: 'campaign', at: nextCampaign(prng, thread, local, after) };
  return undefined;
}

/**
 * Realistic traffic of the sample accounts, for demonstrations and benchmarks: events of contract.md 1 as JSON lines
 * (without the line break) in the order in which they arrive, late and repeated ones included. The same options give
 * the same lines; it reads no clock.
 * Meta's verdicts follow rules.md, except for customers on desktop, those from a Page's button, and unknown pricing
 * types. For threads that have not started one number each is kept in memory, for the others the messages of one
 * episode.
 * @throws RangeError when an option is not a whole number in its range
 */
export function* simulate(options: SimulateOptions): Generator<string> {
  const { threads, days, seed, end_at } = options;
  whole('threads', threads, 0);
  whole('days', days, 1);
  whole('seed', seed, Number.MIN_SAFE_INTEGER);
  whole('end_at', end_at, days * DAY);
  const begin = end_at - days * DAY;
  const prng = new Prng(seed);
  const locals = localTimes(begin, end_at);
  const starts = threadStarts(prng, threads, begin, end_at, locals);
  const timeline = new Timeline<Episode>(end_at);
  const planner = new EpisodePlanner(prng, locals);
  const writer = new EventWriter(prng, timeline);
  const allowance = new ServiceAllowance();

  let started = 0;
  const startThreads = (until: number): void => {
    for (; started < threads; started++) {
      const start = starts[started] as number;
      const at = begin + Math.floor(start / SOURCES.length);
      if (at >= until) return;
      const source = SOURCES[start % SOURCES.length] as Source;
      timeline.addTask(at, { thread: newThread(prng, source, at), kind: firstEpisode(source), at });
    }
  };
  const runEpisode = ({ thread, kind, at }: Episode): void => {
    const local = locals[thread.number.account] as LocalTime;
    planner.plan(thread, kind, at);
    reportVerdicts(thread, planner.messages, planner.count, local, allowance, prng);
    writer.write(thread, planner.messages, planner.count);
    const next = nextEpisode(prng, thread, kind, planner.lastAt, local);
    if (next !== undefined) timeline.addTask(next.at, next);
  };
  yield* timeline.drain(begin, startThreads, runEpisode);
}
