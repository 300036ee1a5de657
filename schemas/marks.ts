/** What a message can be, for the bill (rules.md 3 and 4). */
export const MARKS = ['BILLABLE', 'COVERED', 'FREE_ENTRY', 'FREE_SERVICE', 'UNDELIVERED', 'UNKNOWN'] as const;
export type Mark = (typeof MARKS)[number];

/** Pricing policies, the oldest first. */
export const POLICIES = ['CBP-2023-06', 'CBP-2024-11', 'PMP-2025-07', 'PMP-2026-10'] as const;
export type PolicyName = (typeof POLICIES)[number];

/** The rules that can decide a predicted mark, for the explanation. */
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

/** What can explain that Meta reports a free entry where the rules predict none. */
export const CIRCUMSTANCES = [
  'none',
  /** An entry was answered from the WhatsApp Business app only, which opens no window by the rules (F6). */
  'answered_from_app',
  /** No entry is known that a window could belong to: its referral was lost, or it came by a way that shows none. */
  'no_entry_known',
] as const;
export type Circumstance = (typeof CIRCUMSTANCES)[number];
