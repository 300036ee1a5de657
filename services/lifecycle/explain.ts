import { DateTime, Duration } from 'luxon';
import type { MessageMark } from './marks.ts';

function clockTime(seconds: number): string {
  return Duration.fromObject({ seconds }).toFormat('hh:mm:ss');
}

/**
 * One sentence: what a message is, and by which rule.
 * @param zone IANA zone in which times are written
 */
export function explainMessage(mark: MessageMark, zone: string): string {
  const at = (seconds: number) =>
    DateTime.fromSeconds(seconds, { zone }).toISO({ suppressMilliseconds: true, includeOffset: true }) ?? '';
  const predicted = `${mark.predicted}: ${because(mark, at)}`;
  if (mark.report === null || mark.policy === null) return predicted;
  if (mark.is_allowance_difference)
    return `${predicted}; Meta reports ${mark.report.mark}, the monthly service allowance, so it is billed as ${mark.billing} (V2)`;
  if (mark.is_mismatch)
    return `${predicted}; Meta reports ${mark.report.mark}, so it is billed as ${mark.billing}: a mismatch (V2)`;
  return mark.report.mark === 'UNKNOWN'
    ? `${predicted}; Meta's report says nothing we know (V1)`
    : `${predicted}; Meta agrees (V1)`;
}

function because(mark: MessageMark, at: (seconds: number) => string): string {
  const { window } = mark;
  switch (mark.rule) {
    case 'F4':
      return 'no status says that it was delivered, and only delivered messages are charged (F4)';
    case 'W5':
      if (window === null) break;
      return `reply ${clockTime(mark.sent_at - window.entry_at)} after ${origin(window)}, opens the free entry window until ${at(window.expires_at)} (W5)`;
    case 'W7':
      if (window === null) break;
      return `in the free entry window of ${origin(window)}, open from ${at(window.opened_at)} until ${at(window.expires_at)} (W7)`;
    case 'F6':
      return 'sent by a person from the WhatsApp Business app, which is outside the bill of the API (F6)';
    case 'unknown_category':
      return 'a template with an unknown category, outside a free entry window (F5)';
    case '3.1_opens':
      return `opens a ${mark.is_template ? mark.category : 'service'} conversation of 24 hours under ${mark.policy ?? ''} (3.1)`;
    case '3.1_covered':
      return `joins a conversation that is open under ${mark.policy ?? ''} (3.1)`;
    case '3_service':
      return `service messages cost nothing under ${mark.policy ?? ''} (3)`;
    case '3_utility_in_csw':
      return `a utility template in the open customer service window costs nothing under ${mark.policy ?? ''} (3)`;
    case '3_reaction':
      return `reactions cost nothing under ${mark.policy ?? ''} (3)`;
    case '3_charged':
      return `a delivered ${mark.category} message outside a free entry window is charged under ${mark.policy ?? ''} (3)`;
  }
  throw new TypeError(`Message ${mark.message_id} was decided by ${mark.rule} but has no free entry window.`);
}

function origin(window: NonNullable<MessageMark['window']>): string {
  return window.ad_id === '' ? `entry ${window.entry_id}` : `${window.source_type} ${window.ad_id}`;
}
