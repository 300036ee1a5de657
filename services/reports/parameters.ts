import { z } from 'zod';
import { parseFilters, type FilterTexts } from '@ctwa-ledger/schemas/report-filters.ts';
import {
  COMMON_PARAMETERS,
  MESSAGES_BY,
  NARROWING_PARAMETERS,
  type CommonParameter,
  type MessagesBy,
} from '@ctwa-ledger/schemas/report-parameters.ts';
import {
  isListed,
  NARROWINGS,
  givenValues,
  type Listed,
  type Narrowed,
  type Narrowing,
  type ReportFilters,
} from '@ctwa-ledger/schemas/asked.ts';
import { DateTime } from 'luxon';
import { didYouMean } from './nearest.ts';
import type { Days, Report } from './report.ts';

export type ParameterName = Narrowing | CommonParameter;

/** Values of one parameter at most. */
const MAX_VALUES = 100;

/** Why a parameter cannot have so many values; null when it can. */
export function tooManyValues(name: string, values: number): string | null {
  if (values <= 1) return null;
  if (!isListed(name)) return `${name} is given more than once.`;
  return values <= MAX_VALUES ? null : `${name} is given ${values} times; it can be given ${MAX_VALUES} times at most.`;
}

const RANGE = ['from', 'to', 'month', 'period'] as const;

const OF_DAYS: Readonly<Record<Days, readonly CommonParameter[]>> = {
  zone: [...RANGE, 'tz', 'as_of'],
  accounts: [...RANGE, 'tz', 'as_of'],
  own: [...RANGE, 'as_of'],
  month: ['month', 'period', 'as_of'],
  none: [],
};

/** The parameters that select the rows of a report: days, clock, and filters. */
export function parametersOf(report: Report): ParameterName[] {
  return [
    ...OF_DAYS[report.days],
    ...(report.takes_by === true ? (['by'] as const) : []),
    ...(report.has_changes === true ? (['changed_since'] as const) : []),
    ...report.filters,
  ];
}

function isNarrowing(name: ParameterName): name is Narrowing {
  return NARROWINGS.some((narrowing) => narrowing === name);
}

/** The schema of a parameter's value. */
export function schemaOf(name: ParameterName): z.ZodType {
  return isNarrowing(name) ? NARROWING_PARAMETERS[name] : COMMON_PARAMETERS[name];
}

/** All values of a parameter; empty when there are many. */
export function valuesOf(name: ParameterName): readonly string[] {
  const schema = schemaOf(name);
  const parts = schema instanceof z.ZodUnion ? schema.options : [schema];
  return parts.flatMap((part) => (part instanceof z.ZodEnum ? part.options.map(String) : []));
}

/** The parameters of a request for a report, by name; undefined or missing = not given. */
export type GivenTexts = { readonly [name in Exclude<ParameterName, Listed>]?: string | undefined } & {
  readonly [name in Listed]?: string | readonly string[] | undefined;
};

export type ParsedQuestion =
  | { readonly ok: true; readonly filters: ReportFilters; readonly by: MessagesBy }
  | { readonly ok: false; readonly message: string };

function isOneMonth({ from, to }: ReportFilters): boolean {
  if (from?.endsWith('-01') !== true) return false;
  return DateTime.fromISO(from, { zone: 'utc' }).plus({ months: 1 }).toFormat('yyyy-MM-dd') === to;
}

/** A sentence about the first value that is not allowed; null when all are. */
function unknownValue(names: readonly ParameterName[], given: GivenTexts): string | null {
  for (const name of names) {
    const known = valuesOf(name);
    if (known.length === 0) continue;
    const wrong = givenValues(given[name])
      .map((value) => value.trim())
      .find((value) => !schemaOf(name).safeParse(value).success);
    if (wrong !== undefined) return `${name} "${wrong}" must be one of ${known.join(', ')}.${didYouMean(wrong, known)}`;
  }
  return null;
}

/**
 * Reads the parameters of a request strictly: what cannot be read becomes an error in words.
 * @param nowSeconds the clock for "now" when none is given, Unix seconds
 */
export function readQuestion(report: Report, given: GivenTexts, nowSeconds: number): ParsedQuestion {
  const unknown = unknownValue(parametersOf(report), given);
  if (unknown !== null) return { ok: false, message: unknown };
  const only: Narrowed = Object.fromEntries(
    // Not trimmed: a sender may attach a tag with white space.
    report.filters.flatMap((name) => {
      const values = givenValues(given[name]).map((value) => (name === 'tag' ? value : value.trim()));
      return values.length === 0 ? [] : [[name, values.length === 1 ? values[0] : values]];
    }),
  );
  const { from, to, month, period, tz, as_of, changed_since } = given;
  const texts: FilterTexts = { from, to, month, period, tz, as_of, changed_since, only };
  const parsed = parseFilters(texts, nowSeconds);
  if (!parsed.ok) return parsed;
  if (report.days === 'month' && !isOneMonth(parsed.filters))
    return { ok: false, message: `Report "${report.name}" covers one month. Say which one, like month=2026-10.` };
  const by = MESSAGES_BY.find((name) => name === given.by) ?? 'sent';
  return { ok: true, filters: parsed.filters, by };
}
