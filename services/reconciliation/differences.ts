import type { ExplanationCode } from '@ctwa-ledger/schemas/meta.ts';
import { smaller } from './amounts.ts';
import type { DayGrain } from './grain.ts';
import type { Judgement } from './judgement.ts';
import { ANY, type MatchedRow, type MatchKey } from './match.ts';

/** A row of the match, judged. */
export interface JudgedRow extends MatchedRow, Judgement {}

/** An explanation of a row, and how much of its difference it explains; never more than the difference. */
export interface Explanation {
  readonly code: ExplanationCode;
  readonly volume: bigint;
  /** The evidence, in words. */
  readonly detail: string;
}

/** The key of a row without its tier, as one text. Evidence is counted by it. */
export function pointKey(key: Omit<MatchKey, 'tier'>): string {
  return [key.day, key.phone_number, key.country, key.category, key.pricing_type].join('\n');
}

/** Rows with the same key, by that key. */
export function groupsOf(
  rows: readonly JudgedRow[],
  key: (row: JudgedRow) => string,
): ReadonlyMap<string, readonly JudgedRow[]> {
  const groups = new Map<string, JudgedRow[]>();
  for (const row of rows) {
    const name = key(row);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [row]);
    else group.push(row);
  }
  return groups;
}

/** The dimensions of a message, before any is left out. */
export interface MessageKey {
  readonly phone_number: string;
  readonly country: string;
  readonly category: string;
  readonly pricing_type: string;
}

/** The key, without tier, of the row to which a message of a day belongs. */
export function keyInGrain(grain: DayGrain, message: MessageKey): Omit<MatchKey, 'tier'> {
  const has = new Set<string>(grain.split);
  const isAny = has.has('pricing_type') && message.pricing_type === 'FREE_ENTRY_POINT';
  return {
    day: grain.is_monthly ? '' : grain.day,
    phone_number: has.has('phone_number') ? message.phone_number : '',
    country: has.has('country') ? message.country : '',
    category: !has.has('category') ? '' : isAny ? ANY : message.category,
    pricing_type: has.has('pricing_type') ? message.pricing_type : '',
  };
}

/** Numbers of messages by key. Each message explains one row only, so what is taken is no longer there. */
export class Pool {
  readonly #counts = new Map<string, bigint>();
  readonly #taken = new Map<string, bigint>();

  add(key: string, count: bigint): void {
    if (count > 0n) this.#counts.set(key, (this.#counts.get(key) ?? 0n) + count);
  }

  count(key: string): bigint {
    return (this.#counts.get(key) ?? 0n) - (this.#taken.get(key) ?? 0n);
  }

  total(): bigint {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0n);
  }

  /** Takes up to `wanted`. @returns how many were there */
  take(key: string, wanted: bigint): bigint {
    const taken = smaller(this.count(key), wanted);
    if (taken > 0n) this.#taken.set(key, (this.#taken.get(key) ?? 0n) + taken);
    return taken;
  }

  /** Puts everything back that was taken. */
  reset(): void {
    this.#taken.clear();
  }
}

/**
 * Messages with an unknown pricing type: they may belong to any row of their category, or to one without a category.
 */
export class TypelessPool {
  readonly #pool = new Pool();
  readonly #categories = new Set<string>();

  add(key: Omit<MatchKey, 'tier'>, count: bigint): void {
    this.#categories.add(key.category);
    this.#pool.add(pointKey({ ...key, pricing_type: '' }), count);
  }

  count(row: Omit<MatchKey, 'tier'>): bigint {
    return [...this.#keysOf(row)].reduce((sum, key) => sum + this.#pool.count(key), 0n);
  }

  total(): bigint {
    return this.#pool.total();
  }

  take(row: Omit<MatchKey, 'tier'>, wanted: bigint): bigint {
    let taken = 0n;
    for (const key of this.#keysOf(row)) taken += this.#pool.take(key, wanted - taken);
    return taken;
  }

  reset(): void {
    this.#pool.reset();
  }

  *#keysOf(row: Omit<MatchKey, 'tier'>): Generator<string> {
    const categories = row.category === ANY || row.category === '' ? this.#categories : [row.category];
    for (const category of categories) yield pointKey({ ...row, category, pricing_type: '' });
  }
}
