import { timeLabel } from '../format/dates.ts';
import { counted } from '../format/numbers.ts';
import { markName } from '../format/words.ts';
import { CUSTOMER_MARKS, marksOf, type MarkCount } from './marks.ts';
import { rangeOf, type DrawnThread } from './scale.ts';
import { isoOf } from './times.ts';

const total = (counts: readonly MarkCount[]): number => counts.reduce((sum, { messages }) => sum + messages, 0);

function windowsSentence(
  windows: readonly { readonly until: number; readonly source: string }[],
  name: string,
  tz: string,
): string {
  const last = windows.reduce<(typeof windows)[number] | null>(
    (latest, window) => (latest === null || window.until > latest.until ? window : latest),
    null,
  );
  if (last === null) return `No ${name}.`;
  const until = `until ${timeLabel(isoOf(last.until, tz))}${last.source}`;
  return `${counted(windows.length, name)}, ${windows.length === 1 ? until : `the last ${until}`}.`;
}

/** The picture in words, for readers who do not see it. */
export function stripSentence(thread: DrawnThread): string {
  const { events, spans, tz } = thread;
  const { from, to } = rangeOf(thread);
  const counts = marksOf(events);
  const customer = counts.filter(({ kind }) => CUSTOMER_MARKS.some((mark) => mark === kind));
  const business = counts.filter((one) => !customer.includes(one));
  const entries = total(customer.filter(({ kind }) => kind !== 'inbound'));
  const marks = business.map(({ kind, messages }) => `${messages} ${markName(kind.toUpperCase()).toLowerCase()}`);
  const closed = spans.conversations.filter(({ closed_at }) => closed_at !== null).length;
  return [
    `Picture of the conversation from ${timeLabel(isoOf(from, tz))} to ${timeLabel(isoOf(to, tz))}, ${tz}:`,
    `${counted(total(customer), 'message')} of the customer${entries === 0 ? '' : `, ${entries} with an ad click`};`,
    `${counted(total(business), 'message')} of the business${marks.length === 0 ? '' : `: ${marks.join(', ')}`}.`,
    windowsSentence(
      spans.free_windows.map(({ expires_at, is_reported }) => ({
        until: expires_at,
        source: is_reported ? ' as Meta reports' : ', estimated',
      })),
      'free entry window',
      tz,
    ),
    windowsSentence(
      spans.service_windows.map(({ closes_at }) => ({ until: closes_at, source: '' })),
      'customer service window',
      tz,
    ),
    ...(spans.conversations.length === 0
      ? []
      : [
          `${counted(spans.conversations.length, 'conversation')} under conversation pricing, ${closed} of them ended by the opening of a free entry window.`,
        ]),
    'The time line below says the same.',
  ].join(' ');
}
