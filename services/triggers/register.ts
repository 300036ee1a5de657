import { randomUUID } from 'node:crypto';
import {
  triggerSchema,
  TRIGGER_STATES,
  type SavedTrigger,
  type TriggerDefinition,
  type TriggerState,
} from '@ctwa-ledger/schemas/triggers.ts';
import { z } from 'zod';
import type { Database } from '../clickhouse/database.ts';
import { ActionableError } from '../clickhouse/errors.ts';
import { underLease } from '../clickhouse/lease.ts';

/** One state of a trigger, in force from `changed_ms` until the next revision. */
interface Revision {
  readonly trigger: SavedTrigger;
  /** Milliseconds since 1970, by ClickHouse's clock. */
  readonly changed_ms: number;
}

/** All revisions of a trigger, oldest first. */
export type History = readonly Revision[];

const revisionRow = z.object({
  trigger_id: z.string(),
  revision: z.coerce.number(),
  state: z.enum(TRIGGER_STATES),
  definition: z.string(),
  changed_ms: z.coerce.number(),
  changed_by: z.string(),
});

/** All triggers, also deleted ones, with all revisions. */
export async function readHistories(database: Database): Promise<ReadonlyMap<string, History>> {
  const rows = await database.query(
    revisionRow,
    `SELECT trigger_id, revision, toString(state) AS state, definition,
        toUnixTimestamp64Milli(triggers.changed_at) AS changed_ms, changed_by
     FROM triggers FINAL ORDER BY trigger_id, revision`,
  );
  const histories = new Map<string, Revision[]>();
  for (const { definition, changed_ms, ...row } of rows) {
    const trigger = {
      ...row,
      ...triggerSchema.parse(JSON.parse(definition)),
      changed_at: new Date(changed_ms).toISOString(),
    };
    const history = histories.get(row.trigger_id);
    if (history === undefined) histories.set(row.trigger_id, [{ trigger, changed_ms }]);
    else history.push({ trigger, changed_ms });
  }
  return histories;
}

/** The current state of a trigger. */
export function latestOf(history: History): SavedTrigger {
  const last = history.at(-1);
  if (last === undefined) throw new TypeError('A trigger without a revision is none.');
  return last.trigger;
}

/** The state of a trigger at a time; null before it was created. */
export function revisionAt(history: History, atMs: number): SavedTrigger | null {
  return history.findLast(({ changed_ms }) => changed_ms <= atMs)?.trigger ?? null;
}

/** All triggers except deleted ones, by name. */
async function listTriggers(database: Database): Promise<SavedTrigger[]> {
  return [...(await readHistories(database)).values()]
    .map(latestOf)
    .filter(({ state }) => state !== 'deleted')
    .sort((a, b) => a.name.localeCompare(b.name) || (a.trigger_id < b.trigger_id ? -1 : 1));
}

/** @throws ActionableError when there is none, or it was deleted */
export async function findTrigger(database: Database, trigger_id: string): Promise<SavedTrigger> {
  const history = (await readHistories(database)).get(trigger_id);
  const found = history === undefined ? null : latestOf(history);
  if (found === null || found.state === 'deleted')
    throw new ActionableError(`There is no trigger "${trigger_id}". List them: ctwa-ledger triggers list`);
  return found;
}

const VIEW = 'trigger_arrivals_by_landing';

/** From now on the first messages of ads are listed as they land. */
async function listArrivals(database: Database): Promise<void> {
  await database.command(
    `CREATE MATERIALIZED VIEW IF NOT EXISTS ${VIEW} TO trigger_arrivals AS
     SELECT now64(3, 'UTC') AS noted_at, phone_number_id, customer, id AS message_id
     FROM events WHERE kind = 'message' AND direction = 'inbound' AND referral_source_type != ''`,
  );
}

async function append(
  database: Database,
  { trigger_id, revision, state }: Pick<SavedTrigger, 'trigger_id' | 'revision' | 'state'>,
  definition: TriggerDefinition,
  by: string,
): Promise<void> {
  await database.command(
    `INSERT INTO triggers
     WITH (SELECT max(triggers.changed_at) FROM triggers WHERE trigger_id = {trigger_id:String}) AS latest
     SELECT {trigger_id:String}, {revision:UInt32}, {state:String}, {definition:String},
        -- Whatever the clock says, what is changed later counts as later.
        greatest(now64(3, 'UTC'), latest + toIntervalMillisecond(1)), {by:String}`,
    { trigger_id, revision, state, definition: JSON.stringify(definition), by },
  );
}

/** Runs one change at a time: two that read the same revision would both write the next one. */
async function alone<T>(database: Database, change: () => Promise<T>): Promise<T> {
  const changed = await underLease(database, 'trigger register', async () => ({ value: await change() }));
  if (changed === null) throw new ActionableError('Another change of triggers is being made. Try again in a moment.');
  return changed.value;
}

function definitionOf(saved: SavedTrigger): TriggerDefinition {
  const {
    trigger_id: _id,
    revision: _revision,
    state: _state,
    changed_at: _at,
    changed_by: _by,
    ...definition
  } = saved;
  return definition;
}

/** Saves a new trigger. It is active, and examines what arrives from now on. */
export function createTrigger(database: Database, definition: TriggerDefinition, by: string): Promise<SavedTrigger> {
  return alone(database, async () => {
    const trigger_id = randomUUID();
    // Before the trigger is in force, so that no arrival for it is missed.
    await listArrivals(database);
    await append(database, { trigger_id, revision: 1, state: 'active' }, definition, by);
    return findTrigger(database, trigger_id);
  });
}

/** Changes the conditions or receivers of a trigger. It does not fire again for what it has fired for. */
export function changeTrigger(
  database: Database,
  trigger_id: string,
  definition: TriggerDefinition,
  by: string,
): Promise<SavedTrigger> {
  return alone(database, async () => {
    const { revision, state } = await findTrigger(database, trigger_id);
    await append(database, { trigger_id, revision: revision + 1, state }, definition, by);
    return findTrigger(database, trigger_id);
  });
}

/** Pauses, resumes or deletes a trigger. It never fires for what arrives during a pause. */
export function setTriggerState(
  database: Database,
  trigger_id: string,
  state: TriggerState,
  by: string,
): Promise<SavedTrigger> {
  return alone(database, async () => {
    const found = await findTrigger(database, trigger_id);
    if (found.state === state) return found;
    await append(database, { trigger_id, revision: found.revision + 1, state }, definitionOf(found), by);
    if (state === 'deleted' && (await listTriggers(database)).length === 0)
      await database.command(`DROP VIEW IF EXISTS ${VIEW}`);
    return { ...found, state, revision: found.revision + 1 };
  });
}
