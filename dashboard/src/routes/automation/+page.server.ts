import { valueIn } from '@ctwa-ledger/schemas/address-parameters.ts';
import { replaySchema, TRIGGER_STATES } from '@ctwa-ledger/schemas/triggers.ts';
import { fail, redirect, type RequestEvent } from '@sveltejs/kit';

import { resolve } from '$app/paths';
import { NEW_TRIGGER, textsOf, triggerOf } from '$lib/automation/form.ts';
import { search } from '$lib/filters/filters.ts';
import { fieldText, fieldTexts, READ_ONLY } from '$lib/server/forms.ts';
import { askedLedger } from '$lib/server/ledger.ts';
import type { Actions, PageServerLoad } from './$types';

const SHOWN_DELIVERIES = 100;
const WEEK_SECONDS = 7 * 86_400;

export const load: PageServerLoad = async (event) => {
  const { locked } = await askedLedger(event);
  const { reports } = event.locals;
  const [triggers, deliveries] = await Promise.all([
    reports.triggers(),
    reports.triggerDeliveries({ trigger_id: null, state: null, limit: SHOWN_DELIVERIES }),
  ]);
  const asked = triggers.find(({ trigger_id }) => trigger_id === valueIn(event.url.searchParams, 'edit'));
  return {
    triggers,
    deliveries,
    texts: asked === undefined ? NEW_TRIGGER : textsOf(asked),
    locked,
  };
};

function goTo(event: RequestEvent, place: string): never {
  redirect(303, `${resolve('/automation')}${search(event.locals.filters)}#${place}`);
}

export const actions: Actions = {
  save: async (event) => {
    const { changes } = event.locals;
    const texts = fieldTexts(await event.request.formData(), NEW_TRIGGER);
    if (changes === null) return fail(403, { texts, problem: READ_ONLY });
    const read = triggerOf(texts);
    if (typeof read === 'string') return fail(400, { texts, problem: read });
    const id = texts.trigger_id === '' ? null : texts.trigger_id;
    const saved = await changes.saveTrigger(id, read);
    if (!saved.ok) return fail(409, { texts, problem: saved.message });
    goTo(event, 'triggers');
  },

  test: async (event) => {
    const texts = fieldTexts(await event.request.formData(), NEW_TRIGGER);
    // A try tells nobody, so name and receivers may be missing.
    const read = triggerOf({ ...texts, name: texts.name || 'x', to_topic: 'on', webhook_url: '' });
    if (typeof read === 'string') return fail(400, { texts, problem: read });
    const to = Math.floor(Date.now() / 1000);
    const days = { from: to - WEEK_SECONDS, to };
    return { texts, test: await event.locals.reports.tryTrigger(read, days) };
  },

  state: async (event) => {
    const { changes } = event.locals;
    if (changes === null) return fail(403, { problem_of_list: READ_ONLY });
    const form = await event.request.formData();
    const state = TRIGGER_STATES.find((one) => one === fieldText(form, 'state'));
    if (state === undefined) return fail(400, { problem_of_list: 'The form does not say what is to be done.' });
    const changed = await changes.setTriggerState(fieldText(form, 'trigger_id'), state);
    if (!changed.ok) return fail(409, { problem_of_list: changed.message });
    goTo(event, 'triggers');
  },

  replay: async (event) => {
    const { changes } = event.locals;
    if (changes === null) return fail(403, { problem_of_list: READ_ONLY });
    const one = replaySchema.safeParse(Object.fromEntries(await event.request.formData()));
    const replayed = await changes.replayDeliveries(one.success ? one.data : 'given_up');
    if (!replayed.ok) return fail(409, { problem_of_list: replayed.message });
    goTo(event, 'deliveries');
  },
};
