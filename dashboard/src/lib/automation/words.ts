import type { SavedTrigger, TriggerDefinition } from '@ctwa-ledger/schemas/triggers.ts';

export const KIND_NAMES = {
  arrival: 'a message from an ad arrives',
  unanswered: 'nobody has answered and the time to reply is running out',
  window_ends: 'a free window ends soon',
} as const;

export const URL_MATCH_NAMES = { exact: 'is', prefix: 'begins with', host: 'is on the host' } as const;

/** When a trigger fires, in words. */
export function firesWhen({ kind, hours }: Pick<TriggerDefinition, 'kind' | 'hours'>): string {
  switch (kind) {
    case 'arrival':
      return 'a message from an ad arrives';
    case 'unanswered':
      return `unanswered, ${hours ?? 0} h left to reply`;
    case 'window_ends':
      return `free window ends in ${hours ?? 0} h`;
  }
}

const SHOWN = 3;

function some(values: readonly string[]): string {
  const more = values.length - SHOWN;
  return values.slice(0, SHOWN).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

/** The conditions of its filters, one per line; empty when everything passes. */
export function filterWords({ filters }: Pick<TriggerDefinition, 'filters'>): string[] {
  const { ad_ids, url, phone_number_ids, campaigns } = filters;
  return [
    ...(ad_ids.length === 0 ? [] : [`ad or post ${some(ad_ids)}`]),
    ...(url === null ? [] : [`address ${URL_MATCH_NAMES[url.match]} ${url.value}`]),
    ...(phone_number_ids.length === 0 ? [] : [`number ${some(phone_number_ids)}`]),
    ...(campaigns.length === 0 ? [] : [`campaign ${some(campaigns)}`]),
  ];
}

/** Its receivers, in words. */
export function toldWords({ to_topic, webhook_url }: SavedTrigger): string[] {
  return [...(to_topic ? ['topic whatsapp.ad-trigger'] : []), ...(webhook_url === null ? [] : [webhook_url])];
}

export const DELIVERY_NAMES = { waiting: 'waiting', delivered: 'delivered', given_up: 'given up' } as const;
