import { z } from 'zod';
import { count, instant } from './cells.ts';

/** Messages that failed and were never delivered, by day, business number and Meta's error. */
export const failuresRow = z.object({
  /** Day of sending. */
  day: z.string(),
  phone_number_id: z.string(),
  /** Empty when the status named no error. */
  error_code: z.string(),
  /** Meta's text. If a code has several titles, the one with the most messages. */
  error_title: z.string(),
  messages: count,
  /** What to do about it; empty for codes that are not known. */
  what_to_do: z.string(),
});
export type FailuresRow = z.infer<typeof failuresRow>;

/** A free entry window that Meta reports and no known entry explains. */
export const reportedWindowsRow = z.object({
  phone_number_id: z.string(),
  customer: z.string(),
  /** Meta's id; if there is none, the id of the window's first message. */
  conversation_id: z.string(),
  first_message_id: z.string(),
  first_delivered_at: instant,
  last_message_id: z.string(),
  last_delivered_at: instant,
  /** The latest end that Meta reports on one of its messages; empty = it reports none. */
  reported_expires_at: instant,
  messages: count,
});
export type ReportedWindowsRow = z.infer<typeof reportedWindowsRow>;

/** Customers who stopped marketing messages, or cannot be reached any more, by the last message before that. */
export const optOutsRow = z.object({
  /** The day on which it was first known. */
  day: z.string(),
  phone_number_id: z.string(),
  /** `stopped_marketing` (their settings, or Meta's error 131050), `unreachable` (131026). */
  opt_out: z.string().meta({
    description:
      'What became of them: stopped_marketing by their settings or Meta’s error 131050, unreachable by 131026.',
  }),
  template_name: z.string().meta({
    description: 'The template that was delivered to them last before that; empty where none was.',
  }),
  ad_id: z.string().meta({ description: 'The ad or post that they last came from; empty where they came from none.' }),
  customers: count,
});
export type OptOutsRow = z.infer<typeof optOutsRow>;
