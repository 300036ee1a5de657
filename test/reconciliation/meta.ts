/** A simulated Meta: answers of its Graph API, made of points. */
import { DateTime } from 'luxon';
import type { Point } from './naive.ts';
import { WABA, ZONE } from './world.ts';

function midnight(day: string, zone: string): number {
  return DateTime.fromISO(day, { zone }).startOf('day').toSeconds();
}

export function dataPoint(point: Point, zone = ZONE): Record<string, unknown> {
  const { day, phone_number, country, category, pricing_type, tier, volume, cost } = point;
  const next = DateTime.fromISO(day, { zone: 'utc' }).plus({ days: 1 }).toFormat('yyyy-MM-dd');
  return {
    start: midnight(day, zone),
    end: midnight(next, zone),
    ...(phone_number === '' ? {} : { phone_number }),
    ...(country === '' ? {} : { country }),
    ...(tier === '' ? {} : { tier }),
    ...(pricing_type === '' ? {} : { pricing_type }),
    // Meta has its own words for what is free by an ad.
    ...(category === '' ? {} : { pricing_category: category === 'ANY' ? 'REFERRAL_CONVERSION' : category }),
    volume,
    ...(cost === undefined ? {} : { cost: Number(cost.toFixed()) }),
  };
}

/** The answer for one account, its points in several series. */
export function answer(points: readonly Point[], zone = ZONE, series = 3): Record<string, unknown> {
  const all = points.map((point) => dataPoint(point, zone));
  const parts = Array.from({ length: series }, (_, n) => ({
    data_points: all.filter((_, index) => index % series === n),
  }));
  return { pricing_analytics: { data: parts }, id: WABA };
}

export function file(name: string, value: unknown): { readonly name: string; readonly bytes: Buffer } {
  return { name, bytes: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)) };
}
