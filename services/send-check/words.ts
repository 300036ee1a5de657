import type { SendPrice, SendRefusal } from '@ctwa-ledger/schemas/send-check.ts';
import { DateTime } from 'luxon';
import { isInOpenFreeWindow, opensFreeWindow } from '../lifecycle/marks.ts';
import type { SendOutlook } from '../lifecycle/planned.ts';
import { scaled } from '../imports/decimals.ts';

/** `6 Oct 2026, 14:05 (America/Sao_Paulo)` */
function clock(at: number, zone: string): string {
  return `${DateTime.fromSeconds(at, { zone }).setLocale('en-GB').toFormat('d LLL yyyy, HH:mm')} (${zone})`;
}

function cost({ amount, currency, unrated }: SendPrice): string {
  if (amount === null) return `has no price here (${unrated})`;
  return scaled(amount) === 0n ? 'is free' : `costs ${currency} ${amount}`;
}

/** Another message that could be sent now, with its price. */
interface Alternative {
  readonly outlook: SendOutlook;
  readonly price: SendPrice;
}

/** The alternatives to a message. */
export interface Choices {
  readonly outlook: SendOutlook;
  readonly price: SendPrice;
  /** A free-form message. */
  readonly free_form: Alternative;
  readonly zone: string;
}

function untilFreeWindowEnds({ free_window }: SendOutlook, zone: string): string {
  return free_window === null ? '' : ` until ${clock(free_window.expires_at, zone)}`;
}

/** The way to open a free entry window, in words. */
function wayToFree({ openable }: SendOutlook, zone: string): string {
  return openable === null
    ? 'A free entry window opens when the customer answers an ad and is replied to within 24 hours.'
    : `A reply until ${clock(openable.reply_by, zone)} opens a free entry window, and is free.`;
}

function isCheaper(other: SendPrice, than: SendPrice): boolean {
  if (other.amount === null || than.amount === null) return false;
  // An alternative that costs nothing can be compared in any currency.
  const isComparable = other.currency === than.currency || scaled(other.amount) === 0n;
  return isComparable && scaled(other.amount) < scaled(than.amount);
}

/** The cheapest allowed message, in one sentence or two, as advice on a message that is allowed. */
export function advice({ outlook, price, free_form, zone }: Choices): string {
  const until = free_form.outlook.service_window_ends_at;
  if (isInOpenFreeWindow(outlook.rule))
    return `Free${untilFreeWindowEnds(outlook, zone)}: the free entry window is open.`;
  if (opensFreeWindow(outlook.rule) && outlook.openable !== null)
    return `Free, and opens a free entry window, if it is delivered by ${clock(outlook.openable.reply_by, zone)}.`;
  if (price.is_in_allowance) return 'Free: the month has free places left.';
  if (price.amount !== null && scaled(price.amount) === 0n) return 'Free now.';
  if (
    outlook.planned.type === 'template' &&
    free_form.outlook.is_allowed &&
    isCheaper(free_form.price, price) &&
    until !== null
  )
    return `A free-form message ${cost(free_form.price)} until ${clock(until, zone)}; this one ${cost(price)}.`;
  return `Nothing that is allowed now costs less. ${wayToFree(outlook, zone)}`;
}

/** The refusal of marketing to a customer who has stopped it. */
export function stoppedRefusal(stopped_at: number, zone: string): SendRefusal {
  return {
    error: {
      code: 'MARKETING_STOPPED',
      message: `Marketing is not allowed: the customer stopped marketing messages of this business, as is known since ${clock(stopped_at, zone)}. Meta would refuse it (131050). Messages of other categories may be sent; marketing again once the customer resumes it.`,
    },
  };
}

/**
 * The refusal of a free-form message outside the customer service window.
 * @param templates the prices of templates now, each with its category
 */
export function refusal(
  outlook: SendOutlook,
  templates: readonly { readonly category: string; readonly price: SendPrice }[],
  zone: string,
): SendRefusal {
  const ended = outlook.service_window_ends_at;
  const why =
    ended === null
      ? 'the customer has written nothing, so the customer service window was never open'
      : `the customer service window has been closed since ${clock(ended, zone)}`;
  const instead =
    outlook.free_window !== null
      ? `Send a template: it is free${untilFreeWindowEnds(outlook, zone)}.`
      : outlook.openable !== null
        ? `Send a template: it is free, and opens a free entry window, if it is delivered by ${clock(outlook.openable.reply_by, zone)}.`
        : `Send a template: ${templates.map(({ category, price }) => `${category} ${cost(price)}`).join(', ')}.`;
  return {
    error: {
      code: 'NON_TEMPLATE_NOT_ALLOWED',
      message: `A message that is not a template is not allowed: ${why}. ${instead} A free-form message is allowed again once the customer writes.`,
    },
  };
}
