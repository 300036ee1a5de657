/** Marks of messages on the bill (rules.md 3 and 4). */
export const MARKS = ['BILLABLE', 'COVERED', 'FREE_ENTRY', 'FREE_SERVICE', 'UNDELIVERED', 'UNKNOWN'] as const;
export type Mark = (typeof MARKS)[number];

/** Pricing policies, the oldest first. */
export const POLICIES = ['CBP-2023-06', 'CBP-2024-11', 'PMP-2025-07', 'PMP-2026-10'] as const;
export type PolicyName = (typeof POLICIES)[number];

/** The rules that can decide a predicted mark, for explanations. */
export const DECIDING_RULES = [
  /** Never delivered. */
  'F4',
  /** Opened the free entry window. */
  'W5',
  /** In the free entry window. */
  'W7',
  /** Message echo, apart from the bill or outside a window. */
  'F6',
  'unknown_category',
  /** Opened a conversation. */
  '3.1_opens',
  /** Joined an open conversation. */
  '3.1_covered',
  /** Service messages cost nothing under this policy. */
  '3_service',
  '3_utility_in_csw',
  '3_reaction',
  '3_charged',
] as const;
export type DecidingRule = (typeof DECIDING_RULES)[number];

/** Explanations for a free entry that Meta reports and the rules do not predict. */
export const CIRCUMSTANCES = [
  'none',
  /** An entry was answered only from the WhatsApp Business app, which opens no window by the rules (F6). */
  'answered_from_app',
  /** No known entry could own the window: its referral was lost, or it came by a way without one. */
  'no_entry_known',
] as const;
export type Circumstance = (typeof CIRCUMSTANCES)[number];
