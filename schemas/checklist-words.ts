import { sayBias } from './bias-words.ts';
import type { Check, CheckName, CheckState, Finding, Verdict } from './periods.ts';

/** How to write numbers, amounts and days: a page uses its reader's language, a command the form of reports. */
export interface Spelling {
  readonly count: (value: number) => string;
  /** A decimal with its currency. */
  readonly money: (decimal: string, currency: string) => string;
  /** A difference with its sign and currency. */
  readonly difference: (decimal: string, currency: string) => string;
  /** A day, `YYYY-MM-DD`. */
  readonly day: (day: string) => string;
  /** A month, `YYYY-MM`. */
  readonly month: (month: string) => string;
}

export const CHECK_NAMES: Readonly<Record<CheckName, string>> = {
  meta_numbers: 'Meta’s numbers for every day',
  events: 'No events missing',
  counts: 'Meta counts as many messages',
  controls: 'Meta’s numbers consistent',
  outcomes: 'Outcome of every message known',
  prices: 'Nothing without a price',
  differences: 'Differences explained',
  cases: 'No case left',
  invoice: 'Invoice agrees',
  closed_once: 'Nothing closed twice',
};

/** The subject of a checklist item, whatever its state. */
const SUBJECTS: Readonly<Record<CheckName, string>> = {
  meta_numbers: 'Meta’s numbers',
  events: 'events',
  counts: 'message counts',
  controls: 'controls on Meta’s numbers',
  outcomes: 'outcomes',
  prices: 'prices',
  differences: 'differences',
  cases: 'cases',
  invoice: 'invoice',
  closed_once: 'closings',
};

export const STATE_WORDS: Readonly<Record<CheckState, string>> = {
  passed: 'passed',
  warning: 'to know',
  pending: 'pending',
  open: 'open',
  unknown: 'not known',
};

export const VERDICT_WORDS: Readonly<Record<Verdict, string>> = {
  incomplete: 'Incomplete',
  breaks: 'Breaks',
  warnings: 'Reconciled with warnings',
  pending: 'Reconciled with pending items',
  reconciled: 'Reconciled',
};

/** The verdict and its reasons: `Incomplete: Meta’s numbers, invoice`. */
export function sayVerdict(verdict: Verdict, because: readonly CheckName[]): string {
  const why = because.map((check) => SUBJECTS[check]).join(', ');
  return why === '' ? VERDICT_WORDS[verdict] : `${VERDICT_WORDS[verdict]}: ${why}`;
}

/** At most so many days and numbers are named one by one. */
const MAX_NAMED = 8;

/** One finding of each control, and several. */
const CONTROL_WORDS = [
  [
    'free_service',
    'number has more free service messages than are free',
    'numbers have more free service messages than are free',
  ],
  ['tiers', 'pair of tiers overlaps or leaves a gap', 'pairs of tiers overlap or leave a gap'],
  ['free_cost', 'kind of free messages has a cost', 'kinds of free messages have a cost'],
  ['price', 'cost is no price of the card', 'costs are no prices of the card'],
  [
    'max_price',
    'cost of marketing differs from the list, as a maximum price allows',
    'costs of marketing differ from the list, as a maximum price allows',
  ],
  [
    'restated',
    'day was answered otherwise after it had settled',
    'days were answered otherwise after they had settled',
  ],
] as const;

/** The texts of the checklist, in one spelling. */
export class ChecklistWords {
  readonly #spelling: Spelling;

  constructor(spelling: Spelling) {
    this.#spelling = spelling;
  }

  #counted(value: number, one: string, many = `${one}s`): string {
    return `${this.#spelling.count(value)} ${value === 1 ? one : many}`;
  }

  #named(all: readonly string[]): string {
    const more = all.length - MAX_NAMED;
    const named = all.slice(0, MAX_NAMED).join(', ');
    return more > 0 ? `${named} and ${this.#spelling.count(more)} more` : named;
  }

  #days(all: readonly string[]): string {
    return this.#named(all.map((day) => this.#spelling.day(day)));
  }

  #settles(day: string | null, what: string): string {
    return day === null ? '' : ` ${what} ${this.#spelling.day(day)}.`;
  }

  #metaNumbers({ state, days, missing_days, unsettled_days, settles_on }: Of<'meta_numbers'>): string {
    if (missing_days.length === days) return 'Meta’s numbers are missing for every day of the month.';
    const taken =
      unsettled_days.length === 0
        ? ''
        : ` ${this.#counted(unsettled_days.length, 'day was', 'days were')} imported while Meta’s numbers could still change: ${this.#days(unsettled_days)}.` +
          (state === 'pending' ? this.#settles(settles_on, 'Import them again on or after') : ' Import them again.');
    if (missing_days.length > 0)
      return `${this.#spelling.count(missing_days.length)} of ${this.#counted(days, 'day')} ${missing_days.length === 1 ? 'is' : 'are'} missing: ${this.#days(missing_days)}.${taken}`;
    return `All ${this.#counted(days, 'day')} are there.${taken}`;
  }

  #events(check: Of<'events'>): string {
    const { gaps, missing_hours, unwatched_numbers, agrees_with_meta, stored_lately, dead_letters, lost_records } =
      check;
    const said: string[] = [];
    if (agrees_with_meta) said.push('Volumes agree with Meta’s in every row, so no delivery is missing.');
    if (gaps > 0)
      said.push(
        `${this.#counted(gaps, 'gap')} in the events, ${this.#counted(missing_hours, 'hour')} that usually ${missing_hours === 1 ? 'has' : 'have'} some.`,
      );
    if (!agrees_with_meta && unwatched_numbers.length > 0)
      said.push(
        `A gap would not show for ${this.#counted(unwatched_numbers.length, 'number')} with little traffic: ${this.#named(unwatched_numbers)}.`,
      );
    if (gaps === 0 && !agrees_with_meta && unwatched_numbers.length === 0)
      said.push('No number has a gap in its events.');
    if (stored_lately > 0)
      said.push(
        `${this.#counted(stored_lately, 'event')} of the month arrived within the last 24 hours: more may follow.${this.#settles(check.settles_on, 'Settled if none arrives by')}`,
      );
    if (dead_letters > 0)
      said.push(
        `${this.#counted(dead_letters, 'rejected input')} ${dead_letters === 1 ? 'waits' : 'wait'}, of whatever account.`,
      );
    if (lost_records > 0)
      said.push(
        `${this.#counted(lost_records, 'record')} of Kafka ${lost_records === 1 ? 'was' : 'were'} deleted before being read.`,
      );
    return said.join(' ');
  }

  #counts(check: Of<'counts'>): string {
    const { rows, gap, other_responder, missing, outcomes, surplus, days, missing_days } = check;
    const places = (n: number, what: string): string[] =>
      n === 0 ? [] : [`${what} on ${this.#counted(n, 'day and number', 'days and numbers')}.`];
    const pair = (name: string, ours: number, metas: number | null): string[] =>
      metas === null ? [] : [`${name} ${this.#spelling.count(ours)} here, ${this.#spelling.count(metas)} by Meta`];
    const totals = [
      ...pair('sent', check.our_sent, check.meta_sent),
      ...pair('delivered', check.our_delivered, check.meta_delivered),
      ...pair('from customers', check.our_incoming, check.meta_incoming),
    ].join('; ');
    const wrong = gap + other_responder + missing + outcomes + surplus;
    return [
      `${this.#spelling.count(rows - wrong)} of ${this.#counted(rows, 'day and number', 'days and numbers')} ${rows === 1 ? 'agrees' : 'agree'}: ${totals}.`,
      ...places(gap, 'Events are missing'),
      ...places(missing, 'Fewer sent than Meta counts'),
      ...places(other_responder, 'Somebody else answers with the number, as all messages of customers are here,'),
      ...places(outcomes, 'Deliveries are missing'),
      ...places(surplus, 'More are here than Meta counts'),
      ...(missing_days === 0
        ? []
        : [`${this.#spelling.count(missing_days)} of ${this.#counted(days, 'day')} have no counts of Meta’s.`]),
    ].join(' ');
  }

  #controls(check: Of<'controls'>): string {
    const found = CONTROL_WORDS.flatMap(([control, one, many]) =>
      check[control] === 0 ? [] : [`${this.#counted(check[control], one, many)}.`],
    );
    const isRight = check.state === 'passed';
    return [
      ...(isRight
        ? [
            'Allowances, tiers, prices and free messages in Meta’s numbers are consistent, and settled days did not change.',
          ]
        : []),
      ...found,
    ].join(' ');
  }

  #outcomes({ messages, settles_on }: Of<'outcomes'>): string {
    if (messages === 0) return 'Every message is known to be delivered or failed.';
    return `${this.#counted(messages, 'message was', 'messages were')} sent, and no outcome is known yet.${this.#settles(settles_on, 'They may still be delivered until')}`;
  }

  #prices({ delivered, unrated, has_currency }: Of<'prices'>): string {
    if (delivered === 0) return 'No message was delivered.';
    const all = this.#counted(delivered, 'delivered message');
    if (!has_currency)
      return `The account has no currency, so its ${all} ${delivered === 1 ? 'has' : 'have'} no price.`;
    return unrated === 0
      ? `${delivered === 1 ? 'The' : 'All'} ${all} ${delivered === 1 ? 'has' : 'have'} an amount.`
      : `${this.#spelling.count(unrated)} of ${all} ${unrated === 1 ? 'has' : 'have'} no amount, and ${unrated === 1 ? 'is' : 'are'} in no sum.`;
  }

  #differences(check: Of<'differences'>): string {
    const {
      state,
      rows,
      different,
      explained,
      written_off,
      accepted,
      within_tolerance,
      no_cost,
      missing_days,
      currency,
    } = check;
    if (state === 'unknown' && missing_days > 0 && rows === 0)
      return 'There is nothing to compare the expected charge with.';
    const said = [
      different === 0
        ? `No row of ${this.#spelling.count(rows)} differs${within_tolerance > 0 ? `, ${this.#spelling.count(within_tolerance)} of them within tolerance` : ''}.`
        : `${this.#spelling.count(different)} of ${this.#counted(rows, 'row')} ${different === 1 ? 'differs' : 'differ'}, ${this.#spelling.count(explained)} explained in full${written_off > 0 ? `, ${this.#spelling.count(written_off)} written off` : ''}${accepted > 0 ? `, ${this.#spelling.count(accepted)} accepted` : ''}.`,
    ];
    if (check.our_cost !== null && check.meta_cost !== null && currency !== '')
      said.push(
        `Expected charge ${this.#spelling.money(check.our_cost, currency)}, Meta’s charge ${this.#spelling.money(check.meta_cost, currency)}` +
          (check.cost_difference === null ? '.' : `: ${this.#spelling.difference(check.cost_difference, currency)}.`),
      );
    if (no_cost > 0)
      said.push(`Meta names no charge for ${this.#counted(no_cost, 'row')}: only volumes are held there.`);
    for (const bias of check.biases)
      said.push(
        sayBias(bias, {
          count: this.#spelling.count,
          difference: (whole) => whole,
          money: (decimal) => (currency === '' ? decimal : this.#spelling.difference(decimal, currency)),
        }),
      );
    if (missing_days > 0)
      said.push(
        `${this.#counted(missing_days, 'day')} without Meta’s numbers ${missing_days === 1 ? 'is' : 'are'} not held.`,
      );
    return said.join(' ');
  }

  #cases({ open, acknowledged, accepted, resolved }: Of<'cases'>): string {
    const left = open + acknowledged + accepted;
    if (left + resolved === 0) return 'Nothing was ever found to differ.';
    const states = [
      [open, 'open'],
      [acknowledged, 'acknowledged'],
      [accepted, 'accepted'],
      [resolved, 'resolved'],
    ] as const;
    const said = states.flatMap(([n, state]) => (n === 0 ? [] : [`${this.#spelling.count(n)} ${state}`])).join(', ');
    return `${this.#counted(left + resolved, 'case')}: ${said}.`;
  }

  #invoice(check: Of<'invoice'>): string {
    const { invoiced, currency, amount, difference, held_against, lines, unassigned_lines, other_currencies } = check;
    const said: string[] = [];
    if (invoiced === null)
      said.push(
        other_currencies.length > 0
          ? `The invoice is in ${other_currencies.join(', ')}, ${currency === '' ? 'and the account has no currency' : `the account in ${currency}`}.`
          : 'No invoice with charges of this month is imported.',
      );
    else {
      const whose = held_against === 'meta' ? 'Meta’s charge' : 'Expected charge';
      said.push(`Invoiced ${this.#spelling.money(invoiced, currency)} on ${this.#counted(lines, 'line')}.`);
      said.push(
        amount === null || difference === null
          ? 'There is nothing whole to hold it against: neither Meta’s charge nor the expected one is complete.'
          : `${whose} ${this.#spelling.money(amount, currency)}: ${this.#spelling.difference(difference, currency)}.`,
      );
      if (other_currencies.length > 0) said.push(`Lines in ${other_currencies.join(', ')} are not held.`);
    }
    if (unassigned_lines > 0)
      said.push(
        `${this.#counted(unassigned_lines, 'charge')} of the month ${unassigned_lines === 1 ? 'stands' : 'stand'} on invoices that name no account.`,
      );
    return said.join(' ');
  }

  #closedOnce({ messages, months }: Of<'closed_once'>): string {
    if (messages === 0) return 'No message of the month is frozen in another closing.';
    const where = months.map((month) => this.#spelling.month(month)).join(', ');
    return `${this.#counted(messages, 'message')} of the month ${messages === 1 ? 'is' : 'are'} frozen in the closing of ${where} too: the account’s time zone was changed.`;
  }

  /** An item in sentences. */
  say(check: Check): string {
    switch (check.check) {
      case 'meta_numbers':
        return this.#metaNumbers(check);
      case 'events':
        return this.#events(check);
      case 'counts':
        return this.#counts(check);
      case 'controls':
        return this.#controls(check);
      case 'outcomes':
        return this.#outcomes(check);
      case 'prices':
        return this.#prices(check);
      case 'differences':
        return this.#differences(check);
      case 'cases':
        return this.#cases(check);
      case 'invoice':
        return this.#invoice(check);
      case 'closed_once':
        return this.#closedOnce(check);
    }
  }

  /** A finding in one sentence that says where it is. */
  sayFinding(finding: Finding): string {
    const time = (iso: string): string => `${this.#spelling.day(iso.slice(0, 10))}, ${iso.slice(11, 16)} UTC`;
    switch (finding.finding) {
      case 'no_outcome':
        return `Number ${finding.phone_number_id}: ${this.#counted(finding.messages, 'message')} without outcome, sent ${time(finding.first_sent_at)} to ${time(finding.last_sent_at)}.`;
      case 'gap':
        return `Number ${finding.phone_number_id}: no event from ${time(finding.from)} to ${time(finding.to)}, ${this.#counted(finding.missing_hours, 'usual hour')} without.`;
      case 'unrated':
        return `${this.#counted(finding.messages, 'message')} without an amount: ${finding.reason.replaceAll('_', ' ')}.`;
      case 'stored_lately':
        return `Number ${finding.phone_number_id}: ${this.#counted(finding.events, 'event')} stored lately, the last on ${time(finding.last_stored_at)}.`;
      case 'closed_before':
        return `${this.#counted(finding.messages, 'message')} frozen in ${finding.period_id} too.`;
    }
  }
}

type Of<Name extends CheckName> = Extract<Check, { readonly check: Name }>;
