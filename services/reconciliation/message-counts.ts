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
  const zone = cut.days === 'utc' ? 'UTC' : cut.time_zone;
  const counts = new Map<string, MessageCount>();
  const days = new Set<string>();
  const kept = (count: MessageCount): void => {
    const key = [count.day, count.phone_numbers, count.direction].join('\n');
    const known = counts.get(key);
    counts.set(key, {
      ...count,
      sent: count.sent + (known?.sent ?? 0n),
      delivered: count.delivered + (known?.delivered ?? 0n),
    });
  };
  let points = 0;
  const series = pages.flatMap((page) => seriesIn(page).map((one) => ({ one, path: page.path })));
  // An answer without series for the requested numbers means that they have no messages.
  const keys = series.length === 0 ? [{}] : series.map(({ one }) => one);
  for (const { one, path } of series) {
    const all = Array.isArray(one['data_points']) ? (one['data_points'] as unknown[]) : [];
    for (const [n, value] of all.entries()) {
      const at = `${path}.data_points[${n}]`;
      points += 1;
      if (points > MAX_POINTS) {
        problems.add(null, null, `The answer has more than ${MAX_POINTS} points: ask for fewer days at once.`);
        return null;
      }
      const parsed = pointSchema.safeParse(value);
      if (!parsed.success) {
        for (const issue of parsed.error.issues)
          problems.add(null, null, `${at}.${issue.path.join('.')}: ${issue.message}`);
        continue;
      }
      const { start, end, sent = 0n, delivered = 0n, received } = parsed.data;
      const span = spanOf(start, end, zone);
      if (span === null || span.kind === 'month') {
        const fitting = zonesThatFit([{ start, end }]);
        problems.add(
          null,
          null,
          `${at}: It is no whole day of ${zone}${span === null && fitting.length > 0 ? `, but of ${fitting.join(', ')}` : ''}. Ask by day, in the zone of the account.`,
        );
        return null;
      }
      if (cut.asked !== null && (span.day < cut.asked.from || span.day >= cut.asked.to)) {
        problems.add(null, null, `${at}: It is of ${span.day}, which is not among the days that were asked for.`);
        continue;
      }
      days.add(span.day);
      const direction = directionOf(one, about);
      const come = received ?? larger(sent, delivered);
      kept({
        day: span.day,
        phone_numbers: numbersOf(one, about),
        direction,
        ...(direction === 'incoming' ? { sent: come, delivered: come } : { sent, delivered }),
      });
    }
  }
  if (!problems.isEmpty) return null;
  const { asked } = cut;
  if (asked !== null)
    for (let day = asked.from; day < asked.to; day = dayAfter(day))
      for (const one of keys)
        kept({
          day,
          phone_numbers: numbersOf(one, about),
          direction: directionOf(one, about),
          sent: 0n,
          delivered: 0n,
        });
  const named = [...days].sort();
  const first = asked?.from ?? named.at(0);
  const last = asked === null ? named.at(-1) : dayAfter(asked.to, -1);
  return {
    stretch: first === undefined || last === undefined ? null : [first, last],
    counts: [...counts.values()],
  };
}
