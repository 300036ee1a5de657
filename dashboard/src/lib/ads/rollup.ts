import { textIn } from '@ctwa-ledger/schemas/address-parameters.ts';
import { REPORTED_ONLY } from '@ctwa-ledger/schemas/figures.ts';

import { quoted, type Repair } from '../filters/filters.ts';
import type { Picks } from '../filters/picked.ts';
import { summedAmounts, summedCounts, type AdLine } from './figures.ts';

/** What a row of the table can stand for. */
export const ROLLUPS = ['ad', 'adset', 'campaign', 'media', 'source'] as const;
export type Rollup = (typeof ROLLUPS)[number];

interface RollupWords {
  /** Text of its link. */
  readonly name: string;
  /** Singular and plural of the word for a row. */
  readonly one: string;
  readonly many: string;
}

export const ROLLUP_WORDS: Readonly<Record<Rollup, RollupWords>> = {
  ad: { name: 'Ad', one: 'ad', many: 'ads' },
  adset: { name: 'Ad set', one: 'ad set', many: 'ad sets' },
  campaign: { name: 'Campaign', one: 'campaign', many: 'campaigns' },
  media: { name: 'Media', one: 'kind of media', many: 'kinds of media' },
  source: { name: 'Source', one: 'source', many: 'sources' },
};

/** The roll-up that an address selects. An unknown one is left out, with a notice. */
export function readRollup(params: URLSearchParams): {
  readonly by: Rollup;
  readonly repairs: readonly Pick<Repair, 'notice'>[];
} {
  const text = textIn(params, 'by');
  const by = ROLLUPS.find((rollup) => rollup === text);
  if (by !== undefined || text === '') return { by: by ?? 'ad', repairs: [] };
  return { by: 'ad', repairs: [{ notice: `by: ads are not rolled up by ${quoted(text)}; each ad has a row.` }] };
}

/** Several ads that are shown as one row. */
export interface AdGroup {
  readonly name: string;
  /** How many ads and posts are in it. */
  readonly ads: number;
  /** The filter that finds its ads; null when there is none. */
  readonly only: Picks | null;
}

/** A row of the table of ads: an ad or post, or a group of them. */
export interface TableLine extends AdLine {
  /** Null for a single ad or post. */
  readonly group: AdGroup | null;
  /** The same row for the compared days; null when there is none, or nothing is compared. */
  readonly before: AdLine | null;
}

function sourceOf({ source_type, ad_id }: AdLine): string {
  if (source_type === REPORTED_ONLY) return 'Reported by Meta, no ad known';
  if (source_type === 'post') return 'Posts';
  return ad_id === '' ? 'Ad unknown' : 'Ads';
}

function groupOf(line: AdLine, by: Exclude<Rollup, 'ad'>): Pick<AdGroup, 'name' | 'only'> {
  switch (by) {
    case 'adset':
      return {
        name: line.adset_name || 'No ad set known',
        only: line.adset_name === '' ? null : { adset: line.adset_name },
      };
    case 'campaign':
      return {
        name: line.campaign_name || 'No campaign known',
        only: line.campaign_name === '' ? null : { campaign: line.campaign_name },
      };
    case 'media':
      return { name: line.media_type || 'No media known', only: null };
    case 'source':
      return { name: sourceOf(line), only: null };
  }
}

function earliest(times: readonly (string | null)[]): string | null {
  return times.reduce((first, time) => (time === null || (first !== null && first <= time) ? first : time), null);
}
function latest(times: readonly (string | null)[]): string | null {
  return times.reduce((last, time) => (time === null || (last !== null && last >= time) ? last : time), null);
}

/** Several ads added up in one line, without an ad and without a median. */
function summed(lines: readonly AdLine[]): AdLine {
  return {
    ...{ ad_id: '', source_type: '', ad_name: '', adset_name: '', campaign_name: '' },
    ...{ headline: '', media_type: '', source_url: '', currency: '' },
    ...summedCounts(lines),
    median_seconds_to_reply: null,
    p90_seconds_to_reply: null,
    first_entry_at: earliest(lines.map((line) => line.first_entry_at)),
    last_entry_at: latest(lines.map((line) => line.last_entry_at)),
    ...{ spend: null, cost_per_conversation: null, cost_per_replied: null },
    ...{ savings: null, unrated: 0, savings_per_spend: null },
    amounts: summedAmounts(lines),
    messages: lines.flatMap(({ messages }) => messages),
  };
}

/** Groups of lines, each with a link to its ads. */
function rolledUp(lines: readonly AdLine[], by: Rollup): Map<string, { line: AdLine; group: AdGroup | null }> {
  if (by === 'ad')
    return new Map(lines.map((line) => [`${line.source_type}:${line.ad_id}`, { line, group: null }] as const));
  const groups = new Map<string, { only: Picks | null; lines: AdLine[] }>();
  for (const line of lines) {
    const { name, only } = groupOf(line, by);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, { only, lines: [line] });
    else group.lines.push(line);
  }
  return new Map(
    [...groups].map(([name, { only, lines: own }]) => [
      name,
      { line: summed(own), group: { name, only, ads: own.length } },
    ]),
  );
}

/**
 * The rows of the table.
 * @param before lines of the compared days; empty when nothing is compared
 */
export function tableLines(lines: readonly AdLine[], before: readonly AdLine[], by: Rollup): TableLine[] {
  const earlier = rolledUp(before, by);
  return [...rolledUp(lines, by)].map(([key, { line, group }]) => ({
    ...line,
    group,
    before: earlier.get(key)?.line ?? null,
  }));
}

/** All lines in one. */
export function totalLine(lines: readonly AdLine[], before: readonly AdLine[]): TableLine {
  return { ...summed(lines), group: null, before: before.length === 0 ? null : summed(before) };
}

/** Key of a row. */
export const lineKey = ({ group, ad_id, source_type }: TableLine): string =>
  group === null ? `${source_type}:${ad_id}` : `group:${group.name}`;
