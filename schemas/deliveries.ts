import { z } from 'zod';
import { count } from './cells.ts';

/** Messages that failed and were never delivered, by day, business number and Meta's error. */
export const failuresRow = z.object({
  /** Of sending. */
  day: z.string(),
  phone_number_id: z.string(),
  /** Empty: the status named no error. */
  error_code: z.string(),
  /** As Meta says it; of several titles of a code that of most messages. */
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
  /** Meta's; where there is none, the id of the window's first message. */
  conversation_id: z.string(),
  first_message_id: z.string(),
  first_delivered_at: z.string(),
  last_message_id: z.string(),
  last_delivered_at: z.string(),
  /** The latest end that Meta reports on one of its messages; empty = none is reported. */
  reported_expires_at: z.string(),
  messages: count,
});
export type ReportedWindowsRow = z.infer<typeof reportedWindowsRow>;
