/** A page that others link to, or whose days the layout reads. */
export interface PageOfDashboard {
  /** Its name in the menu; null = it is reached from other pages only. */
  readonly name: string | null;
  /**
   * Its days without a chosen zone: those of UTC, or those of each account's own zone. Null = it has no days, or those
   * of one month, whose closing the page reads itself.
   */
  readonly days: 'UTC' | 'accounts' | null;
}

/** Every page by its route, in the order of the menu. */
const PAGES = {
  '/': { name: 'Overview', days: 'UTC' },
  '/ads': { name: 'Ads', days: 'UTC' },
  '/conversations': { name: 'Conversations', days: 'UTC' },
  '/conversations/[phone_number_id]/[message_id]': { name: null, days: null },
  '/send-check': { name: 'Send check', days: null },
  '/automation': { name: 'Automation', days: null },
  '/billing': { name: 'Billing', days: 'accounts' },
  '/billing/charges': { name: null, days: 'accounts' },
  '/billing/messages': { name: null, days: 'accounts' },
  '/billing/mismatches': { name: null, days: 'accounts' },
  '/billing/reconciliation': { name: null, days: null },
  '/billing/claims': { name: null, days: null },
  '/billing/close': { name: null, days: null },
  '/billing/close/report': { name: null, days: null },
  '/messages': { name: null, days: null },
  '/messages/[phone_number_id]/[message_id]': { name: null, days: null },
  '/rates': { name: 'Rates & accounts', days: null },
  '/imports': { name: 'Imports', days: null },
  '/imports/invoices': { name: null, days: null },
  '/exports': { name: 'Exports', days: null },
  '/health': { name: 'Health', days: null },
  '/definitions': { name: 'Definitions', days: null },
  '/rules': { name: null, days: null },
} as const satisfies Readonly<Record<string, PageOfDashboard>>;

type Route = keyof typeof PAGES;

/** Pages with a range of days that a reader chooses. */
export type PageOfDays = { [R in Route]: (typeof PAGES)[R]['days'] extends null ? never : R }[Route];

/** The days of a page without a chosen zone; null = it has none to choose. */
export function daysShownAt(route: string | null): PageOfDashboard['days'] {
  const pages: Readonly<Record<string, PageOfDashboard>> = PAGES;
  return route === null ? null : (pages[route]?.days ?? null);
}

/** Pages in the menu. Those with an id in their address are reached from lists. */
type PageOfMenu = { [R in Route]: (typeof PAGES)[R]['name'] extends null ? never : R }[Route];

const isOfMenu = (route: Route): route is PageOfMenu => PAGES[route].name !== null;

/** The menu, in its order. */
export const MENU = (Object.keys(PAGES) as Route[]).filter(isOfMenu).map((at) => ({ at, name: PAGES[at].name }));
