import type { CaseResolution, CaseRow, OpenReason } from './cases.ts';
import type { ExplanationCode } from './meta.ts';

/** Sentences that explain why a row differs. */
export const EXPLANATION_WORDS: Readonly<Record<ExplanationCode, string>> = {
  unknown_number: 'A number that nobody names here',
  number_gone: 'A number that has left the account',
  zone: 'Days cut in another time zone',
  tier: 'Another volume tier',
  direct_send: 'Sent without a template, counted under another category',
  paid_exempt: 'Not charged by Meta: exempt from paying for service',
  verdict: 'Counted under another pricing type',
  group: 'Messages of groups, counted otherwise',
  midnight: 'Counted on the neighbouring day',
  country: 'Counted under another country',
  echo: 'Sent from the WhatsApp Business app',
  unknown_waba: 'Under another account here, or under none',
  no_outcome: 'Sent, and no status since',
  read_only: 'Known to be delivered by “read” alone',
  late: 'Known here only after Meta’s numbers',
  gap: 'A hole in the events of the number',
  other_responder: 'Somebody else answers with the number',
  unrated: 'No amount here',
  rate: 'Another price',
  max_price: 'Below the list price',
  unexplained: 'Not explained',
};

const WHY_OPEN: Readonly<Record<OpenReason, string>> = {
  new: 'nobody has decided on it',
  again: 'it differs again after it was resolved',
  grown: 'it differs by more than was accepted',
  expired: 'the day until which it was accepted is over',
  taken_back: 'what was decided was taken back',
};

const WHAT_CHANGED: Readonly<Record<CaseResolution, string>> = {
  other_explanation: 'its rows differ still, and are explained otherwise',
  restatement: 'Meta’s numbers are others',
  rate_card: 'the cards in force are others',
  account: 'the account is set up otherwise',
  late_events: 'our charges are of other messages',
  not_known: 'nobody can tell what changed',
};

/**
 * The state of a case and its reason, in sentences.
 * @param spell how a day, `YYYY-MM-DD`, is written
 */
export function sayCase(
  one: Pick<
    CaseRow,
    | 'state'
    | 'open_because'
    | 'decided_by'
    | 'decided_at'
    | 'accepted_until'
    | 'resolved_at'
    | 'resolved_by'
    | 'is_known'
  >,
  spell: (day: string) => string,
): string {
  const unknown = one.is_known ? '' : ' Meta’s numbers are not there for its days now, so it stays as it was.';
  const dayOf = (instant: string | null): string => spell((instant ?? '').slice(0, 10));
  switch (one.state) {
    case 'open':
      return `Open: ${one.open_because === '' ? WHY_OPEN.new : WHY_OPEN[one.open_because]}.${unknown}`;
    case 'acknowledged':
      return `Acknowledged by ${one.decided_by} on ${dayOf(one.decided_at)}.${unknown}`;
    case 'accepted':
      return `Accepted by ${one.decided_by} on ${dayOf(one.decided_at)}, until ${spell(one.accepted_until)}.${unknown}`;
    case 'resolved': {
      const changed = Object.entries(WHAT_CHANGED).flatMap(([code, words]) =>
        one.resolved_by.split(' ').includes(code) ? [words] : [],
      );
      return `Resolved, as found on ${dayOf(one.resolved_at)}: ${changed.join('; ')}.`;
    }
  }
}
