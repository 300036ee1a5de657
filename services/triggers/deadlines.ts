import type { SavedTrigger, TriggerDefinition, TriggerKind } from '@ctwa-ledger/schemas/triggers.ts';
import { REPLY_WITHIN_SECONDS } from '@ctwa-ledger/schemas/durations.ts';
import type { KnownEntry } from './payload.ts';
import { latestOf, type History } from './register.ts';

const HOUR_MS = 3_600_000;

/** The facts about an entry that decide its deadlines. Unix seconds. */
export interface Deadlined {
  readonly entry_at: number;
  readonly window: { readonly opened_at: number; readonly expires_at: number } | null;
}

/** When the time of a kind ends, in milliseconds; null when it is not running. */
export function endOf(kind: TriggerKind, { entry_at, window }: Deadlined): number | null {
  if (kind === 'unanswered') return (entry_at + REPLY_WITHIN_SECONDS) * 1000;
  return kind === 'window_ends' && window !== null ? window.expires_at * 1000 : null;
}

/** When a trigger with a deadline fires for an entry, in milliseconds: never before the window that ends has opened. */
export function momentOf({ kind, hours }: Pick<TriggerDefinition, 'kind' | 'hours'>, entry: Deadlined): number | null {
  const end = endOf(kind, entry);
  if (end === null || hours === null) return null;
  const moment = end - hours * HOUR_MS;
  return kind === 'window_ends' && entry.window !== null ? Math.max(moment, entry.window.opened_at * 1000) : moment;
}

/**
 * The revision of a trigger that was in force at its moment of firing, if that moment has come; else null. A trigger
 * that was saved after that moment does not fire.
 */
export function deadlineOf(history: History, entry: Deadlined, nowMs: number): SavedTrigger | null {
  if (latestOf(history).state !== 'active') return null;
  for (const [i, { trigger, changed_ms }] of history.entries()) {
    if (trigger.state !== 'active') continue;
    const moment = momentOf(trigger, entry);
    const until = history[i + 1]?.changed_ms ?? Infinity;
    if (moment !== null && moment >= changed_ms && moment < until && moment <= nowMs) return trigger;
  }
  return null;
}

/** The same, while it is useful: the deadline is in the future, and nobody has answered. */
export function dueTrigger(
  history: History,
  { entry, outlook }: Pick<KnownEntry, 'entry' | 'outlook'>,
  nowMs: number,
): SavedTrigger | null {
  const trigger = deadlineOf(history, entry, nowMs);
  if (trigger === null || nowMs >= (endOf(trigger.kind, entry) ?? 0)) return null;
  const isAnswered = entry.reply !== null || outlook.free_window !== null;
  return trigger.kind === 'unanswered' && isAnswered ? null : trigger;
}
