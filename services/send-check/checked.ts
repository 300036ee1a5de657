import type { CategorySource } from '@ctwa-ledger/schemas/send-check.ts';
import type { Thread } from '../lifecycle/facts.ts';
import type { SendOutlook } from '../lifecycle/planned.ts';
import { ratedCategory } from '../lifecycle/verdict.ts';

/** Categories that a template of an unknown one may have. */
export const POSSIBLE_CATEGORIES = ['utility', 'marketing', 'authentication'] as const;

/** The category of a message, and who named it. */
export interface Category {
  readonly category: string;
  readonly from: CategorySource;
}

/** A message to one recipient. */
export interface Checked {
  /** As Meta calls them. */
  readonly customer: string;
  readonly waba_id: string;
  readonly thread: Thread;
  readonly outlook: SendOutlook;
  /** Since when they want no marketing messages; null = nothing is known of that. Unix seconds. */
  readonly stopped_marketing_at: number | null;
  /** When Meta said last that they cannot be reached; null where something went through since. */
  readonly unreachable_at: number | null;
}

/** Whether a message is marketing to somebody who has stopped that. */
export function isStopped({ outlook, stopped_marketing_at }: Checked): boolean {
  const { type, category } = outlook.planned;
  return stopped_marketing_at !== null && type === 'template' && ratedCategory(category).startsWith('marketing');
}

/** Whether a message may be sent. */
export function isAllowed(checked: Checked): boolean {
  return checked.outlook.is_allowed && !isStopped(checked);
}
