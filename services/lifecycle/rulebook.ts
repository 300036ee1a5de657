import { DateTime } from 'luxon';
import type { Account, PolicySettings } from '@ctwa-ledger/schemas/config.ts';
import { compareUtf8 } from '@ctwa-ledger/schemas/json.ts';
import type { PhoneNumberId, WabaId } from '@ctwa-ledger/schemas/ids.ts';
import type { PolicyName } from './marks.ts';

/**
 * The day of the last change of rules after which the same events make other marks. A ledger that was folded under
 * earlier rules is folded again when it is opened.
 */
export const RULES_DATE = '2026-11-30';

/**
 * rules.md 3: each policy is in force from midnight of this day in the zone of the WABA. The first has no beginning.
 */
const POLICY_DATES: readonly { readonly policy: PolicyName; readonly from: string | null }[] = [
  { policy: 'CBP-2023-06', from: null },
  { policy: 'CBP-2024-11', from: '2024-11-01' },
  { policy: 'PMP-2025-07', from: '2025-07-01' },
  { policy: 'PMP-2026-10', from: '2026-10-01' },
];

/** Accounts and policy settings, made ready for folding. */
export interface Rulebook {
  readonly settings: PolicySettings;
  readonly entrySources: ReadonlySet<string>;
  readonly maxWindowSeconds: number;
  /** The policy in force at a time (Unix seconds) for an account; UTC where the account or its zone is not known. */
  policyAt(waba_id: WabaId | '', at: number): PolicyName;
  /** The account that lists a business number (contract.md 5), or empty. */
  accountOfNumber(phone_number_id: PhoneNumberId): WabaId | '';
}

function policyStarts(zone: string): readonly { readonly policy: PolicyName; readonly at: number }[] {
  return POLICY_DATES.map(({ policy, from }) => ({
    policy,
    at: from === null ? -Infinity : DateTime.fromISO(from, { zone }).startOf('day').toSeconds(),
  })).reverse();
}

/**
 * Prepares the accounts and settings for folding.
 * @param accounts their zones decide the day a policy begins; their numbers decide the account of an event that names
 * none
 */
export function compileRulebook(accounts: readonly Account[], settings: PolicySettings): Rulebook {
  const startsByZone = new Map<string, ReturnType<typeof policyStarts>>();
  const startsOf = (zone: string) => {
    const known = startsByZone.get(zone);
    if (known !== undefined) return known;
    const starts = policyStarts(zone);
    startsByZone.set(zone, starts);
    return starts;
  };
  const utc = startsOf('UTC');
  const startsByWaba = new Map(accounts.map((a) => [a.waba_id, startsOf(a.time_zone ?? 'UTC')]));
  const wabaByNumber = new Map<string, WabaId>();
  // A number listed by two accounts belongs to the smaller id, so that the order of the list does not matter.
  for (const account of [...accounts].sort((a, b) => compareUtf8(a.waba_id, b.waba_id)))
    for (const number of account.phone_number_ids ?? [])
      if (!wabaByNumber.has(number)) wabaByNumber.set(number, account.waba_id as WabaId);
  return {
    settings,
    entrySources: new Set(settings.entry_sources),
    maxWindowSeconds: settings.max_window_hours * 3600,
    policyAt(waba_id, at) {
      const starts = startsByWaba.get(waba_id) ?? utc;
      for (const start of starts) if (at >= start.at) return start.policy;
      throw new RangeError(`No policy covers the time ${at}: the first policy must have no beginning.`);
    },
    accountOfNumber: (phone_number_id) => wabaByNumber.get(phone_number_id) ?? '',
  };
}
