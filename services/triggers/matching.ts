import type { SavedTrigger, TriggerDefinition } from '@ctwa-ledger/schemas/triggers.ts';
import type { Campaigns } from './campaigns.ts';

/** The fields of a first message that filters compare. */
export interface Referred {
  readonly phone_number_id: string;
  readonly ad_id: string;
  readonly source_url: string;
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname.toLowerCase() : '';
}

function urlMatches({ match, value }: NonNullable<TriggerDefinition['filters']['url']>, url: string): boolean {
  switch (match) {
    case 'exact':
      return url === value;
    case 'prefix':
      return url.startsWith(value);
    case 'host': {
      const wanted = value.toLowerCase();
      const host = hostOf(url);
      return host !== '' && (host === wanted || host.endsWith(`.${wanted}`));
    }
  }
}

/** Whether a message passes all filters of a trigger. */
export function passes({ filters }: TriggerDefinition, message: Referred, campaigns: Campaigns): boolean {
  const isAmong = (values: readonly string[], value: string | undefined): boolean =>
    values.length === 0 || (value !== undefined && values.includes(value));
  return (
    isAmong(filters.phone_number_ids, message.phone_number_id) &&
    isAmong(filters.ad_ids, message.ad_id) &&
    (filters.url === null || urlMatches(filters.url, message.source_url)) &&
    isAmong(filters.campaigns, campaigns.get(message.ad_id))
  );
}

/**
 * Whether a message arrived in time for a trigger. Both times are stored in the ledger, so the answer never changes.
 */
export function isInTime(
  { max_age_seconds }: Pick<SavedTrigger, 'max_age_seconds'>,
  writtenAt: number,
  arrivedMs: number,
): boolean {
  return max_age_seconds === null || arrivedMs / 1000 - writtenAt <= max_age_seconds;
}
