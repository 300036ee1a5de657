import type { ExportDefinition } from '@ctwa-ledger/schemas/exports.ts';
import type { Database } from '../clickhouse/database.ts';
import { ActionableError } from '../clickhouse/errors.ts';
import {
  addSchedule,
  BY_CONFIGURATION,
  changeSchedule,
  checkedDefinition,
  listSchedules,
  removeConfigured,
} from './schedules.ts';

/** Whether a stored definition is the one that a configuration file gives. */
function isSame(one: ExportDefinition, other: ExportDefinition): boolean {
  const text = (definition: ExportDefinition): string =>
    JSON.stringify(Object.entries(definition).sort(([a], [b]) => (a < b ? -1 : 1)));
  return text(one) === text(other);
}

/**
 * Makes the schedules of a configuration file those of the ledger: adds, changes and removes what the file once gave. A
 * paused schedule stays paused. Schedules that somebody made otherwise stay as they are.
 * @throws ActionableError for a definition that cannot be exported, or a name that somebody else's schedule has
 */
export async function applyConfigured(
  database: Database,
  given: readonly ExportDefinition[],
  nowSeconds: number,
): Promise<void> {
  const definitions = given.map((definition) => checkedDefinition(definition, nowSeconds));
  const schedules = await listSchedules(database);
  // First, so that a name or a folder that the file gives to another schedule is free.
  for (const schedule of schedules)
    if (schedule.made_by === BY_CONFIGURATION && !definitions.some(({ name }) => name === schedule.definition.name))
      await removeConfigured(database, schedule);
  for (const definition of definitions) {
    const known = schedules.find((schedule) => schedule.definition.name === definition.name);
    if (known === undefined) await addSchedule(database, definition, BY_CONFIGURATION, nowSeconds);
    else if (known.made_by !== BY_CONFIGURATION)
      throw new ActionableError(
        `The configuration file lists the export "${definition.name}", but ${known.made_by} has added one of that name. Rename one of them, or remove the other with "ctwa-ledger exports remove ${definition.name}".`,
      );
    else if (!isSame(known.definition, definition)) await changeSchedule(database, known, definition);
  }
}
