import { isObject } from '@ctwa-ledger/schemas/json.ts';
import type { MessageDirection } from '@ctwa-ledger/schemas/meta.ts';
import { z } from 'zod';
import type { Problems } from '../imports/rows.ts';
import { larger } from './amounts.ts';
import type { Answer } from './answers.ts';
import { numberText } from './exact-json.ts';
import type { Cut } from './points.ts';
import { dayAfter, spanOf, zonesThatFit } from './whole-days.ts';

/** Meta's product type for messages that customers write. */
const INCOMING = '100';
/** Limit of points in one answer. */
const MAX_POINTS = 1_000_000;

/** Facts about an answer that does not contain them. */
export interface CountsAbout {
  /** Digits of the displayed number; undefined = all numbers of the account. */
  readonly phone_number?: string | undefined;
  readonly direction?: MessageDirection | undefined;
}

/** Meta's count on one day for some numbers. */
interface MessageCount {
  readonly day: string;
  /** Digits, sorted, separated by spaces; empty = all numbers of the account. */
  readonly phone_numbers: string;
  readonly direction: MessageDirection;
  /** For incoming messages both counts are the incoming ones. */
  readonly sent: bigint;
  readonly delivered: bigint;
}

export interface CountedMessages {
  /** The first and the last day that it covers; null when it names none. */
  readonly stretch: readonly [first: string, last: string] | null;
  readonly counts: readonly MessageCount[];
}

const whole = z
  .string()
  .transform(numberText)
  .pipe(
    z
      .string()
      .regex(/^\d{1,15}$/, 'is not a whole number')
      .transform((text) => BigInt(text)),
  );
const seconds = z
  .string()
  .transform(numberText)
  .pipe(
    z
      .string()
      .regex(/^\d{9,10}$/, 'is not a time in Unix seconds')
      .transform(Number),
  );
const pointSchema = z.looseObject({
  start: seconds,
  end: seconds,
  sent: whole.optional(),
  delivered: whole.optional(),
  received: whole.optional(),
});

const digitsOf = (value: unknown): string =>
  typeof value === 'string' ? numberText(value).replaceAll(/[\s().+-]/g, '') : '';

/** The series of an answer: one, or those of its list. */
function seriesIn({ body }: Answer): Record<string, unknown>[] {
  if (!isObject(body)) return [];
  if ('data_points' in body) return [body];
  const { data } = body;
  return Array.isArray(data) ? (data as unknown[]).filter(isObject) : [];
}

function numbersOf(series: Record<string, unknown>, about: CountsAbout): string {
  const { phone_numbers } = series;
  const named = Array.isArray(phone_numbers) ? (phone_numbers as unknown[]).map(digitsOf).filter((n) => n !== '') : [];
  return named.length > 0 ? [...new Set(named)].sort().join(' ') : (about.phone_number ?? '');
}

function directionOf(series: Record<string, unknown>, about: CountsAbout): MessageDirection {
  const { product_types } = series;
  const types = Array.isArray(product_types) ? (product_types as unknown[]).map(digitsOf) : [];
  if (types.length === 0) return about.direction ?? 'outgoing';
  return types.every((type) => type === INCOMING) ? 'incoming' : 'outgoing';
}

type Series = Record<string, unknown>;

/** Adds up the points of an answer, and notes what is wrong with it. */
class CountSums {
  readonly #about: CountsAbout;
  readonly #cut: Cut;
  readonly #problems: Problems;
  readonly #counts = new Map<string, MessageCount>();
  readonly #days = new Set<string>();
  #points = 0;

  constructor(about: CountsAbout, cut: Cut, problems: Problems) {
    this.#about = about;
    this.#cut = cut;
    this.#problems = problems;
  }

  /** Returns false when nothing more of the answer can be used. */
  add(series: Series, value: unknown, at: string): boolean {
    this.#points += 1;
    if (this.#points > MAX_POINTS) {
      this.#problem(`The answer has more than ${MAX_POINTS} points: ask for fewer days at once.`);
      return false;
    }
    const parsed = pointSchema.safeParse(value);
    if (!parsed.success) {
      for (const issue of parsed.error.issues) this.#problem(`${at}.${issue.path.join('.')}: ${issue.message}`);
      return true;
    }
    const { start, end, sent = 0n, delivered = 0n, received } = parsed.data;
    const day = this.#dayOf(start, end, at);
    if (day === null) return false;
    const { asked } = this.#cut;
    if (asked !== null && (day < asked.from || day >= asked.to)) {
      this.#problem(`${at}: It is of ${day}, which is not among the days that were asked for.`);
      return true;
    }
    this.#days.add(day);
    const come = received ?? larger(sent, delivered);
    const isIncoming = directionOf(series, this.#about) === 'incoming';
    this.#keep(series, day, isIncoming ? { sent: come, delivered: come } : { sent, delivered });
    return true;
  }

  /** @param series all of the answer: a requested day without a point counts as 0 */
  result(series: readonly Series[]): CountedMessages {
    const { asked } = this.#cut;
    if (asked !== null)
      for (let day = asked.from; day < asked.to; day = dayAfter(day))
        for (const one of series) this.#keep(one, day, { sent: 0n, delivered: 0n });
    const named = [...this.#days].sort();
    const first = asked?.from ?? named.at(0);
    const last = asked === null ? named.at(-1) : dayAfter(asked.to, -1);
    return {
      stretch: first === undefined || last === undefined ? null : [first, last],
      counts: [...this.#counts.values()],
    };
  }

  #problem(message: string): void {
    this.#problems.add(null, null, message);
  }

  /** The day of a point; null when it is no whole day of the zone. */
  #dayOf(start: number, end: number, at: string): string | null {
    const zone = this.#cut.days === 'utc' ? 'UTC' : this.#cut.time_zone;
    const span = spanOf(start, end, zone);
    if (span !== null && span.kind !== 'month') return span.day;
    const fitting = span === null ? zonesThatFit([{ start, end }]) : [];
    const fits = fitting.length > 0 ? `, but of ${fitting.join(', ')}` : '';
    this.#problem(`${at}: It is no whole day of ${zone}${fits}. Ask by day, in the zone of the account.`);
    return null;
  }

  #keep(series: Series, day: string, { sent, delivered }: Pick<MessageCount, 'sent' | 'delivered'>): void {
    const phone_numbers = numbersOf(series, this.#about);
    const direction = directionOf(series, this.#about);
    const key = [day, phone_numbers, direction].join('\n');
    const known = this.#counts.get(key);
    this.#counts.set(key, {
      day,
      phone_numbers,
      direction,
      sent: sent + (known?.sent ?? 0n),
      delivered: delivered + (known?.delivered ?? 0n),
    });
  }
}

/**
 * The counts in an answer of `analytics` by day (contract.md 7), over all pages and series. A requested day without a
 * point counts as 0.
 * @returns null when it cannot be used, with the reason among `problems`
 */
export function countMessages(
  pages: readonly Answer[],
  about: CountsAbout,
  cut: Cut,
  problems: Problems,
): CountedMessages | null {
  const sums = new CountSums(about, cut, problems);
  const series = pages.flatMap((page) => seriesIn(page).map((one) => ({ one, path: page.path })));
  for (const { one, path } of series) {
    const all = Array.isArray(one['data_points']) ? (one['data_points'] as unknown[]) : [];
    for (const [n, value] of all.entries()) if (!sums.add(one, value, `${path}.data_points[${n}]`)) return null;
  }
  if (!problems.isEmpty) return null;
  // An answer without series for the requested numbers means that they have no messages.
  return sums.result(series.length === 0 ? [{}] : series.map(({ one }) => one));
}
