import { valueIn } from '@ctwa-ledger/schemas/address-parameters.ts';
import { readClaimChange, readNewClaim } from '@ctwa-ledger/schemas/claims.ts';
import { fail, redirect, type RequestEvent } from '@sveltejs/kit';

import { resolve } from '$app/paths';
import { chosenClaim, textsOf } from '$lib/claims/address.ts';
import { CLAIM_TABLE, CLAIM_VALUES, claimKey } from '$lib/claims/table.ts';
import { changeOf, type ChangeTexts, type ClaimTexts } from '$lib/claims/form.ts';
import { fieldText, READ_ONLY } from '$lib/server/forms.ts';
import { askedLedger } from '$lib/server/ledger.ts';
import { arranged } from '$lib/table/table.ts';
import type { Actions, PageServerLoad } from './$types';

const PAGE_ROWS = 50;

export const load: PageServerLoad = async (event) => {
  const { locked } = await askedLedger(event);
  const params = event.url.searchParams;
  const claims = await event.locals.reports.claims();
  const asked = valueIn(params, 'claim');
  const chosen = claims.find(({ claim_id }) => claim_id === asked) ?? null;
  const table = arranged(claims, params, { ...CLAIM_TABLE, page_rows: PAGE_ROWS }, CLAIM_VALUES, claimKey);
  const isGone = asked !== null && chosen === null;
  return {
    locked,
    claims,
    table,
    chosen,
    texts: textsOf(params),
    own_repairs: [
      ...(isGone ? [{ notice: 'claim: there is no such claim; all are shown.' }] : []),
      ...table.notices.map((notice) => ({ notice })),
    ],
  };
};

function goTo(event: RequestEvent, claim_id: string): never {
  redirect(303, `${resolve('/billing/claims')}${chosenClaim(claim_id, event.locals.filters)}`);
}

export const actions: Actions = {
  make: async (event) => {
    const form = await event.request.formData();
    const text = (name: keyof ClaimTexts): string => fieldText(form, name);
    const texts: ClaimTexts = {
      waba_id: text('waba_id'),
      month: text('month'),
      explanation: text('explanation'),
      amount: text('amount'),
      currency: text('currency').toUpperCase(),
      reference: text('reference'),
      note: text('note'),
      by: text('by'),
    };
    const problem = (status: number, message: string) => fail(status, { made: { message, texts }, changed: null });
    const { changes } = event.locals;
    if (changes === null) return problem(403, READ_ONLY);
    const claim = readNewClaim(texts);
    if (typeof claim === 'string') return problem(400, claim);
    const made = await changes.makeClaim(claim);
    if (!made.ok) return problem(409, made.message);
    return goTo(event, made.claim.claim_id);
  },
  change: async (event) => {
    const form = await event.request.formData();
    const text = (name: keyof ChangeTexts): string => fieldText(form, name);
    const claim_id = fieldText(form, 'claim');
    const texts: ChangeTexts = {
      action: text('action'),
      reference: text('reference'),
      credit: text('credit'),
      amount: text('amount'),
      note: text('note'),
      by: text('by'),
    };
    const problem = (status: number, message: string) =>
      fail(status, { made: null, changed: { message, texts, claim_id } });
    const { changes } = event.locals;
    if (changes === null) return problem(403, READ_ONLY);
    const change = readClaimChange(changeOf(texts));
    if (typeof change === 'string') return problem(400, change);
    const changed = await changes.changeClaim(claim_id, change);
    if (!changed.ok) return problem(409, changed.message);
    return goTo(event, claim_id);
  },
};
