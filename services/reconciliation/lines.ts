import { isObject } from '@ctwa-ledger/schemas/json.ts';
import type { Problems } from '../imports/rows.ts';
import type { Answer } from './answers.ts';
import { exactText, numberText } from './exact-json.ts';

/** Limit of lines in one answer. */
const MAX_LINES = 1_000_000;

/** A line of an answer that is stored unchanged. */
export interface KeptLine {
  /** Unix seconds; null when it has no such time. */
  readonly starts_at: number | null;
  readonly ends_at: number | null;
  /** JSON */
  readonly line: string;
}

function secondsOf(value: unknown): number | null {
  const text = typeof value === 'string' ? numberText(value) : '';
  return /^\d{9,10}$/.test(text) ? Number(text) : null;
}

/** The fields that all points of a series share: its numbers, its granularity. */
function saidOfAll(series: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(series).filter(([key]) => key !== 'data_points' && key !== 'data' && key !== 'paging'),
  );
}

function* valuesIn(body: unknown): Generator<unknown> {
  if (Array.isArray(body)) for (const one of body as unknown[]) yield* valuesIn(one);
  else if (isObject(body) && Array.isArray(body['data_points']))
    for (const point of body['data_points'] as unknown[])
      yield isObject(point) ? { ...saidOfAll(body), ...point } : point;
  else if (isObject(body) && Array.isArray(body['data'])) yield* valuesIn(body['data']);
  else yield body;
}

/** The lines of an answer: one for each point of its series, or for each element without points. */
export function readLines(pages: readonly Answer[], problems: Problems): KeptLine[] {
  const lines: KeptLine[] = [];
  for (const { body } of pages) {
    if (body === null) continue;
    for (const value of valuesIn(body)) {
      if (lines.length === MAX_LINES) {
        problems.add(null, null, `The answer has more than ${MAX_LINES} lines: ask for fewer days at once.`);
        return [];
      }
      const { start, end } = isObject(value) ? value : {};
      lines.push({ starts_at: secondsOf(start), ends_at: secondsOf(end), line: exactText(value) });
    }
  }
  return lines;
}
