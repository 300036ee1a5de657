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

/** Numbers of messages by key. Each message explains one row only, so what is taken is removed. */
export class Pool {
  readonly #counts = new Map<string, bigint>();

  add(key: string, count: bigint): void {
    if (count > 0n) this.#counts.set(key, this.count(key) + count);
  }

  count(key: string): bigint {
    return this.#counts.get(key) ?? 0n;
  }

  /** Takes up to `wanted`. @returns how many were there */
  take(key: string, wanted: bigint): bigint {
    const taken = smaller(this.count(key), wanted);
    if (taken > 0n) this.#counts.set(key, this.count(key) - taken);
    return taken;
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

  take(row: Omit<MatchKey, 'tier'>, wanted: bigint): bigint {
    const categories = row.category === ANY || row.category === '' ? this.#categories : [row.category];
    let taken = 0n;
    for (const category of categories)
      taken += this.#pool.take(pointKey({ ...row, category, pricing_type: '' }), wanted - taken);
    return taken;
  }
}
