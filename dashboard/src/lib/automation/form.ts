import { readTrigger, type SavedTrigger, type TriggerDefinition } from '@ctwa-ledger/schemas/triggers.ts';

/** The texts in the form of a trigger, as they were typed. */
export interface TriggerTexts {
  /** Empty for a new one. */
  readonly trigger_id: string;
  readonly name: string;
  readonly kind: string;
  readonly hours: string;
  readonly ad_ids: string;
  readonly url_match: string;
  readonly url: string;
  readonly phone_number_ids: string;
  readonly campaigns: string;
  readonly to_topic: string;
  readonly webhook_url: string;
  readonly max_age_minutes: string;
}

export const NEW_TRIGGER: TriggerTexts = {
  trigger_id: '',
  name: '',
  kind: 'arrival',
  hours: '',
  ad_ids: '',
  url_match: 'exact',
  url: '',
  phone_number_ids: '',
  campaigns: '',
  to_topic: '',
  webhook_url: '',
  max_age_minutes: '10',
};

const MINUTE = 60;

export function textsOf({ filters, ...trigger }: SavedTrigger): TriggerTexts {
  return {
    trigger_id: trigger.trigger_id,
    name: trigger.name,
    kind: trigger.kind,
    hours: trigger.hours === null ? '' : String(trigger.hours),
    ad_ids: filters.ad_ids.join(' '),
    url_match: filters.url?.match ?? 'exact',
    url: filters.url?.value ?? '',
    phone_number_ids: filters.phone_number_ids.join(' '),
    campaigns: filters.campaigns.join('\n'),
    to_topic: trigger.to_topic ? 'on' : '',
    webhook_url: trigger.webhook_url ?? '',
    max_age_minutes: trigger.max_age_seconds === null ? '' : String(trigger.max_age_seconds / MINUTE),
  };
}

const listed = (text: string, between: RegExp): string[] =>
  text
    .split(between)
    .map((one) => one.trim())
    .filter((one) => one !== '');

/** The trigger in a form; a text = what is wrong with it. */
export function triggerOf(texts: TriggerTexts): TriggerDefinition | string {
  const hours = texts.kind === 'arrival' || texts.hours === '' ? null : Number(texts.hours);
  const age = texts.max_age_minutes === '' ? null : Math.round(Number(texts.max_age_minutes) * MINUTE);
  return readTrigger({
    name: texts.name,
    kind: texts.kind,
    hours,
    filters: {
      ad_ids: listed(texts.ad_ids, /[\s,;]+/),
      url: texts.url === '' ? null : { match: texts.url_match, value: texts.url },
      phone_number_ids: listed(texts.phone_number_ids, /[\s,;]+/),
      campaigns: listed(texts.campaigns, /\n/),
    },
    to_topic: texts.to_topic !== '',
    webhook_url: texts.webhook_url === '' ? null : texts.webhook_url,
    max_age_seconds: age,
  });
}
