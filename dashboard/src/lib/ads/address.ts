import type { Repair } from '../filters/filters.ts';

/** Longest id or address that is looked for. */
const MAX_CHARACTERS = 2_000;

/** The id or address of the ad or post that an address asks for, empty = all; one that cannot be used is left out, with a notice. */
export function readAd(params: URLSearchParams): {
  readonly ad: string;
  readonly repairs: readonly Pick<Repair, 'notice'>[];
} {
  const ad = params.get('ad')?.trim() ?? '';
  if (ad.length <= MAX_CHARACTERS) return { ad, repairs: [] };
  return { ad: '', repairs: [{ notice: `ad: no id or address has ${ad.length} characters; all ads are shown.` }] };
}
