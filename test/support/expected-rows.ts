import { DateTime } from 'luxon';
import { parseEvent, type LedgerEvent } from '@ctwa-ledger/schemas/event.ts';
import type { Account, PolicySettings } from '@ctwa-ledger/schemas/config.ts';
import { foldEvents } from '../../services/lifecycle/fold.ts';
import type { Rows } from '../../services/lifecycle/marks.ts';
import { compileRulebook } from '../../services/lifecycle/rulebook.ts';
import type { Row } from '../oracle/oracle.ts';

/** Far enough ahead that no event of a test is refused for being from the future. */
const NOW_SECONDS = 1_800_000_000;

/** Parses events that must all be valid. */
export function parsed(raw: readonly unknown[]): LedgerEvent[] {
  return raw.map((value) => {
    const result = parseEvent(value, NOW_SECONDS);
    if (!result.ok)
      throw new Error(`${result.rejection.code}: ${result.rejection.message} in ${JSON.stringify(value)}`);
    return result.event;
  });
}

export function fold(raw: readonly unknown[], accounts: readonly Account[], policy: PolicySettings): Rows {
  return foldEvents(parsed(raw), compileRulebook(accounts, policy));
}

function byText(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

interface Named {
  readonly customer: string;
  readonly phone_number_id: string;
}

function sorted<T extends Named>(rows: readonly T[], time: (row: T) => number, id: (row: T) => string): T[] {
  return [...rows].sort(
    (a, b) =>
      time(a) - time(b) ||
      byText(id(a), id(b)) ||
      byText(a.customer, b.customer) ||
      byText(a.phone_number_id, b.phone_number_id),
  );
}

/** What the CSV reports would print of the marks of folded rows, before the guard against spreadsheet formulas. */
export function printed(rows: Rows, tz: string): { messages: Row[]; conversations: Row[] } {
  const time = (at: number | null | undefined): string =>
    at === null || at === undefined ? '' : DateTime.fromSeconds(at, { zone: tz }).toFormat("yyyy-MM-dd'T'HH:mm:ssZZ");
  return {
    messages: sorted(
      rows.messages,
      (m) => m.sent_at,
      (m) => m.message_id,
    ).map((m) => ({
      message_id: m.message_id,
      phone_number_id: m.phone_number_id,
      customer: m.customer,
      sent_at: time(m.sent_at),
      delivered_at: time(m.delivered_at),
      type: m.type,
      template_name: m.template_name,
      category: m.category,
      policy: m.policy ?? '',
      predicted: m.predicted,
      reported: m.report?.mark ?? '',
      billing: m.billing,
      billable: String(m.billing === 'BILLABLE'),
      conversation_id: m.window?.entry_id ?? '',
      ad_id: m.window?.ad_id ?? '',
    })),
    conversations: sorted(
      rows.entries,
      (e) => e.entry_at,
      (e) => e.entry_id,
    ).map((e) => ({
      conversation_id: e.entry_id,
      phone_number_id: e.phone_number_id,
      customer: e.customer,
      entry_at: time(e.entry_at),
      source_type: e.source_type,
      ad_id: e.ad_id,
      source_url: e.source_url,
      ctwa_clid: e.ctwa_clid,
      reply_message_id: e.reply?.message_id ?? '',
      replied_at: time(e.reply?.sent_at),
      seconds_to_reply: e.reply === null ? '' : String(e.reply.sent_at - e.entry_at),
      opened_at: time(e.window?.opened_at),
      expires_at: time(e.window?.expires_at),
      free_messages: String(e.window?.free_messages ?? 0),
      ad_conversation_id: e.ad_conversation_id,
    })),
  };
}

/** Rows of `messages` without the columns that say nothing about marks. */
export function marksOf(rows: readonly Row[]): Row[] {
  return rows.map((row) =>
    Object.fromEntries(Object.entries(row).filter(([name]) => !['error_code', 'error_title', 'tag'].includes(name))),
  );
}

/** Takes off the guard that the CSV puts before a cell that a spreadsheet would run. */
export function withoutGuard(rows: readonly Row[]): Row[] {
  return rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([column, cell]) => [column, /^'[=+\-@\t\r]/.test(cell) ? cell.slice(1) : cell]),
    ),
  );
}
