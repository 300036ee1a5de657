import { z } from 'zod';
import { count } from './cells.ts';

/** Bands of time to the first reply, as columns name them. */
export const REPLY_BANDS = ['under_1_min', 'under_5_min', 'under_1_h', 'over_1_h', 'never'] as const;
type ReplyBand = (typeof REPLY_BANDS)[number];

const OF_BAND: Readonly<Record<ReplyBand, string>> = {
  under_1_min: 'in less than a minute',
  under_5_min: 'in 1 to less than 5 minutes',
  under_1_h: 'in 5 to less than 60 minutes',
  over_1_h: 'after an hour or more, within 24 hours',
  never: 'not within 24 hours, which have passed',
};
const replied = (band: ReplyBand): typeof count =>
  count.describe(`Number of ad conversations answered ${OF_BAND[band]}.`);
const engaged = (band: ReplyBand): typeof count =>
  count.describe(
    `Of the conversations answered ${OF_BAND[band]}, those in which the customer wrote at two moments or more after it.`,
  );

/** What became of the ad conversations that began with an ad or post. */
export const adAnswersRow = z.object({
  ad_id: z.string(),
  source_type: z.string(),
  ad_conversations: count,
  with_click_id: count.describe('Number of ad conversations whose first entry has a click id.'),
  first_contacts: count.describe(
    'Number of ad conversations that begin with the first known message of the customer to this number.',
  ),
  replied: count,
  pending: count,
  wrote_again: count.describe('Number of answered ad conversations in which the customer wrote after the first reply.'),
  engaged: count.describe(
    'Number of answered ad conversations in which the customer wrote at two moments or more after the first reply.',
  ),
  replied_under_1_min: replied('under_1_min'),
  engaged_under_1_min: engaged('under_1_min'),
  replied_under_5_min: replied('under_5_min'),
  engaged_under_5_min: engaged('under_5_min'),
  replied_under_1_h: replied('under_1_h'),
  engaged_under_1_h: engaged('under_1_h'),
  replied_over_1_h: replied('over_1_h'),
  engaged_over_1_h: engaged('over_1_h'),
  replied_never: replied('never'),
});
export type AdAnswersRow = z.infer<typeof adAnswersRow>;

/** The traffic of one hour of the week, Monday to Sunday, in the requested zone. */
export const adHoursRow = z.object({
  weekday: count.describe('Day of the week, 1 for Monday to 7 for Sunday.'),
  hour_of_day: count.describe('Hour of the day, 0 to 23, in the zone that is asked for.'),
  entries: count.describe('Number of entries that customers sent in this hour of the week.'),
  first_replies: count.describe('Number of entries whose first reply was sent in this hour of the week.'),
});
export type AdHoursRow = z.infer<typeof adHoursRow>;
