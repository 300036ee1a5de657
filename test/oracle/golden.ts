/**
 * Golden cases, to be read like a price list: what happened, and what each message costs for it. Expectations are
 * derived from rules.md by hand; `rule` says which sentence decides. There is a table for each section of the rules.
 */
import { boundaries } from './golden/boundaries.ts';
import type { GoldenCase } from './golden/builders.ts';
import { policyChanges, resets } from './golden/conversation-pricing.ts';
import { echoes, edits } from './golden/echoes.ts';
import { facts } from './golden/facts.ts';
import { fieldCases } from './golden/field-cases.ts';
import { figures } from './golden/figures.ts';
import { groups } from './golden/groups.ts';
import { identities } from './golden/identities.ts';
import { names } from './golden/names.ts';
import { prices } from './golden/prices.ts';
import { errorsAndTags, lostReferrals, reportedOnly } from './golden/unseen.ts';
import { verdicts } from './golden/verdicts.ts';
import { windows } from './golden/windows.ts';
import { workedExamples } from './golden/worked-examples.ts';

export type { GoldenCase } from './golden/builders.ts';

export const goldenCases: readonly GoldenCase[] = [
  ...workedExamples,
  ...prices,
  ...resets,
  ...policyChanges,
  ...boundaries,
  ...facts,
  ...names,
  ...identities,
  ...echoes,
  ...edits,
  ...groups,
  ...windows,
  ...verdicts,
  ...figures,
  ...lostReferrals,
  ...reportedOnly,
  ...errorsAndTags,
  ...fieldCases,
];
