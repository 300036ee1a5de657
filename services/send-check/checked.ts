import type { CategorySource } from '@ctwa-ledger/schemas/send-check.ts';
import type { Thread } from '../lifecycle/facts.ts';
import type { SendOutlook } from '../lifecycle/planned.ts';
import { ratedCategory } from '../lifecycle/verdict.ts';

/** Categories that a template with an unknown category may have. */
export const POSSIBLE_CATEGORIES = ['utility', 'marketing', 'authentication'] as const;

/** The category of a message, and its source. */
export interface Category {
  readonly category: string;
  readonly from: CategorySource;
}

/** A message to one recipient. */
export interface Checked {
  /** The customer as rows name the person (F9). */
  readonly customer: string;
  /** Meta's name for the recipient, which decides the market (M2). */
  readonly recipient: string;
  readonly waba_id: string;
  readonly thread: Thread;
  readonly outlook: SendOutlook;
  /** Since when they want no marketing messages; null = not known to have stopped. Unix seconds. */
  readonly stopped_marketing_at: number | null;
  /** When Meta last said that they cannot be reached; null if a message went through since. */
  readonly unreachable_at: number | null;
}

/** Whether a message is marketing to a customer who has stopped it. */
export function isStopped({ outlook, stopped_marketing_at }: Checked): boolean {
  const { type, category } = outlook.planned;
  return stopped_marketing_at !== null && type === 'template' && ratedCategory(category).startsWith('marketing');
}

/** Whether a message may be sent. */
export function isAllowed(checked: Checked): boolean {
  return checked.outlook.is_allowed && !isStopped(checked);
}
