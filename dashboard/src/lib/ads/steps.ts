import { AD_STEPS, type AdStep, type AdStepsRow } from '@ctwa-ledger/schemas/ad-steps.ts';

/** A step of one or several ads, as it is counted here and by Meta. */
export interface Step {
  readonly step: AdStep;
  readonly counted: number;
  /** Null when no import says it. */
  readonly meta: number | null;
  /** Counted here on the days of Meta's count. */
  readonly compared: number;
  readonly difference: number | null;
  readonly days_known: number;
  readonly days_unknown: number;
  /** Ads with something counted here and without any imported cost in the range. */
  readonly ads_without: number;
  readonly ads: number;
}

export const STEP_NAMES: Readonly<Record<AdStep, string>> = {
  link_clicks: 'Clicks on the ad; here, messages that came with the ad',
  conversations_started: 'Conversations started',
  depth_2: 'Customer wrote 2 messages or more',
  depth_3: 'Customer wrote 3 messages or more',
  depth_5: 'Customer wrote 5 messages or more',
};

/** What Ads Manager calls a count, for people who have to choose the column. */
export const META_NAMES: Readonly<Record<AdStep, string>> = {
  link_clicks: 'Link clicks',
  conversations_started: 'Messaging conversations started',
  depth_2: 'messaging_user_depth_2_message_send',
  depth_3: 'messaging_user_depth_3_message_send',
  depth_5: 'messaging_user_depth_5_message_send',
};

const sum = (values: readonly (number | null)[]): number | null => {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((total, value) => total + value, 0);
};

/** Every step over all ads of the rows; a step that nobody counted is 0 here and not known of Meta. */
export function summedSteps(rows: readonly AdStepsRow[]): Step[] {
  return AD_STEPS.map((step) => {
    const own = rows.filter((row) => row.step === step);
    const of = (column: 'counted' | 'compared' | 'days_known' | 'days_unknown'): number =>
      sum(own.map((row) => row[column])) ?? 0;
    const counted = own.filter((row) => row.counted > 0);
    return {
      step,
      counted: of('counted'),
      meta: sum(own.map((row) => row.meta)),
      compared: of('compared'),
      difference: sum(own.map((row) => row.difference)),
      days_known: of('days_known'),
      days_unknown: of('days_unknown'),
      ads_without: counted.filter((row) => row.days_known + row.days_unknown === 0).length,
      ads: counted.length,
    };
  });
}
