import type { ListedAccount } from '@ctwa-ledger/schemas/changes.ts';
import type { ListedCard } from '@ctwa-ledger/schemas/rate-cards.ts';
import type { LedgerStatus } from '@ctwa-ledger/schemas/reports.ts';
import type { WebhookFigures } from '@ctwa-ledger/schemas/health.ts';
import { counted } from '../format/numbers.ts';
import { deliveryWords } from './webhook.ts';

/** What the checklist is made from. */
export interface SetupFacts {
  readonly status: Pick<LedgerStatus, 'events'>;
  /** Null where the process takes no webhooks. */
  readonly webhook: WebhookFigures | null;
  readonly accounts: readonly ListedAccount[];
  readonly cards: readonly Pick<ListedCard, 'kind' | 'currency' | 'state'>[];
  readonly spend_imports: readonly { readonly withdrawn_at: string | null }[];
  readonly meta_imports: readonly { readonly withdrawn_at: string | null }[];
}

/** A step of setting up the ledger. */
export interface SetupStep {
  readonly title: string;
  readonly is_done: boolean;
  /** What is there, or what is missing and what it is good for. */
  readonly detail: string;
  /** Where it is done. */
  readonly at: '/rates' | '/imports' | '/imports/events';
  /** Whether figures are wrong or missing without it. */
  readonly is_needed: boolean;
}

/** The names of a list that is not too long to read. */
function named(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(', ');
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}

function eventsStep({ status: { events }, webhook }: Pick<SetupFacts, 'status' | 'webhook'>): SetupStep {
  const stored = events > 0 ? `${counted(events, 'event')} stored.` : 'No event has arrived yet.';
  const delivered = webhook === null ? '' : ` Last webhook delivery: ${deliveryWords(webhook.last_delivery)}.`;
  return {
    title: 'Events arrive',
    is_done: events > 0,
    detail: stored + delivered,
    at: '/imports/events',
    is_needed: true,
  };
}

function accountsStep(accounts: readonly ListedAccount[]): SetupStep {
  const incomplete = accounts.filter(
    ({ account }) => account.currency === undefined || account.time_zone === undefined,
  );
  const ids = named(incomplete.map(({ account }) => account.name ?? account.waba_id));
  return {
    title: 'Accounts have a currency and a time zone',
    is_done: accounts.length > 0 && incomplete.length === 0,
    detail:
      accounts.length === 0
        ? 'No account is known yet. Messages need its currency for a price, and its time zone for days.'
        : incomplete.length === 0
          ? `${counted(accounts.length, 'account')} set.`
          : `Missing for ${ids}: without a currency messages have no price, without a zone days are those of UTC.`,
    at: '/rates',
    is_needed: true,
  };
}

function cardsStep(accounts: readonly ListedAccount[], cards: SetupFacts['cards']): SetupStep {
  const priced = new Set(
    cards.filter(({ kind, state }) => kind === 'list' && state === 'holds').map((card) => card.currency),
  );
  const currencies = new Set(accounts.flatMap(({ account }) => account.currency ?? []));
  const missing = [...currencies].filter((currency) => !priced.has(currency)).sort();
  return {
    title: 'There is a rate card for each currency',
    is_done: priced.size > 0 && missing.length === 0,
    detail:
      priced.size === 0
        ? 'No rate card is imported yet: nothing can be priced. Meta publishes them as CSV files.'
        : missing.length > 0
          ? `None in ${named(missing)}: messages of accounts in that currency have no price.`
          : `Cards in ${named([...priced].sort())}.`,
    at: '/rates',
    is_needed: true,
  };
}

function importStep(
  title: string,
  imports: SetupFacts['spend_imports'],
  words: { readonly one: string; readonly missing: string },
): SetupStep {
  const kept = imports.filter(({ withdrawn_at }) => withdrawn_at === null).length;
  return {
    title,
    is_done: kept > 0,
    detail: kept > 0 ? `${counted(kept, words.one)}.` : words.missing,
    at: '/imports',
    is_needed: false,
  };
}

/** The steps of setting up a ledger, in the order in which they are best done. */
export function setupSteps({ status, webhook, accounts, cards, spend_imports, meta_imports }: SetupFacts): SetupStep[] {
  return [
    eventsStep({ status, webhook }),
    accountsStep(accounts),
    cardsStep(accounts, cards),
    importStep('Ad costs are imported', spend_imports, {
      one: 'import',
      missing: 'None yet: Ads cannot say what a conversation costs.',
    }),
    importStep('Meta’s numbers are imported', meta_imports, {
      one: 'import',
      missing: 'None yet: a month cannot be held against Meta’s bill.',
    }),
  ];
}

/** How far it is, in words. */
export function setupVerdict(steps: readonly SetupStep[]): string {
  const done = steps.filter(({ is_done }) => is_done).length;
  if (done === steps.length) return 'Everything is set up.';
  const isUsable = steps.every(({ is_done, is_needed }) => is_done || !is_needed);
  return `${done} of ${steps.length} steps are done.${isUsable ? ' The others are optional.' : ''}`;
}
