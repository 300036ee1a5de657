import type { CountedField, DayCut, Dimension } from '@ctwa-ledger/schemas/meta.ts';
import { DIMENSIONS } from '@ctwa-ledger/schemas/meta.ts';
import { isObject } from '@ctwa-ledger/schemas/json.ts';
import { z } from 'zod';
import type { Problems } from '../imports/rows.ts';
import { scaledAmount } from './amounts.ts';
import type { Answer } from './answers.ts';
import { numberText } from './exact-json.ts';
import { dayAfter, monthAfter, spanOf, zonesThatFit, type Span } from './whole-days.ts';

/** Limit of points for one account and field. */
const MAX_POINTS = 1_000_000;
const MAX_VALUE_CHARACTERS = 100;
/** How many different time spans are tried to find a zone. */
const MAX_TRIED = 400;

/** Points of the same day and dimensions, added up. */
export interface CountedPoint {
  readonly day: string;
  readonly phone_number: string;
  readonly country: string;
  readonly pricing_type: string;
  readonly category: string;
  readonly tier: string;
  readonly volume: bigint;
  /** In units of the twelfth decimal; null when no point has one. */
  readonly cost: bigint | null;
}

/** An answer about one account, ready to be stored. */
export interface CountedAnswer {
  readonly dimensions: readonly Dimension[];
  readonly is_monthly: boolean;
  /** Days that it covers: the first and the last of each range, in order. */
  readonly stretches: readonly (readonly [first: string, last: string])[];
  readonly points: readonly CountedPoint[];
}

/** The requested days, `to` excluded; without them those that the points name count. */
export interface AskedDays {
  readonly from: string;
  readonly to: string;
}

/** How the days of an answer are separated. */
export interface Cut {
  readonly days: DayCut;
  /** The zone of the account. */
  readonly time_zone: string;
  readonly asked: AskedDays | null;
}

/** Null and the empty string mean absent. */
const absent = z.union([z.null(), z.literal('')]).transform(() => undefined);
const written = z
  .string()
  .transform(numberText)
  .refine((text) => text.length <= MAX_VALUE_CHARACTERS, `is longer than ${MAX_VALUE_CHARACTERS} characters`)
  .refine((text) => !/\p{Cc}/u.test(text), 'holds a control character');
const seconds = written
  .refine((text) => /^\d{9,10}$/.test(text), 'is not a time in Unix seconds')
  .transform((text) => Number(text));
const volume = written
  .refine((text) => /^\d{1,15}$/.test(text), 'is not a whole number')
  .transform((text) => BigInt(text));
const cost = written.transform((text, context) => {
  const amount = scaledAmount(text);
  if (amount !== null && amount >= 0n) return amount;
  context.addIssue({ code: 'custom', message: 'is not an amount' });
  return z.NEVER;
});
const term = written.transform((text) => text.trim().toUpperCase().replaceAll('-', '_'));
const phone = written
  .transform((text) => text.replace(/[\s().+-]/g, ''))
  .refine((digits) => /^\d{1,20}$/.test(digits), 'is not a displayed phone number');
/** `from:to`; another text stays as it is. */
const tier = written.transform((text) => text.trim().toUpperCase().replace(/\s+/g, ''));

const optional = <T>(schema: z.ZodType<T, string>) => z.union([absent, schema]).optional();

const pointSchema = z.looseObject({
  start: seconds,
  end: seconds,
  volume: optional(volume),
  conversation: optional(volume),
  cost: optional(cost),
  phone_number: optional(phone),
  country: optional(term),
  tier: optional(tier),
  pricing_type: optional(term),
  pricing_category: optional(term),
  conversation_type: optional(term),
  conversation_category: optional(term),
});
type Point = z.infer<typeof pointSchema>;

const COUNTS: Readonly<Record<CountedField, 'volume' | 'conversation'>> = {
  pricing_analytics: 'volume',
  conversation_analytics: 'conversation',
};

/** The points of a body, unchanged, with their paths; of all series. */
function* pointsIn(answer: Answer, problems: Problems): Generator<{ readonly value: unknown; readonly path: string }> {
  const { body, path } = answer;
  const at = path === '' ? '' : `${path}.`;
  const series = isObject(body) && 'data_points' in body ? [body] : isObject(body) ? body['data'] : undefined;
  if (!Array.isArray(series)) {
    problems.add(null, null, `${path === '' ? 'The answer' : path}: It has neither "data" nor "data_points".`);
    return;
  }
  for (const [index, one] of (series as unknown[]).entries()) {
    const here = isObject(body) && 'data_points' in body ? `${at}data_points` : `${at}data[${index}].data_points`;
    const points = isObject(one) ? one['data_points'] : undefined;
    if (Array.isArray(points))
      for (const [n, value] of (points as unknown[]).entries()) yield { value, path: `${here}[${n}]` };
    else problems.add(null, null, `${here}: A list of points is expected here.`);
  }
}

const unexpected = (value: unknown): string =>
  typeof value === 'string' ? `"${numberText(value).slice(0, 60)}" ` : '';

function readPoint(value: unknown, path: string, problems: Problems): Point | null {
  const parsed = pointSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) {
    const key = issue.path.map(String).join('.');
    const said = isObject(value) ? value[key] : undefined;
    // For a value that may be absent, the message about the value itself is more useful.
    const words = issue.code === 'invalid_union' ? issue.errors.flat().at(-1)?.message : issue.message;
    problems.add(
      null,
      null,
      `${path}.${key}: ${said === undefined ? 'It is missing.' : `${unexpected(said)}${words ?? 'cannot be read'}.`}`,
    );
  }
  return null;
}

/** The days of the months with points, each from the first to the last day that the points name. */
function namedStretches(days: Iterable<string>, isMonthly: boolean): (readonly [string, string])[] {
  const byMonth = new Map<string, readonly [string, string]>();
  for (const day of days) {
    const month = day.slice(0, 7);
    const last = isMonthly ? dayAfter(monthAfter(day), -1) : day;
    const [first, known] = byMonth.get(month) ?? [day, last];
    byMonth.set(month, [day < first ? day : first, last > known ? last : known]);
  }
  return [...byMonth.values()].sort(([a], [b]) => (a < b ? -1 : 1));
}

function notWholeDays(points: readonly Point[], cut: Cut, waba_id: string): string {
  const unlike = new Map(points.map((point) => [`${point.start} ${point.end}`, point]));
  const fitting = zonesThatFit([...unlike.values()].slice(0, MAX_TRIED));
  const inZone = cut.days === 'utc' ? 'UTC, as --days utc says' : `${cut.time_zone}, the zone of account ${waba_id}`;
  const fits = fitting.length === 0 ? 'They are whole days in no zone.' : `They are in ${fitting.join(', ')}.`;
  const zone = fitting.find((name) => name !== 'UTC');
  const advice = [
    ...(zone === undefined
      ? []
      : [`If that is the account's zone: "ctwa-ledger accounts set ${waba_id} --time-zone ${zone}".`]),
    ...(fitting.includes('UTC') && cut.days === 'account' ? ['If a partner cut them in UTC: add --days utc.'] : []),
  ];
  return `These are not whole days of ${inZone}. ${[fits, ...advice].join(' ')}`;
}

/** Adds up the points of an answer, and notes what is wrong with it. */
class PointSums {
  readonly #field: CountedField;
  readonly #cut: Cut;
  readonly #problems: Problems;
  /** By start and end; null = no whole days of the zone. */
  readonly #spans = new Map<string, Span | null>();
  readonly #all: Point[] = [];
  #isUnfit = false;
  /** Kinds of spans, each with the path of the first point that has it. */
  readonly #kinds = new Map<Span['kind'], string>();
  readonly #sums = new Map<string, CountedPoint>();
  readonly #dimensions = new Set<Dimension>();
  readonly #days = new Set<string>();

  constructor(field: CountedField, cut: Cut, problems: Problems) {
    this.#field = field;
    this.#cut = cut;
    this.#problems = problems;
  }

  /** Returns false when the answer has too many points: nothing more of it is read then. */
  add(value: unknown, path: string): boolean {
    const point = readPoint(value, path, this.#problems);
    if (point === null) return true;
    this.#all.push(point);
    if (this.#all.length > MAX_POINTS) {
      this.#problem(`The answer has more than ${MAX_POINTS} points: ask for fewer days at once.`);
      return false;
    }
    const counted = point[COUNTS[this.#field]];
    if (counted === undefined) {
      this.#problem(`${path}.${COUNTS[this.#field]}: It is missing.`);
      return true;
    }
    const span = this.#spanOf(point, path);
    if (span !== null) this.#count(point, span.day, counted);
    return true;
  }

  /** Null when there is a problem, or the answer as a whole cannot be used. */
  result(pages: readonly Answer[]): CountedAnswer | null {
    const { asked } = this.#cut;
    const waba_id = pages[0]?.waba_id ?? '';
    if (this.#isUnfit) this.#problem(notWholeDays(this.#all, this.#cut, waba_id));
    const [first, second] = [...this.#kinds];
    if (first !== undefined && second !== undefined)
      this.#problem(
        `${second[1]} is of a ${second[0]}, but ${first[1]} of a ${first[0]}: what lies in both would be counted twice.`,
      );
    if (this.#days.size === 0 && asked === null && this.#problems.isEmpty)
      this.#problem(
        pages.some(({ body }) => body === null)
          ? `Account ${waba_id} has no ${this.#field} in it: that is either nothing, or a missing permission. Say which days were asked for with --from and --to to take it as nothing.`
          : `The answer names no day. Say which days were asked for with --from and --to.`,
      );
    if (!this.#problems.isEmpty) return null;
    const is_monthly = this.#kinds.has('month');
    return {
      dimensions: DIMENSIONS.filter((dimension) => this.#dimensions.has(dimension)),
      is_monthly,
      stretches:
        asked === null ? namedStretches(this.#days, is_monthly) : [[asked.from, dayAfter(asked.to, -1)] as const],
      points: [...this.#sums.values()],
    };
  }

  #problem(message: string): void {
    this.#problems.add(null, null, message);
  }

  /** The days of a point; null when they are no whole days of the zone. */
  #spanOf({ start, end }: Point, path: string): Span | null {
    const { asked, days, time_zone } = this.#cut;
    const stretch = `${start} ${end}`;
    const span = this.#spans.get(stretch) ?? spanOf(start, end, days === 'utc' ? 'UTC' : time_zone);
    this.#spans.set(stretch, span);
    if (span === null) {
      const timeOf = (seconds: number): string => new Date(seconds * 1_000).toISOString();
      // The first one is an example; the message about all of them follows at the end.
      if (!this.#isUnfit) this.#problem(`${path}: from ${timeOf(start)} to ${timeOf(end)}.`);
      this.#isUnfit = true;
      return null;
    }
    if (!this.#kinds.has(span.kind)) this.#kinds.set(span.kind, path);
    if (asked !== null && (span.day < asked.from || span.day >= asked.to))
      this.#problem(
        `${path}: It is of ${span.day}, which is not among the days from ${asked.from} up to ${asked.to} (excluded) that were asked for.`,
      );
    this.#days.add(span.day);
    return span;
  }

  #count(point: Point, day: string, counted: bigint): void {
    const noted = (key: Dimension, value: string | undefined): string => {
      if (value === undefined) return '';
      this.#dimensions.add(key);
      return value;
    };
    const key = {
      day,
      phone_number: noted('phone_number', point.phone_number),
      country: noted('country', point.country),
      pricing_type: noted('pricing_type', point.pricing_type ?? point.conversation_type),
      category: noted('category', point.pricing_category ?? point.conversation_category),
      tier: noted('tier', point.tier),
    };
    const name = Object.values(key).join('\n');
    const known = this.#sums.get(name);
    const given = point.cost ?? null;
    this.#sums.set(name, {
      ...key,
      volume: (known?.volume ?? 0n) + counted,
      cost: known === undefined || known.cost === null ? given : known.cost + (given ?? 0n),
    });
  }
}

/**
 * The points of an answer by day and dimension (contract.md 7), over all pages and series.
 * @returns null when they cannot be used, with the reason among `problems`
 */
export function countPoints(
  pages: readonly Answer[],
  field: CountedField,
  cut: Cut,
  problems: Problems,
): CountedAnswer | null {
  const sums = new PointSums(field, cut, problems);
  for (const page of pages) {
    if (page.body === null) continue;
    for (const { value, path } of pointsIn(page, problems)) if (!sums.add(value, path)) return null;
  }
  return sums.result(pages);
}
