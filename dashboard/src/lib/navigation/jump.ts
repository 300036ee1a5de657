import { search, type FilterState } from '../filters/filters.ts';
import { MENU } from './pages.ts';

/** A place to which a reader can go. */
export interface Destination {
  readonly name: string;
  readonly at: (typeof MENU)[number]['at'] | '/messages';
  /** The query string of the address. */
  readonly query: string;
}

/** Meta's ids of accounts and ads have so many digits; a phone number has fewer. */
const LONG_ID = /^\d{15,}$/;
const MESSAGE_ID = /^wamid\./i;

/**
 * Destinations for a typed text, the most likely first: pages by name, and searches for a conversation, a message, an
 * ad or an account. Without a text: all pages.
 */
export function destinations(typed: string, filters: FilterState): Destination[] {
  const text = typed.trim();
  const pages: Destination[] = MENU.filter(({ name }) => name.toLowerCase().includes(text.toLowerCase())).map(
    ({ at, name }) => ({ name, at, query: search(filters) }),
  );
  if (text === '') return pages;
  const message: Destination = { name: `Message “${text}”`, at: '/messages', query: search(filters, { id: text }) };
  const conversations: Destination = {
    name: `Conversations of “${text}”`,
    at: '/conversations',
    query: search(filters, { q: text }),
  };
  const ads: Destination = { name: `Ads “${text}”`, at: '/ads', query: search(filters, { ad: text }) };
  const account: Destination = {
    name: `Bill of account ${text}`,
    at: '/billing',
    query: search(filters, { waba_id: text }),
  };
  if (MESSAGE_ID.test(text)) return [message, conversations];
  if (LONG_ID.test(text)) return [ads, account, conversations];
  return [...pages, conversations, ads];
}
