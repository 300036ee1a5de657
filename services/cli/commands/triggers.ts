import { readTrigger, type TriggerDefinition, type TriggerState } from '@ctwa-ledger/schemas/triggers.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { listTriggersWithFirings, replayDelivery, replayGivenUp, triggerDeliveries } from '../../triggers/log.ts';
import { tryTrigger } from '../../triggers/past.ts';
import { changeTrigger, createTrigger, findTrigger, setTriggerState } from '../../triggers/register.ts';
import { withExistingLedger, withLedger } from '../open.ts';
import { writeLines } from '../output.ts';
import { UsageError, type CommonOptions } from '../settings.ts';
import { userName } from '../user.ts';

const DAY_SECONDS = 86_400;
const TRY_DAYS = 7;

export interface TriggerOptions extends CommonOptions {
  readonly name?: string;
  readonly kind?: string;
  readonly hours?: string;
  readonly ad?: readonly string[];
  readonly url?: string;
  readonly urlMatch?: string;
  readonly phoneNumberId?: readonly string[];
  readonly campaign?: readonly string[];
  readonly topic?: boolean;
  readonly webhook?: string;
  readonly maxAge?: string;
}

/** A definition from options; what is left out stays as it was. */
function definitionOf(options: TriggerOptions, before: TriggerDefinition | null): TriggerDefinition {
  const filters = before?.filters;
  const url = options.url === undefined ? filters?.url : { match: options.urlMatch ?? 'exact', value: options.url };
  const read = readTrigger({
    name: options.name ?? before?.name,
    kind: options.kind ?? before?.kind,
    hours: options.hours === undefined ? before?.hours : Number(options.hours),
    filters: {
      ad_ids: options.ad ?? filters?.ad_ids,
      url: options.url === '' ? null : url,
      phone_number_ids: options.phoneNumberId ?? filters?.phone_number_ids,
      campaigns: options.campaign ?? filters?.campaigns,
    },
    to_topic: options.topic ?? before?.to_topic,
    webhook_url: options.webhook === '' ? null : (options.webhook ?? before?.webhook_url),
    max_age_seconds:
      options.maxAge === undefined ? before?.max_age_seconds : options.maxAge === 'any' ? null : Number(options.maxAge),
  });
  if (typeof read === 'string') throw new UsageError(read);
  return read;
}

/** Saves a new trigger. Prints one JSON object. */
export async function triggersAdd(options: TriggerOptions): Promise<void> {
  const definition = definitionOf(options, null);
  await withLedger('triggers add', options, async ({ database }) => {
    writeLines([await createTrigger(database, definition, userName())]);
  });
}

export async function triggersSet(trigger_id: string, options: TriggerOptions): Promise<void> {
  await withExistingLedger('triggers set', options, async ({ database }) => {
    const {
      trigger_id: _id,
      revision: _revision,
      state: _state,
      changed_at: _at,
      changed_by: _by,
      ...before
    } = await findTrigger(database, trigger_id);
    writeLines([await changeTrigger(database, trigger_id, definitionOf(options, before), userName())]);
  });
}

export async function triggersState(
  command: string,
  trigger_id: string,
  state: TriggerState,
  options: CommonOptions,
): Promise<void> {
  await withExistingLedger(`triggers ${command}`, options, async ({ database }) => {
    writeLines([await setTriggerState(database, trigger_id, state, userName())]);
  });
}

/** Prints one JSON object per trigger. */
export async function triggersList(options: CommonOptions): Promise<void> {
  await withExistingLedger('triggers list', options, async ({ database }) => {
    writeLines(await listTriggersWithFirings(database));
  });
}

export interface TryOptions extends CommonOptions {
  readonly from?: string;
  readonly to?: string;
}

function secondsOf(name: string, text: string): number {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) throw new UsageError(`--${name} "${text}" is not a day like 2026-10-31.`);
  return Date.parse(`${text}T00:00:00Z`) / 1000;
}

/** Prints one JSON object: how often it would have fired, and for which messages. */
export async function triggersTest(trigger_id: string, options: TryOptions): Promise<void> {
  const to = options.to === undefined ? Math.floor(Date.now() / 1000) : secondsOf('to', options.to);
  const from = options.from === undefined ? to - TRY_DAYS * DAY_SECONDS : secondsOf('from', options.from);
  await withExistingLedger('triggers test', options, async ({ database }: Ledger) => {
    writeLines([await tryTrigger(database, await findTrigger(database, trigger_id), { from, to })]);
  });
}

export interface DeliveriesOptions extends CommonOptions {
  readonly trigger?: string;
  readonly limit: string;
}

/** Prints one JSON object per firing and channel, the latest first. */
export async function triggersDeliveries(options: DeliveriesOptions): Promise<void> {
  const limit = Number(options.limit);
  if (!Number.isInteger(limit) || limit < 1)
    throw new UsageError(`--limit "${options.limit}" is not a number above 0.`);
  await withExistingLedger('triggers deliveries', options, async ({ database }) => {
    writeLines(await triggerDeliveries(database, { trigger_id: options.trigger ?? null, state: null, limit }));
  });
}

export interface ReplayOptions extends CommonOptions {
  readonly trigger?: string;
  readonly message?: string;
  readonly phoneNumberId?: string;
}

/** Prints one JSON object: how many deliveries the running process will try again. */
export async function triggersReplay(options: ReplayOptions): Promise<void> {
  const { trigger, message, phoneNumberId } = options;
  await withExistingLedger('triggers replay', options, async ({ database }) => {
    if (message === undefined) {
      writeLines([{ deliveries: await replayGivenUp(database, trigger ?? null) }]);
      return;
    }
    if (trigger === undefined || phoneNumberId === undefined)
      throw new UsageError(
        '--message needs --trigger and --phone-number-id, because ids are unique only within a number.',
      );
    const one = { trigger_id: trigger, message_id: message, phone_number_id: phoneNumberId };
    writeLines([{ deliveries: await replayDelivery(database, one) }]);
  });
}
