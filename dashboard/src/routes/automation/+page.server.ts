import { replaySchema, TRIGGER_STATES } from '@ctwa-ledger/schemas/triggers.ts';
import { error, fail, redirect, type RequestEvent } from '@sveltejs/kit';

import { resolve } from '$app/paths';
import { NEW_TRIGGER, textsOf, triggerOf, type TriggerTexts } from '$lib/automation/form.ts';
import { readFilters, search } from '$lib/filters/filters.ts';
import { fieldText, isSample, READ_ONLY } from '$lib/server/forms.ts';
import { changesOf, reportsOf } from '$lib/server/reports.ts';
import type { Actions, PageServerLoad } from './$types';

const SHOWN_DELIVERIES = 100;
const WEEK_SECONDS = 7 * 86_400;

export const load: PageServerLoad = async (event) => {
  const { status, filters } = await event.parent();
  if (status === null) error(503, 'The ledger does not answer');
  const [triggers, deliveries] = await Promise.all([
    reportsOf(event).triggers(filters.sample),
    reportsOf(event).triggerDeliveries({ trigger_id: null, state: null, limit: SHOWN_DELIVERIES }, filters.sample),
  ]);
  const asked = triggers.find(({ trigger_id }) => trigger_id === event.url.searchParams.get('edit'));
  return {
    triggers,
    deliveries,
    texts: asked === undefined ? NEW_TRIGGER : textsOf(asked),
    /** Why nothing can be changed here; null where it can. */
    locked:
      changesOf(event) === null ? ('read_only' as const) : status.source === 'sample' ? ('sample' as const) : null,
  };
};

function textsIn(form: FormData): TriggerTexts {
  const names = Object.keys(NEW_TRIGGER) as (keyof TriggerTexts)[];
  return Object.fromEntries(names.map((name) => [name, fieldText(form, name)])) as unknown as TriggerTexts;
}

function goTo(event: RequestEvent, place: string): never {
  const { state } = readFilters(event.url.searchParams);
  redirect(303, `${resolve('/automation')}${search(state)}#${place}`);
}

export const actions: Actions = {
  save: async (event) => {
    const changes = changesOf(event);
    const texts = textsIn(await event.request.formData());
    if (changes === null) return fail(403, { texts, problem: READ_ONLY });
    const read = triggerOf(texts);
    if (typeof read === 'string') return fail(400, { texts, problem: read });
    const id = texts.trigger_id === '' ? null : texts.trigger_id;
    const saved = await changes.saveTrigger(id, read, isSample(event));
    if (!saved.ok) return fail(409, { texts, problem: saved.message });
    goTo(event, 'triggers');
  },

  test: async (event) => {
    const texts = textsIn(await event.request.formData());
    // It tells nobody: whom it would tell need not be said yet.
    const read = triggerOf({ ...texts, name: texts.name || 'x', to_topic: 'on', webhook_url: '' });
    if (typeof read === 'string') return fail(400, { texts, problem: read });
    const to = Math.floor(Date.now() / 1000);
    const days = { from: to - WEEK_SECONDS, to };
    return { texts, test: await reportsOf(event).tryTrigger(read, days, isSample(event)) };
  },

  state: async (event) => {
    const changes = changesOf(event);
    if (changes === null) return fail(403, { problem_of_list: READ_ONLY });
    const form = await event.request.formData();
    const state = TRIGGER_STATES.find((one) => one === fieldText(form, 'state'));
    if (state === undefined) return fail(400, { problem_of_list: 'The form does not say what is to be done.' });
    const changed = await changes.setTriggerState(fieldText(form, 'trigger_id'), state, isSample(event));
    if (!changed.ok) return fail(409, { problem_of_list: changed.message });
    goTo(event, 'triggers');
  },

  replay: async (event) => {
    const changes = changesOf(event);
    if (changes === null) return fail(403, { problem_of_list: READ_ONLY });
    const one = replaySchema.safeParse(Object.fromEntries(await event.request.formData()));
    const replayed = await changes.replayDeliveries(one.success ? one.data : 'given_up', isSample(event));
    if (!replayed.ok) return fail(409, { problem_of_list: replayed.message });
    goTo(event, 'deliveries');
  },
};
