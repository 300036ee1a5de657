import { fail, redirect } from '@sveltejs/kit';

import { resolve } from '$app/paths';
import type { AnyPage } from '$lib/navigation/pages.ts';
import { search } from '$lib/filters/filters.ts';
import { fieldText, READ_ONLY } from '$lib/server/forms.ts';
import { askedLedger } from '$lib/server/ledger.ts';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  const { status, locked } = await askedLedger(event);
  return { views: status.views, locked };
};

export const actions: Actions = {
  save: async ({ request, locals }) => {
    if (locals.changes === null) return fail(403, { message: READ_ONLY });
    const form = await request.formData();
    const saved = await locals.changes.saveView({
      name: fieldText(form, 'name'),
      at: fieldText(form, 'at'),
      query: fieldText(form, 'query'),
    });
    if (!saved.ok) return fail(400, { message: saved.message });
    const { at, query } = saved.view;
    redirect(303, `${resolve(at as AnyPage)}${query === '' ? '' : `?${query}`}`);
  },
  rename: async ({ request, locals }) => {
    if (locals.changes === null) return fail(403, { message: READ_ONLY });
    const form = await request.formData();
    const renamed = await locals.changes.renameView(fieldText(form, 'view_id'), fieldText(form, 'name'));
    if (!renamed.ok) return fail(400, { message: renamed.message });
    redirect(303, `${resolve('/views')}${search(locals.filters)}`);
  },
  remove: async ({ request, locals }) => {
    if (locals.changes === null) return fail(403, { message: READ_ONLY });
    const removed = await locals.changes.removeView(fieldText(await request.formData(), 'view_id'));
    if (!removed.ok) return fail(400, { message: removed.message });
    redirect(303, `${resolve('/views')}${search(locals.filters)}`);
  },
};
