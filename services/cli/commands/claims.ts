import type { ClaimChange, ClaimOutcome } from '@ctwa-ledger/schemas/claims.ts';
import { EXPLANATION_CODES } from '@ctwa-ledger/schemas/meta.ts';
import { monthSchema } from '@ctwa-ledger/schemas/periods.ts';
import { currencyOf } from '../../imports/amounts.ts';
import { changeClaim, listClaims, makeClaim } from '../../reconciliation/claim-register.ts';
import { withExistingLedger } from '../open.ts';
import { writeLines } from '../output.ts';
import { UsageError, type CommonOptions } from '../settings.ts';
import { userName } from '../user.ts';

interface ClaimOptions extends CommonOptions {
  readonly note?: string;
  readonly reference?: string;
}

export interface ClaimMakeOptions extends ClaimOptions {
  readonly month: string;
  readonly waba: string;
  readonly amount: string;
  readonly currency: string;
  readonly case?: string;
}

export interface ClaimChangeOptions extends ClaimOptions {
  readonly credit?: string;
  readonly amount?: string;
}

function write({ outcome, claim }: ClaimOutcome): void {
  writeLines([{ ...claim, outcome }]);
  if (outcome === 'unchanged') process.stderr.write(`${claim.claim_id} was entered before: nothing changes.\n`);
}

/** Makes a claim. Prints one JSON object. */
export async function claimsMake(options: ClaimMakeOptions): Promise<void> {
  const { month, waba, amount, currency, note = '', reference = '' } = options;
  if (!monthSchema.safeParse(month).success) throw new UsageError(`"${month}" is not a month; write it as YYYY-MM.`);
  const code = currencyOf(currency);
  if (code === null)
    throw new UsageError(`--currency "${currency}" is not a currency: use three letters (ISO 4217), like USD.`);
  const explanation = EXPLANATION_CODES.find((one) => one === options.case) ?? '';
  if (options.case !== undefined && explanation === '')
    throw new UsageError(`--case "${options.case}" must be one of ${EXPLANATION_CODES.join(', ')}.`);
  await withExistingLedger('claims make', options, async ({ database }) => {
    const by = userName();
    write(
      await makeClaim(database, { waba_id: waba, month, explanation, amount, currency: code, reference, note, by }),
    );
  });
}

/** Records what happened to a claim. Prints one JSON object. */
export async function claimsChange(
  action: ClaimChange['action'],
  claim_id: string,
  options: ClaimChangeOptions,
): Promise<void> {
  const { note = '', reference = '', credit = '', amount = '' } = options;
  await withExistingLedger(`claims ${action}`, options, async ({ database }) => {
    write(await changeClaim(database, claim_id, { action, note, reference, credit, amount, by: userName() }));
  });
}

/** Prints one JSON object per claim, the latest month first. */
export async function claimsList(options: CommonOptions): Promise<void> {
  await withExistingLedger('claims list', options, async ({ database }) => {
    writeLines(await listClaims(database));
  });
}
