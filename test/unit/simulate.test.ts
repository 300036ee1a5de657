import { beforeAll, describe, expect, it } from 'vitest';
import { configSchema } from '@ctwa-ledger/schemas/config.ts';
import { parseEvent, type LedgerEvent, type MessageEvent, type StatusEvent } from '@ctwa-ledger/schemas/event.ts';
import { SAMPLE_ACCOUNTS, simulate } from '@ctwa-ledger/services/simulate/simulate.ts';

/** 2026-11-20T00:00:00Z */
const END = 1_795_132_800;
const DAY = 86_400;
const OPTIONS = { threads: 2500, days: 75, seed: 11, end_at: END };

function take(lines: Iterable<string>, count: number): string[] {
  const taken: string[] = [];
  for (const line of lines) {
    if (taken.push(line) === count) break;
  }
  return taken;
}

function parsed(line: string, now = END): LedgerEvent {
  const result = parseEvent(JSON.parse(line), now);
  if (!result.ok) throw new Error(`${result.rejection.message} ${line}`);
  return result.event;
}

function shareOf<T>(list: readonly T[], has: (item: T) => boolean): number {
  return list.filter(has).length / list.length;
}

describe('simulate', () => {
  let lines: string[];
  let events: LedgerEvent[];
  let messages: MessageEvent[];
  let outbound: MessageEvent[];
  let statuses: StatusEvent[];

  beforeAll(() => {
    lines = [...simulate(OPTIONS)];
    events = lines.map((line) => parsed(line));
    messages = events.filter((event) => event.event === 'message');
    outbound = messages.filter((message) => message.direction === 'outbound');
    statuses = events.filter((event) => event.event === 'status');
  });

  it('gives the same lines for the same options', () => {
    expect([...simulate(OPTIONS)]).toEqual(lines);
  });

  it('gives other lines for another seed', () => {
    const known = new Set(take(simulate(OPTIONS), 1000));
    for (const seed of [12, 11 + 2 ** 40, -11, 0]) {
      const others = take(simulate({ ...OPTIONS, seed }), 1000);
      expect(others.filter((line) => known.has(line))).toEqual([]);
    }
  });

  it('gives lines that are one event each', () => {
    expect(lines.every((line) => !line.includes('\n'))).toBe(true);
    expect(lines.length).toBeGreaterThan(OPTIONS.threads * 15);
    expect(lines.length).toBeLessThan(OPTIONS.threads * 50);
  });

  it('fills the days before the end and nothing else', () => {
    const begin = END - OPTIONS.days * DAY;
    const days = new Set<number>();
    for (const { timestamp } of events) {
      expect(timestamp).toBeGreaterThanOrEqual(begin);
      expect(timestamp).toBeLessThan(END);
      days.add(Math.floor((timestamp - begin) / DAY));
    }
    expect(days.size).toBe(OPTIONS.days);
  });

  it('is nearly in order: some overtake, few are hours late', () => {
    let latest = 0;
    let overtaken = 0;
    let hoursLate = 0;
    for (const { timestamp } of events) {
      if (timestamp < latest - 1) overtaken++;
      if (timestamp < latest - 3600) hoursLate++;
      latest = Math.max(latest, timestamp);
    }
    expect(overtaken / events.length).toBeGreaterThan(0.003);
    expect(overtaken / events.length).toBeLessThan(0.05);
    expect(hoursLate).toBeGreaterThan(0);
    expect(hoursLate / events.length).toBeLessThan(0.01);
  });

  it('repeats about two in a hundred lines', () => {
    const repeated = 1 - new Set(lines).size / lines.length;
    expect(repeated).toBeGreaterThan(0.015);
    expect(repeated).toBeLessThan(0.026);
  });

  it('uses the numbers of valid sample accounts only', () => {
    expect(configSchema.safeParse({ accounts: SAMPLE_ACCOUNTS }).success).toBe(true);
    const owner = new Map(SAMPLE_ACCOUNTS.flatMap((a) => (a.phone_number_ids ?? []).map((id) => [id, a.waba_id])));
    const used = new Set(events.map((event) => event.phone_number_id as string));
    expect([...used].sort()).toEqual([...owner.keys()].sort());
    for (const event of messages) expect(event.waba_id).toBe(owner.get(event.phone_number_id));
  });

  it('has ad and post entries, with and without a click id, of many kinds', () => {
    const inbound = messages.filter((message) => message.direction === 'inbound');
    const entries = inbound.filter((message) => message.referral_source_type !== '');
    expect(new Set(entries.map((entry) => entry.referral_source_type))).toEqual(new Set(['ad', 'post']));
    expect(new Set(entries.map((entry) => entry.referral_source_id)).size).toBeGreaterThan(25);
    const ads = entries.filter((entry) => entry.referral_source_type === 'ad');
    expect(shareOf(ads, (entry) => entry.referral_ctwa_clid === '')).toBeCloseTo(0.1, 1);
    expect(shareOf(entries, (entry) => entry.type !== 'text')).toBeGreaterThan(0.1);
    expect(entries.length / inbound.length).toBeGreaterThan(0.1);
    expect(entries.length / inbound.length).toBeLessThan(0.5);
    const threads = new Set(entries.map((entry) => `${entry.phone_number_id}:${entry.customer}`));
    expect(threads.size).toBeLessThan(new Set(entries.map((entry) => entry.id)).size);
  });

  it('has templates, echoes, reactions, customers without a number, and customers of many markets', () => {
    const categories = new Set(outbound.map((message) => message.template_category));
    expect(categories).toEqual(new Set(['', 'AUTHENTICATION', 'MARKETING', 'UTILITY']));
    expect(outbound.some((message) => message.origin === 'app')).toBe(true);
    expect(outbound.some((message) => message.type === 'reaction')).toBe(true);
    const nameless = shareOf(messages, (message) => message.wa_id === '');
    expect(nameless).toBeGreaterThan(0.02);
    expect(nameless).toBeLessThan(0.07);
    expect(new Set(messages.map((message) => message.wa_id.slice(0, 2))).size).toBeGreaterThan(25);
  });

  it('has a number that is known from statuses alone', () => {
    const withMessages = new Set(outbound.filter(({ origin }) => origin === '').map((m) => m.phone_number_id));
    const withStatuses = new Set(statuses.map((status) => status.phone_number_id));
    expect(withStatuses.size - withMessages.size).toBe(1);
  });

  it('has every kind of status and verdict in sane shares', () => {
    const of = (name: string): StatusEvent[] => statuses.filter((status) => status.status === name);
    expect(new Set(statuses.map(({ status }) => status))).toEqual(
      new Set(['sent', 'delivered', 'read', 'played', 'failed']),
    );
    expect(of('failed').length / of('sent').length).toBeLessThan(0.05);
    expect(of('failed').every((status) => status.errors !== '')).toBe(true);
    expect(shareOf(of('failed'), (status) => status.customer === '')).toBeGreaterThan(0.02);
    const delivered = new Set(of('delivered').map(({ id }) => id));
    expect(of('read').some(({ id }) => !delivered.has(id))).toBe(true);

    const types = new Set(statuses.map((status) => status.pricing_type));
    expect(types).toEqual(
      new Set([
        '',
        'free_entry_point',
        'free_customer_service',
        'regular',
        ...[...types].filter((t) => /exempt/.test(t)),
      ]),
    );
    const priced = statuses.filter((status) => status.pricing_type !== '');
    const free = shareOf(priced, (status) => status.pricing_type === 'free_entry_point');
    expect(free).toBeGreaterThan(0.4);
    expect(free).toBeLessThan(0.8);
    const unpriced = shareOf(of('delivered'), (status) => status.pricing_type === '');
    expect(unpriced).toBeGreaterThan(0.002);
    expect(unpriced).toBeLessThan(0.1);
  });

  it('reports free entry windows of 72 h, from 2026-09-28 some of up to 7 days', () => {
    const windows = new Map<string, { first: number; expires: number }>();
    for (const { conversation_id, conversation_expiration, conversation_origin, timestamp } of statuses) {
      if (conversation_origin !== 'referral_conversion' || conversation_expiration === -1) continue;
      const window = windows.get(conversation_id) ?? { first: timestamp, expires: conversation_expiration };
      expect(window.expires).toBe(conversation_expiration);
      windows.set(conversation_id, { ...window, first: Math.min(window.first, timestamp) });
    }
    const hours = [...windows.values()].map(({ first, expires }) => (expires - first) / 3600);
    const long = shareOf(hours, (length) => length > 95);
    expect(long).toBeGreaterThan(0.01);
    expect(long).toBeLessThan(0.12);
    expect(shareOf(hours, (length) => length > 71.9 && length < 72.2)).toBeGreaterThan(0.8);
  });

  it('charges utility in the service window from 2026-10 only', () => {
    const october = Date.parse('2026-10-02T00:00:00Z') / 1000;
    const utility = statuses.filter(({ pricing_category }) => pricing_category === 'utility');
    const free = utility.filter(({ pricing_type }) => pricing_type === 'free_customer_service');
    expect(free.length).toBeGreaterThan(0);
    expect(free.every(({ timestamp }) => timestamp < october)).toBe(true);
    expect(utility.some(({ timestamp, pricing_billable }) => timestamp > october && pricing_billable === 1)).toBe(true);
  });

  it('charges the service messages of a number after 1,000 a month', () => {
    const free = new Map<string, Set<string>>();
    const charged = new Set<string>();
    const OCTOBER_NOON = Date.parse('2026-10-01T12:00:00Z') / 1000;
    const options = { threads: 9000, days: 31, seed: 3, end_at: END - 20 * DAY };
    const reactions = new Set<string>();
    for (const line of simulate(options)) {
      // A reaction is free whatever there is left of the allowance.
      if (line.includes('"type":"reaction"')) reactions.add(parsed(line).id);
      if (!line.includes('"category":"service"')) continue;
      const status = parsed(line);
      if (status.event !== 'status' || status.status !== 'delivered') continue;
      if (status.pricing_type === 'regular') charged.add(status.phone_number_id);
      else if (status.pricing_type === 'free_customer_service' && status.timestamp > OCTOBER_NOON) {
        const ids = free.get(status.phone_number_id) ?? new Set();
        if (!reactions.has(status.id)) free.set(status.phone_number_id, ids.add(status.id));
      }
    }
    expect(charged.size).toBeGreaterThan(0);
    for (const number of charged) {
      expect(free.get(number)?.size).toBeGreaterThan(800);
      expect(free.get(number)?.size).toBeLessThanOrEqual(1000);
    }
  });

  it('reports conversations before 2025-07-01 and messages after it', () => {
    const end = Date.parse('2025-07-15T00:00:00Z') / 1000;
    const models = new Set<string>();
    for (const line of simulate({ threads: 300, days: 30, seed: 2, end_at: end })) {
      const event = parsed(line, end);
      if (event.event !== 'status' || event.pricing_model === '') continue;
      models.add(event.pricing_model);
      if (event.pricing_model === 'CBP') {
        expect(event.pricing_type).toBe('');
        expect(event.conversation_id).not.toBe('');
      }
    }
    expect(models).toEqual(new Set(['CBP', 'PMP']));
  });

  it('refuses what is not a whole number in range, and gives nothing for no threads', () => {
    for (const wrong of [{ threads: -1 }, { threads: 1.5 }, { days: 0 }, { seed: NaN }, { end_at: 0.5 }])
      expect(() => take(simulate({ ...OPTIONS, ...wrong }), 1)).toThrow(RangeError);
    expect([...simulate({ ...OPTIONS, threads: 0 })]).toEqual([]);
  });
});
