import type { CaseAction, CaseEntry } from '@ctwa-ledger/schemas/cases.ts';

/** The texts that were typed in the form of a case, so that they need not be typed again. */
export interface CaseTexts {
  readonly explanation: string;
  readonly action: string;
  readonly by: string;
  readonly note: string;
  readonly until: string;
  readonly assignee: string;
}

export const NOTHING_DECIDED: CaseTexts = {
  explanation: '',
  action: 'acknowledge',
  by: '',
  note: '',
  until: '',
  assignee: '',
};

export const ACTION_WORDS: Readonly<Record<CaseAction, string>> = {
  acknowledge: 'Acknowledge',
  accept: 'Accept',
  reopen: 'Take back',
  assign: 'Assign',
  comment: 'Comment',
};

const DONE_WORDS: Readonly<Record<CaseAction, string>> = {
  acknowledge: 'acknowledged it',
  accept: 'accepted it',
  reopen: 'took back what was decided',
  assign: 'assigned it',
  comment: 'commented',
};

/** The body of a decision, with only the fields that its action takes: the others may hold texts left in the form. */
export function decisionOf(
  { explanation, action, by, note, until, assignee }: CaseTexts,
  of: { readonly waba_id: string; readonly month: string; readonly seen: string },
): Readonly<Record<string, string>> {
  return {
    ...{ ...of, explanation, action, by, note },
    ...(action === 'accept' && until !== '' ? { until } : {}),
    ...(action === 'assign' ? { assignee } : {}),
  };
}

/** A decision in a line: `3 Nov 2026, ana accepted it until 1 Dec 2026: asked Meta`. */
export function entryWords(
  { at, by, action, note, until, assignee, period_id }: CaseEntry,
  spell: (day: string) => string,
): string {
  const rest =
    action === 'assign' ? ` to ${assignee === '' ? 'nobody' : assignee}` : until === '' ? '' : ` until ${spell(until)}`;
  const closed = period_id === '' ? '' : ', after the month was closed';
  return `${spell(at.slice(0, 10))}, ${by} ${DONE_WORDS[action]}${rest}${closed}${note === '' ? '' : `: ${note}`}`;
}
