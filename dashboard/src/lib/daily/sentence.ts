import { longDay } from '../format/dates.ts';
import { count, counted } from '../format/numbers.ts';
import type { DayView } from './days.ts';

const sum = (days: readonly DayView[], figure: (day: DayView) => number): number =>
  days.reduce((total, day) => total + figure(day), 0);

/** The chart in one sentence, for those who do not see it. */
export function chartSentence(days: readonly DayView[]): string {
  const first = days[0];
  const last = days.at(-1);
  if (!first || !last) return 'Bar chart by day: no days in this range.';
  const best = days.reduce((most, day) => (day.ad_conversations > most.ad_conversations ? day : most), first);
  const conversations = sum(days, (day) => day.ad_conversations);
  return [
    `Bar chart by day, ${longDay(first.day)} to ${longDay(last.day)}:`,
    `${counted(conversations, 'ad-driven conversation')},`,
    `of which ${count(sum(days, (day) => day.replied))} replied,`,
    `${count(sum(days, (day) => day.unanswered))} without a reply within 24 h`,
    `and ${count(sum(days, (day) => day.pending))} pending;`,
    `${counted(
      sum(days, (day) => day.saved_from_charge),
      'message',
    )} saved from charge.`,
    ...(conversations > 0 ? [`Most conversations on ${longDay(best.day)}: ${count(best.ad_conversations)}.`] : []),
    'The same figures are in the table “By day”.',
  ].join(' ');
}
