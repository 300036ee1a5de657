interface Definition {
  /** The target of links inside the product. */
  readonly id: string;
  readonly name: string;
  readonly meaning: string;
  /** Where the exact definition is: a section or rule of the billing rules. */
  readonly rules: string;
}

export interface DefinitionGroup {
  /** Id of its heading. */
  readonly id: string;
  readonly title: string;
  readonly definitions: readonly Definition[];
}

export const DEFINITIONS: readonly DefinitionGroup[] = [
  {
    id: 'group-conversations',
    title: 'Conversations',
    definitions: [
      {
        id: 'entry',
        name: 'Entry',
        meaning:
          'A customer’s message that carries the referral of an ad or of a Page’s call to action, from a phone. Desktop and web do not qualify.',
        rules: 'rule W2',
      },
      {
        id: 'ad-driven-conversation',
        name: 'Ad-driven conversation',
        meaning:
          'Starts with an entry while no free entry window is open in the thread and no earlier entry still waits for its reply. Entries that come in between are re-clicks and belong to it. It counts on the day, for the ad and for the number of the entry that starts it.',
        rules: 'section 6',
      },
      {
        id: 'reply',
        name: 'Answered',
        meaning:
          'One of the conversation’s entries got a reply that was sent within 24 hours and delivered. Any type of message counts but a reaction.',
        rules: 'section 6, rules W3 and W4',
      },
      {
        id: 'mature',
        name: 'Mature and pending',
        meaning:
          'A conversation is mature when it is answered, or when 24 hours have passed since its last entry. Until then it is pending: it can still be answered, so it is shown beside the rate and never counted as a failure.',
        rules: 'section 6, rule W9',
      },
      {
        id: 'reply-rate',
        name: 'Answered within 24 h',
        meaning:
          'The 24 h reply conversion rate: answered conversations ÷ mature conversations. Without a mature conversation there is no rate, shown as “–”.',
        rules: 'section 6',
      },
      {
        id: 'time-to-first-reply',
        name: 'Time to first reply',
        meaning:
          'From the earliest entry that the first reply answers to the moment that reply was sent, over answered conversations. The median is the middle one; p90 is the time within which 9 of 10 were answered.',
        rules: 'section 6',
      },
    ],
  },
  {
    id: 'group-windows',
    title: 'Windows',
    definitions: [
      {
        id: 'free-entry-window',
        name: 'Free entry window',
        meaning:
          'Opens when the reply to an entry is delivered and lasts 72 hours, or as long as Meta reports. Nothing delivered inside it is charged. Windows opened count on the day they open, for the ad of the entry that owns them.',
        rules: 'rules W5, W7 and W8',
      },
      {
        id: 'confirmed',
        name: 'Windows confirmed',
        meaning:
          'Windows in which Meta reported at least one message as free entry. The rest are customers on desktop, windows without a report yet, or a gap in the rules.',
        rules: 'section 6',
      },
      {
        id: 'customer-service-window',
        name: 'Customer service window',
        meaning:
          'The 24 hours after each message or call of the customer in which free-form messages may be sent; in a group, after a message of any member. It is independent of the free entry window.',
        rules: 'rule W1',
      },
    ],
  },
  {
    id: 'group-messages',
    title: 'Messages',
    definitions: [
      {
        id: 'delivered',
        name: 'Delivered',
        meaning:
          'A message with a delivered, read or played status; one sent from the WhatsApp Business app counts when sent. Only delivered messages can be charged. A message counts on the day it was delivered.',
        rules: 'rules F4 and F6',
      },
      {
        id: 'mark',
        name: 'Marks',
        meaning:
          'Each delivered message carries one: billable, free entry (inside a free entry window), free service (not charged by the policy of its day), covered (part of a conversation that was charged already), or unknown.',
        rules: 'section 3, rule V2',
      },
      {
        id: 'pricing-type',
        name: 'Meta’s pricing type',
        meaning:
          'What Meta’s statuses call the same: regular is billable, free_entry_point is free entry, free_customer_service and free_group_customer_service are free service; of any other type, its field billable says whether it is billable. It has no name for covered messages: their conversation was charged.',
        rules: 'rule V1',
      },
      {
        id: 'saved-from-charge',
        name: 'Messages saved from charge',
        meaning:
          'Delivered messages that were free because of a free entry window and would have been billable without it. Free entry messages that would have been free anyway are not counted.',
        rules: 'rule M4',
      },
      {
        id: 'mismatch',
        name: 'Mismatch',
        meaning:
          'A delivered message for which Meta’s report differs from what these rules predict. The verdict for billing is Meta’s; the difference is what to look into.',
        rules: 'rules V1 and V2',
      },
    ],
  },
  {
    id: 'group-amounts',
    title: 'Amounts',
    definitions: [
      {
        id: 'list-cost',
        name: 'List cost',
        meaning:
          'What a delivered message would have cost had it not been in a free entry window, at the rate of the card that applies on its day for its account’s currency, its customer’s market and its category. Free entry messages take the places after the last charged one of the month in tiers and allowance.',
        rules: 'rules M1 and M4',
      },
      {
        id: 'billed-cost',
        name: 'Expected charge',
        meaning:
          'The rate of each billable message, and 0 for all others; in exports the column billed_cost. It is reckoned here from your rate cards: no webhook of Meta’s carries a price. What Meta’s analytics say is Meta’s charge, and what an invoice says is invoiced.',
        rules: 'rules M1 and M4',
      },
      {
        id: 'savings',
        name: 'Savings',
        meaning:
          'List cost less expected charge: what free entry windows saved. Currencies are never added up. Amounts are rounded on screen only.',
        rules: 'rules M4 and M5',
      },
      {
        id: 'unrated',
        name: 'Without a price',
        meaning:
          'Delivered messages without a price, because a card, a rate, the account’s currency or the category is missing. They are counted with the reason, and never as 0. Files and the API call them unrated.',
        rules: 'rule M5',
      },
      {
        id: 'tier',
        name: 'Tier',
        meaning:
          'Billable utility and authentication messages of a month are counted per portfolio, market and category, and each costs the rate of the tier that its own number falls into.',
        rules: 'rule M3',
      },
      {
        id: 'allowance',
        name: 'Allowance',
        meaning:
          'From October 2026 the first 1,000 service messages that a business number delivers in a month, outside free entry windows, cost nothing. Until November 2024 the same held for the first 1,000 service conversations of an account.',
        rules: 'rule M3',
      },
    ],
  },
  {
    id: 'group-ad-costs',
    title: 'What ads cost',
    definitions: [
      {
        id: 'spend',
        name: 'Spend',
        meaning:
          'What an ad cost, from an export of Meta’s Ads Manager or typed. Its days are those of the ad account and are taken as they are, whatever zone is on screen. An amount counts where all of its days are; one that reaches beyond them is left out, and that is said.',
        rules: 'not of the rules: imported',
      },
      {
        id: 'cost-per-conversation',
        name: 'Cost per conversation and per answered conversation',
        meaning:
          'The spend of an ad divided by the ad-driven conversations that started with it on the same days, or by those that were answered within 24 h. Each currency stands for itself; without a conversation there is no such cost.',
        rules: 'section 6',
      },
      {
        id: 'full-cost',
        name: 'Full cost per conversation',
        meaning:
          'The spend of an ad and the expected charge of its messages together, divided by the ad-driven conversations that started with it, or by those answered within 24 h. Its messages are those delivered over the API to the customer within 7 days after the conversation started and before the customer’s next one starts; messages from the WhatsApp Business app are free and are not among them. Messages without a price are counted beside the sum. Where spend or every price is missing, or the ad has amounts in several currencies, the full cost is not known. Prices are those of now, in closed months too.',
        rules: 'rules M1 to M5',
      },
      {
        id: 'never-wrote',
        name: 'Clicks that never wrote',
        meaning:
          'Link clicks of the imported ad costs less the entries that came from the ad, re-clicks included, on the days for which link clicks are known. Some of these people wrote from a desktop, where no entry counts, or in a message that came without its ad. Without the column Link clicks in the import the figure is not known, which is never shown as 0.',
        rules: 'rule W2; clicks are imported',
      },
      {
        id: 'depth',
        name: 'Messages of a customer: 2, 3, 5 or more',
        meaning:
          'Ad-driven conversations in which the customer wrote at least so many messages, the entry included, within 7 days and before the next conversation starts. Each message counts once; reactions, edits and deletions are none. Meta’s figures of the same name are imported with ad costs. They differ: Meta counts a conversation only after 7 days without a message, by its own attribution, and estimates some.',
        rules: 'section 6, rules F2 and F7',
      },
      {
        id: 'outcomes',
        name: 'Outcomes, cost per outcome, return on ad spend',
        meaning:
          'Leads, purchases and whatever else conversations of an ad led to, as they were imported or sent; on the day on which they happened. Cost per outcome is what the ad cost on the same days divided by them, return on ad spend their value divided by that cost, in one currency. What Meta noticed by itself stands apart and is never added to them, because it may be the same.',
        rules: 'not of the rules: imported',
      },
      {
        id: 'engaged',
        name: 'Engaged conversations, and the way to them',
        meaning:
          'Of the ad-driven conversations that started: those answered within 24 h; those in which the customer wrote after the first reply; and the engaged ones, in which the customer did so at two moments or more. Messages count until the next conversation of the customer starts, and messages of one second count once. Reply speed is the time to first reply. Shares of fewer than 30 conversations carry “~”.',
        rules: 'section 6, rule W4',
      },
      {
        id: 'first-contacts',
        name: 'First contacts',
        meaning:
          'Conversations that begin with the first message of the customer to this business number that the ledger knows. The cost of one is the spend of the ad divided by them. What was written before the ledger began is not known to it.',
        rules: 'section 6',
      },
      {
        id: 'unanswered-spend',
        name: 'Spent on conversations not answered',
        meaning:
          'The spend of an ad × its conversations that were not answered within 24 h, which have passed ÷ all its conversations. Pending ones are not among them yet.',
        rules: 'section 6',
      },
      {
        id: 'hours-of-the-week',
        name: 'Hours of the week',
        meaning:
          'In which hours customers send entries, and in which the first replies to these entries are sent, by the clock of the time zone shown.',
        rules: 'rules W2 and W4',
      },
      {
        id: 'spend-not-final',
        name: 'Spend that is not final',
        meaning:
          'Meta can change what an ad cost for 28 days after each day. Spend of days in the last 28 is shown as it was imported and marked as not final: import those days again later.',
        rules: 'not of the rules: imported',
      },
      {
        id: 'grouped-ads',
        name: 'Ads grouped by ad set, campaign, media or source',
        meaning:
          'Counts and amounts of the ads and posts of a group, added up; each currency stands for itself. A cost per conversation is the spend of the group divided by the conversations of those of its ads that have a cost: posts have none. Names are those of imports. Times to the first reply are told of single ads, because medians do not add up. “Ad unknown” is a referral that came without an id.',
        rules: 'section 6',
      },
      {
        id: 'reported-only',
        name: 'Reported by Meta, no ad known',
        meaning:
          'Free entry that Meta reports although no message of the customer names an ad or post: the first message came without its ad, or a Page call-to-action was used. It saves money and belongs to no ad. Such windows are counted apart and are never among the windows opened.',
        rules: 'rules W2 and V1',
      },
      {
        id: 'lost-referrals',
        name: 'First messages without their ad',
        meaning:
          'Messages that WhatsApp could not hand over (type unsupported, error 131060). The first message of an ad can come this way; its ad is lost with it.',
        rules: 'rule W2',
      },
    ],
  },
  {
    id: 'group-screen',
    title: 'The screen',
    definitions: [
      {
        id: 'compared',
        name: 'Compare',
        meaning:
          'As many days before, or as many whole months before where the range is whole months; or the same dates of the year before. Conversations and messages change by percent, the rate by percentage points. A day that has not ended is compared with whole days. In the table of ads each row has its change; a row without earlier figures is compared with zero.',
        rules: 'a decision of this page, not a billing rule',
      },
      {
        id: 'narrowed',
        name: 'Filters',
        meaning:
          'Every page with figures takes the same filters. Several values of one filter are alternatives; several filters must all match, in every sum, table, file and chart of the page. A conversation has the ad, the number and the market (by its customer’s number) of its first message. It has a category, mark or tag if a message with it was delivered in it: after its first message, and before the customer’s next conversation. One message must match all of the three. Message counts and amounts are those of matching messages. What an ad cost is not split: with a filter of account, number or market it is shown for ads that brought no other conversations, and with one of category, mark or tag for no ad; what Meta counts of an ad is filtered in the same way. On pages of the bill an ad, campaign or ad set means the messages in its free entry windows, and the category is the rated one. Closed months are filtered as they were closed. A view is a page with its dates, filters, sort and columns, saved under a name.',
        rules: 'rules M1a and M2',
      },
      {
        id: 'unfinished',
        name: 'Unfinished',
        meaning:
          'An hour, day or week that has not ended, or in which the last event of the ledger is: its figures still grow, so it is hatched. So is a week of which the chosen days are only a part.',
        rules: 'a decision of this page, not a billing rule',
      },
    ],
  },
];
