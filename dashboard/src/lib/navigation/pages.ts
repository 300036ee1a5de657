import { PICKED, type Picked } from '../filters/picked.ts';

/** A page that others link to, or whose days the layout reads. */
export interface PageOfDashboard {
  /** Its name in the menu; null = it is reached from other pages only. */
  readonly name: string | null;
  /**
   * Its days without a chosen zone: those of UTC, or those of each account's own zone. Null = it has no days, or those
   * of one month, whose closing the page reads itself.
   */
  readonly days: 'UTC' | 'accounts' | null;
  /** The filters besides days that it understands. */
  readonly filters?: readonly Picked[];
}

/** What only a charge has: its tier, rate and card. */
const OF_CHARGES_ALONE: ReadonlySet<string> = new Set<Picked>(['tier', 'rate', 'rate_card']);
/** Those of messages, and of conversations with such messages. */
const OF_MESSAGES = PICKED.filter((name) => !OF_CHARGES_ALONE.has(name));

/** Every page by its route, in the order of the menu. */
const PAGES = {
  '/': { name: 'Overview', days: 'UTC', filters: OF_MESSAGES },
  '/ads': { name: 'Ads', days: 'UTC', filters: OF_MESSAGES },
  '/conversations': { name: 'Conversations', days: 'UTC', filters: OF_MESSAGES },
  '/conversations/[phone_number_id]/[message_id]': { name: null, days: null },
  '/send-check': { name: 'Send check', days: null },
  '/automation': { name: 'Automation', days: null },
  '/billing': { name: 'Billing', days: 'accounts', filters: OF_MESSAGES },
  '/billing/charges': { name: null, days: 'accounts', filters: PICKED },
  '/billing/messages': { name: null, days: 'accounts', filters: PICKED },
  '/billing/mismatches': { name: null, days: 'accounts', filters: OF_MESSAGES },
  '/billing/reconciliation': { name: null, days: null },
  '/billing/claims': { name: null, days: null },
  '/billing/close': { name: null, days: null },
  '/billing/close/report': { name: null, days: null },
  '/messages': { name: null, days: null },
  '/messages/[phone_number_id]/[message_id]': { name: null, days: null },
  '/rates': { name: 'Rates & accounts', days: null },
  '/imports': { name: 'Imports', days: null },
  '/imports/events': { name: null, days: null },
  '/imports/invoices': { name: null, days: null },
  '/exports': { name: 'Exports', days: null },
  '/health': { name: 'Health', days: null },
  '/definitions': { name: 'Definitions', days: null },
  '/rules': { name: null, days: null },
  '/views': { name: null, days: null },
} as const satisfies Readonly<Record<string, PageOfDashboard>>;

type Route = keyof typeof PAGES;

/** Pages with a range of days that a reader chooses. */
export type PageOfDays = { [R in Route]: (typeof PAGES)[R]['days'] extends null ? never : R }[Route];

/** The days of a page without a chosen zone; null = it has none to choose. */
export function daysShownAt(route: string | null): PageOfDashboard['days'] {
  const pages: Readonly<Record<string, PageOfDashboard>> = PAGES;
  return route === null ? null : (pages[route]?.days ?? null);
}

/** The filters besides days that a page understands. */
export function filtersOf(route: string | null): readonly Picked[] {
  const pages: Readonly<Record<string, PageOfDashboard>> = PAGES;
  return route === null ? [] : (pages[route]?.filters ?? []);
}

/** Pages in the menu. Those with an id in their address are reached from lists. */
type PageOfMenu = { [R in Route]: (typeof PAGES)[R]['name'] extends null ? never : R }[Route];

const isOfMenu = (route: Route): route is PageOfMenu => PAGES[route].name !== null;

/** The menu, in its order. */
export const MENU = (Object.keys(PAGES) as Route[]).filter(isOfMenu).map((at) => ({ at, name: PAGES[at].name }));

/** Stands for the address of any page, because the compiler cannot compare unions of as many addresses as there are pages. */
export type AnyPage = '/';
