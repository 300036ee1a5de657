import type { ExportDefinition, ExportSchedule } from '@ctwa-ledger/schemas/exports.ts';
import type { Database } from '../clickhouse/database.ts';
import { ActionableError } from '../clickhouse/errors.ts';
import {
  addSchedule,
  BY_CONFIGURATION,
  changeSchedule,
  checkedDefinition,
  folderOf,
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
 * Checks that no schedule of a configuration file has the name or the folder of another one: their files would replace
 * each other.
 * @param others schedules that somebody made otherwise
 */
function checkApart(definitions: readonly ExportDefinition[], others: readonly ExportSchedule[]): void {
  for (const [at, definition] of definitions.entries()) {
    const { name } = definition;
    const namesake = others.find((schedule) => schedule.definition.name === name);
    if (namesake !== undefined)
      throw new ActionableError(
        `The configuration file lists the export "${name}", but ${namesake.made_by} has added one of that name. Rename one of them, or remove the other with "ctwa-ledger exports remove ${name}".`,
      );
    const earlier = definitions.slice(0, at);
    if (earlier.some((other) => other.name === name))
      throw new ActionableError(`The configuration file lists two exports "${name}". Rename one of them.`);
    const folder = folderOf(definition);
    const neighbour = [...earlier, ...others.map((schedule) => schedule.definition)].find(
      (other) => folderOf(other) === folder,
    );
    if (neighbour !== undefined)
      throw new ActionableError(
        `The configuration file puts the files of the export "${name}" into the folder ${folder}, which is that of "${neighbour.name}". Give one of them another folder.`,
      );
  }
}

/**
 * Makes the schedules of a configuration file those of the ledger: adds, changes and removes what the file once gave. A
 * paused schedule stays paused. Schedules that somebody made otherwise stay as they are.
 * @throws ActionableError for a definition that cannot be exported, or a name or folder that another schedule has;
 * nothing is changed then
 */
export async function applyConfigured(
  database: Database,
  given: readonly ExportDefinition[],
  nowSeconds: number,
): Promise<void> {
  const definitions = given.map((definition) => checkedDefinition(definition, nowSeconds));
  const schedules = await listSchedules(database);
  checkApart(
    definitions,
    schedules.filter(({ made_by }) => made_by !== BY_CONFIGURATION),
  );
  // First, so that a name or a folder that the file gives to another schedule is free.
  for (const schedule of schedules)
    if (schedule.made_by === BY_CONFIGURATION && !definitions.some(({ name }) => name === schedule.definition.name))
      await removeConfigured(database, schedule);
  for (const definition of definitions) {
    const known = schedules.find((schedule) => schedule.definition.name === definition.name);
    if (known === undefined) await addSchedule(database, definition, BY_CONFIGURATION, nowSeconds);
    else if (!isSame(known.definition, definition)) await changeSchedule(database, known, definition);
  }
}
