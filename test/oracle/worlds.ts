/** What the events of one piece of traffic have in common: times near one edge, few numbers, few customers, few ids. */
import { one, rarely, type Choose, type Event, type Json } from './choices.ts';

export const HOUR = 3600;
export const DAY = 24 * HOUR;

const utc = (iso: string): number => Date.parse(`${iso}Z`) / 1000;

const EARLIEST = utc('2023-06-01T00:00:00');
export const LATEST = utc('2026-11-15T00:00:00');

/** Instants where some rule changes, and the nights on which local clocks change. */
const EDGES: readonly number[] = [
  utc('2025-10-15T12:00:00'),
  // conversation pricing
  utc('2023-06-20T08:00:00'),
  utc('2024-03-04T10:00:00'),
  utc('2025-03-03T10:00:00'),
  // the policy dates in UTC
  utc('2024-11-01T00:00:00'),
  utc('2025-07-01T00:00:00'),
  utc('2026-10-01T00:00:00'),
  // at +05:45
  utc('2024-10-31T18:15:00'),
  utc('2025-06-30T18:15:00'),
  utc('2026-09-30T18:15:00'),
  // in São Paulo
  utc('2024-11-01T03:00:00'),
  utc('2025-07-01T03:00:00'),
  utc('2026-10-01T03:00:00'),
  // in Auckland: +13 in summer, +12 in winter
  utc('2024-10-31T11:00:00'),
  utc('2025-06-30T12:00:00'),
  utc('2026-09-30T11:00:00'),
  // in Los Angeles
  utc('2024-11-01T07:00:00'),
  utc('2025-07-01T07:00:00'),
  utc('2026-10-01T07:00:00'),
  // daylight saving time: Los Angeles, Auckland, Berlin
  utc('2024-11-03T09:00:00'),
  utc('2025-03-09T10:00:00'),
  utc('2025-09-27T14:00:00'),
  utc('2026-04-04T14:00:00'),
  utc('2025-03-30T01:00:00'),
  utc('2025-10-26T01:00:00'),
];

export const ZONES: readonly string[] = [
  'UTC',
  'America/Sao_Paulo',
  'Asia/Kathmandu',
  'Pacific/Auckland',
  'America/Los_Angeles',
  'Europe/Berlin',
  'Pacific/Kiritimati',
  'Asia/Kolkata',
];

export const PHONE_NUMBERS = ['106540352242922', '206540352242922', '99'] as const;
export const WABAS = ['102290129340398', '202290129340398', '99'] as const;

/** What the groups of one array of traffic have in common. */
export interface World {
  readonly base: number;
  /** Put into ids, so that worlds can be laid side by side without sharing messages. */
  readonly prefix: string;
  readonly numbers: number;
  readonly customers: number;
}

export function clamp(t: number): number {
  return Math.min(Math.max(t, EARLIEST), LATEST);
}

/**
 * A time near the world's edge. Days and single seconds only, mostly, so that the distances between any two events
 * fall on 24, 72 and 168 hours and a second to either side of them again and again.
 */
export function time(world: World, choose: Choose): number {
  const days = one(choose, [0, 1, 2, 3, 4, 7, 8, -1, -3, 5, 6, 10]);
  const seconds = one(choose, [0, 1, -1, 0, 0, 60, HOUR, 6 * HOUR, -HOUR, 12 * HOUR + 7]);
  return clamp(world.base + days * DAY + seconds);
}

/** How long after `t` something followed it: at once, soon, or on an edge. */
export function after(t: number, choose: Choose): number {
  return clamp(t + one(choose, [0, 1, 5, HOUR, DAY, DAY - 1, DAY + 1, 3 * DAY, -1, 7 * DAY, 2 * DAY]));
}

export function stamp(t: number, choose: Choose): Json {
  return choose(2) === 0 ? String(t) : t;
}

export function phoneNumber(world: World, choose: Choose): string {
  return PHONE_NUMBERS[choose(world.numbers)]!;
}

/** Who a customer is by his phone number, and how a sender dials him: Meta's name for the same person has no 9. */
export function numberOf(world: World, who: number): { readonly number: string; readonly dialled: string } {
  const rest = `${world.prefix.replace(/[^0-9]/g, '')}000${who}`;
  return { number: `1650555${rest}`, dialled: `16505559${rest}` };
}

/** The business-scoped id of a customer. */
export function userOf(world: World, who: number): string {
  return `US.${world.prefix}1349120865530274191${who}`;
}

/** The identity fields of a customer: a number (written in several ways), a business-scoped id, both, or neither. */
export function customer(world: World, choose: Choose): Event {
  const who = choose(world.customers);
  const { number, dialled } = numberOf(world, who);
  const user = userOf(world, who);
  switch (choose(24)) {
    case 16:
      return { wa_id: `+${number}` };
    case 17:
      return { wa_id: `+${number.slice(0, 1)} (${number.slice(1, 4)})\u00a0${number.slice(4, 7)}-${number.slice(7)}` };
    case 18:
      return { user_id: user };
    case 19:
      return { wa_id: number, user_id: user };
    case 20:
      return { wa_id: user };
    case 21:
      return { wa_id: user, user_id: userOf(world, who + 1) };
    case 22:
      return { wa_id: one(choose, [`guest ${who}`, user.toLowerCase(), `${number}x`, `+${number}+`]) };
    case 23:
      return { wa_id: dialled };
    default:
      return { wa_id: number };
  }
}

/** A group of few: some are called like a customer or a number, and one of each world like none. */
export function groupId(world: World, choose: Choose): string {
  const { number } = numberOf(world, choose(world.customers));
  return one(choose, [`Y2FwaV9ncm91cDo${world.prefix}`, number, `Y2FwaV9ncm91cDp${world.prefix}`, `+${number}`]);
}

/** Ids of few messages, some of which inbound, outbound and status events share, over all customers and numbers. */
export function messageId(world: World, choose: Choose, kind: 'I' | 'O' | 'S' | 'M'): string {
  const shared = rarely(choose, 16);
  const name = shared ? `X${choose(2)}` : `${kind}${choose(kind === 'M' ? 60 : 12)}`;
  // Ids beyond the Basic Multilingual Plane and before it sort differently in UTF-16 and UTF-8.
  const mark = one(choose, ['', '', '', '', '\u{ff21}', '\u{1d400}', 'a', '_']);
  return `wamid.${world.prefix}${mark}${name}`;
}

export function makeWorld(prefix: string, choose: Choose): World {
  return {
    base: one(choose, EDGES),
    prefix,
    // Mostly one thread, so that its events meet.
    numbers: one(choose, [1, 1, 1, 2, 3]),
    customers: one(choose, [1, 1, 2, 3, 4]),
  };
}
