/**
 * A second, naive implementation of the billing rules, written from rules.md and contract.md alone so that it can judge
 * the first one. It reads like the rules, with the number of each beside it; nothing in it is fast or clever on purpose.
 */
import { addTo, dayOf, isoTime, type Row, row } from './cells.ts';
import { bytewise, type Copy } from './events.ts';
import { type Entry, type Fep, knownMessages, type Outbound, type Rulings, threadsOf } from './facts.ts';
import {
  type AdConversation,
  adConversations,
  isLostReferral,
  isMature,
  isReplied,
  percentile,
  rate,
  type ReportedWindow,
  reportedWindows,
  secondsToFirstReply,
} from './figures.ts';
import { fold, isMismatch } from './marks.ts';

export type { Row } from './cells.ts';

/** What the reports are a function of. */
export interface OracleInput extends Rulings {
  /** Unix seconds: the clock for what depends on "now". */
  readonly as_of: number;
  /** Zone of the printed times and of the days. */
  readonly tz: string;
  /** First day in `tz`, `YYYY-MM-DD`. */
  readonly from?: string;
  /** Day after the last one. */
  readonly to?: string;
}

/** An outbound message with its marks, for those who reckon further. Empty strings are what is not known. */
export interface OracleMessage {
  readonly phone_number_id: string;
  readonly message_id: string;
  /** Of a group message the participant (F8). */
  readonly customer: string;
  /** M2: the name that decides the market. */
  readonly recipient: string;
  readonly waba_id: string;
  readonly sent_at: number;
  readonly delivered_at: number | undefined;
  readonly type: string;
  readonly category: string;
  /** F6: an echo, where the policy says that echoes stand apart from the API's bill. */
  readonly stands_apart: boolean;
  readonly policy: string;
  readonly predicted: string;
  readonly reported: string;
  /** The category in Meta's report (V1), lower case with `_`. */
  readonly reported_category: string;
  readonly billing: string;
  /** M4: the mark of a delivered message in a fold with no free entry window and no report at all. */
  readonly without_free_entry: string;
}

export interface OracleReports {
  readonly messages: Row[];
  readonly conversations: Row[];
  readonly daily: Row[];
  readonly ads: Row[];
}

/** Every outbound message, in no particular order. */
export function oracleMessages(input: Rulings): OracleMessage[] {
  return threadsOf(input).flatMap((thread) => {
    fold(thread, input);
    return thread.outbound.map((message) => ({
      phone_number_id: message.phone_number_id,
      message_id: message.id,
      customer: message.customer,
      recipient: message.recipient,
      waba_id: message.waba_id,
      sent_at: message.sent_at,
      delivered_at: message.delivered_at,
      type: message.type,
      category: message.category,
      stands_apart: message.standsApart,
      policy: message.policy,
      predicted: message.predicted,
      reported: message.reported,
      reported_category: message.reported_category,
      billing: message.billing,
      without_free_entry: message.without_free_entry,
    }));
  });
}

export function oracleReports(input: OracleInput): OracleReports {
  const { tz, as_of, from, to } = input;
  const inRange = (t: number): boolean => {
    const day = dayOf(t, tz);
    return (from === undefined || day >= from) && (to === undefined || day < to);
  };

  const messages: Outbound[] = [];
  const entries: Entry[] = [];
  const feps: Fep[] = [];
  const conversations: AdConversation[] = [];
  const reportedOnly: ReportedWindow[] = [];
  for (const thread of threadsOf(input)) {
    const opened = fold(thread, input);
    messages.push(...thread.outbound);
    entries.push(...thread.entries);
    feps.push(...opened);
    conversations.push(...adConversations(thread, opened));
    reportedOnly.push(...reportedWindows(thread, input.policy));
  }

  const messageRows = messages
    .filter((message) => inRange(message.sent_at))
    .sort(
      (a, b) =>
        a.sent_at - b.sent_at ||
        bytewise(a.id, b.id) ||
        bytewise(a.phone_number_id, b.phone_number_id) ||
        bytewise(a.customer, b.customer),
    )
    .map((message) =>
      row({
        message_id: message.id,
        phone_number_id: message.phone_number_id,
        customer: message.customer,
        sent_at: isoTime(message.sent_at, tz),
        delivered_at: isoTime(message.delivered_at, tz),
        type: message.type,
        template_name: message.template_name,
        category: message.category,
        policy: message.policy,
        predicted: message.predicted,
        reported: message.reported,
        billing: message.billing,
        billable: String(message.billing === 'BILLABLE'), // V3
        conversation_id: message.fep?.owner.id ?? '',
        ad_id: message.fep?.owner.ad_id ?? '',
        error_code: message.error.code,
        error_title: message.error.title,
        tag: message.tag,
      }),
    );

  const conversationRows = entries
    .filter((entry) => inRange(entry.t))
    .sort((a, b) => a.t - b.t || bytewise(a.id, b.id) || bytewise(a.phone_number_id, b.phone_number_id))
    .map((entry) =>
      row({
        conversation_id: entry.id,
        phone_number_id: entry.phone_number_id,
        customer: entry.customer,
        entry_at: isoTime(entry.t, tz),
        source_type: entry.source_type,
        ad_id: entry.ad_id,
        source_url: entry.source_url,
        ctwa_clid: entry.ctwa_clid,
        reply_message_id: entry.answeredBy?.id ?? '',
        replied_at: isoTime(entry.answeredBy?.sent_at, tz),
        seconds_to_reply: entry.answeredBy === undefined ? '' : String(entry.answeredBy.sent_at - entry.t),
        opened_at: isoTime(entry.fep?.opened_at, tz),
        expires_at: isoTime(entry.fep?.expires_at, tz),
        free_messages: String(entry.fep?.messages.length ?? 0),
        ad_conversation_id: entry.start?.id ?? '',
      }),
    );

  // What each figure belongs to: the last paragraph of section 6.
  const dailyKey = (t: number, phone_number_id: string): string => JSON.stringify([dayOf(t, tz), phone_number_id]);
  const adKey = (entry: Entry): string => JSON.stringify([entry.ad_id, entry.source_type]);
  const days = { conversations: new Map<string, AdConversation[]>(), feps: new Map<string, Fep[]>() };
  const dayMessages = new Map<string, Outbound[]>();
  const dayLostReferrals = new Map<string, Copy[]>();
  const dayReportedWindows = new Map<string, ReportedWindow[]>();
  const dayReportedMessages = new Map<string, Outbound[]>();
  const ads = { conversations: new Map<string, AdConversation[]>(), feps: new Map<string, Fep[]>() };
  const adEntries = new Map<string, Entry[]>();
  const adMessages = new Map<string, Outbound[]>();

  for (const conversation of conversations) {
    const { start } = conversation;
    if (!inRange(start.t)) continue;
    addTo(days.conversations, dailyKey(start.t, start.phone_number_id), conversation);
    addTo(ads.conversations, adKey(start), conversation);
  }
  for (const fep of feps) {
    if (!inRange(fep.opened_at)) continue;
    addTo(days.feps, dailyKey(fep.opened_at, fep.owner.phone_number_id), fep);
    addTo(ads.feps, adKey(fep.owner), fep);
  }
  for (const message of messages) {
    const t = message.delivered_at ?? message.sent_at;
    if (!inRange(t)) continue;
    addTo(dayMessages, dailyKey(t, message.phone_number_id), message);
    if (message.fep !== undefined) addTo(adMessages, adKey(message.fep.owner), message);
  }
  for (const { event, phone_number_id } of knownMessages(input.events)) {
    if (event === undefined || !isLostReferral(event) || !inRange(event.timestamp)) continue;
    addTo(dayLostReferrals, dailyKey(event.timestamp, phone_number_id), event);
  }
  for (const window of reportedOnly) {
    for (const [i, message] of window.messages.entries()) {
      const t = message.delivered_at!;
      if (!inRange(t)) continue;
      const key = dailyKey(t, message.phone_number_id);
      if (i === 0) addTo(dayReportedWindows, key, window);
      addTo(dayReportedMessages, key, message);
    }
  }
  for (const entry of entries) {
    if (inRange(entry.t)) addTo(adEntries, adKey(entry), entry);
  }

  const replyFigures = (of: readonly AdConversation[]): Row => {
    const replied = of.filter(isReplied);
    const mature = of.filter((conversation) => isMature(conversation, as_of));
    return {
      ad_conversations: String(of.length),
      replied: String(replied.length),
      mature: String(mature.length),
      pending: String(of.length - mature.length),
      reply_rate: rate(replied.length, mature.length),
      median_seconds_to_reply: percentile(replied.map(secondsToFirstReply), 5),
    };
  };
  const isConfirmed = (fep: Fep): boolean => fep.messages.some((message) => message.reported === 'FREE_ENTRY');

  const dailyKeys = [
    ...new Set([...days.conversations.keys(), ...days.feps.keys(), ...dayMessages.keys(), ...dayLostReferrals.keys()]),
  ];
  const daily = dailyKeys
    .map((key) => {
      const [day, phone_number_id] = JSON.parse(key) as [string, string];
      const opened = days.feps.get(key) ?? [];
      const sent = dayMessages.get(key) ?? [];
      const billed = (mark: string): string => String(sent.filter((message) => message.billing === mark).length);
      return row({
        day,
        phone_number_id,
        ...replyFigures(days.conversations.get(key) ?? []),
        windows_opened: String(opened.length),
        windows_confirmed: String(opened.filter(isConfirmed).length),
        messages: String(sent.length),
        delivered: String(sent.filter((message) => message.delivered_at !== undefined).length),
        billable: billed('BILLABLE'),
        free_entry: billed('FREE_ENTRY'),
        free_service: billed('FREE_SERVICE'),
        covered: billed('COVERED'),
        unknown: billed('UNKNOWN'),
        mismatches: String(sent.filter(isMismatch).length),
        lost_referrals: String(dayLostReferrals.get(key)?.length ?? 0),
        windows_reported_only: String(dayReportedWindows.get(key)?.length ?? 0),
        messages_reported_only: String(dayReportedMessages.get(key)?.length ?? 0),
      });
    })
    .sort((a, b) => bytewise(a['day']!, b['day']!) || bytewise(a['phone_number_id']!, b['phone_number_id']!));

  const adKeys = [
    ...new Set([...adEntries.keys(), ...ads.conversations.keys(), ...ads.feps.keys(), ...adMessages.keys()]),
  ];
  const adRows = adKeys
    .map((key) => {
      const [ad_id, source_type] = JSON.parse(key) as [string, string];
      const started = ads.conversations.get(key) ?? [];
      const opened = ads.feps.get(key) ?? [];
      const clicks = (adEntries.get(key) ?? []).map((entry) => entry.t);
      const firstEntry = clicks.length === 0 ? undefined : Math.min(...clicks);
      const lastEntry = clicks.length === 0 ? undefined : Math.max(...clicks);
      const columns = row({
        ad_id,
        source_type,
        ...replyFigures(started),
        p90_seconds_to_reply: percentile(started.filter(isReplied).map(secondsToFirstReply), 9),
        windows_opened: String(opened.length),
        windows_confirmed: String(opened.filter(isConfirmed).length),
        free_messages: String((adMessages.get(key) ?? []).length),
        first_entry_at: isoTime(firstEntry, tz),
        last_entry_at: isoTime(lastEntry, tz),
      });
      // A row without an entry in the range has no time and sorts first.
      return { columns, first: firstEntry ?? -1, ad_id, source_type };
    })
    .sort((a, b) => a.first - b.first || bytewise(a.ad_id, b.ad_id) || bytewise(a.source_type, b.source_type))
    .map((ad) => ad.columns);

  return { messages: messageRows, conversations: conversationRows, daily, ads: adRows };
}
