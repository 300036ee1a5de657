import { randomUUID } from 'node:crypto';
import {
  MAX_VIEWS,
  newView,
  savedViewRow,
  viewName,
  type NewView,
  type SavedView,
} from '@ctwa-ledger/schemas/views.ts';
import type { Database } from '../clickhouse/database.ts';
import { ActionableError } from '../clickhouse/errors.ts';
import { newStamp } from '../clickhouse/stamp.ts';
import { whole } from './report.ts';

const VIEWS_IN_FORCE = 'SELECT view_id, name, toString(at) AS at, query FROM saved_views FINAL WHERE is_removed = 0';

/** All views as one value: an array of tuples, by name. */
export const VIEWS_SQL = `(SELECT arraySort(view -> (lower(view.name), view.view_id),
    groupArray(CAST((view_id, name, at, query), 'Tuple(view_id String, name String, at String, query String)')))
  FROM (${VIEWS_IN_FORCE}))`;

/** The saved views, by name. */
export function listViews(database: Database): Promise<SavedView[]> {
  return database.query(savedViewRow, `${VIEWS_IN_FORCE} ORDER BY lower(name), view_id`);
}

function write(database: Database, view: SavedView, is_removed: boolean, by: string): Promise<void> {
  return database.command(
    `INSERT INTO saved_views (view_id, version, is_removed, name, at, query, changed_by, changed_at)
     SELECT {view_id:String}, {version:UInt64}, {is_removed:UInt8}, {name:String}, {at:String}, {query:String}, {by:String}, now64(3, 'UTC')`,
    { ...view, version: newStamp().toString(), is_removed: is_removed ? 1 : 0, by },
  );
}

async function viewOf(database: Database, view_id: string): Promise<SavedView> {
  const view = (await listViews(database)).find((one) => one.view_id === view_id);
  if (view === undefined)
    throw new ActionableError(`There is no view ${view_id}: somebody may have removed it. Load the page again.`);
  return view;
}

/**
 * Saves a view. The same name on the same page replaces the view that had it.
 * @throws ActionableError when its name or address cannot be kept, or there are too many views
 */
export async function saveView(database: Database, given: NewView, by: string): Promise<SavedView> {
  const read = newView.safeParse(given);
  if (!read.success)
    throw new ActionableError(`The view was not saved: ${read.error.issues.map(({ message }) => message).join('; ')}.`);
  const known = await listViews(database);
  const same = known.find(({ name, at }) => at === read.data.at && name.toLowerCase() === read.data.name.toLowerCase());
  if (same === undefined && known.length >= MAX_VIEWS)
    throw new ActionableError(`There are ${MAX_VIEWS} saved views already. Remove one that is not needed.`);
  const view = { view_id: same?.view_id ?? randomUUID(), ...read.data };
  await write(database, view, false, by);
  return view;
}

/** @throws ActionableError when there is no such view, or the name cannot be kept */
export async function renameView(database: Database, view_id: string, name: string, by: string): Promise<void> {
  const read = viewName.safeParse(name);
  if (!read.success)
    throw new ActionableError(
      `The view was not renamed: ${read.error.issues.map(({ message }) => message).join('; ')}.`,
    );
  await write(database, { ...(await viewOf(database, view_id)), name: read.data }, false, by);
}

/** @throws ActionableError when there is no such view */
export async function removeView(database: Database, view_id: string, by: string): Promise<void> {
  await write(database, await viewOf(database, view_id), true, by);
}

export const savedViewsReport = whole({
  name: 'saved-views',
  one_row_per: 'saved view of a page, by name',
  row: savedViewRow,
  days: 'none',
  filters: [],
  settles: [],
  reads: ['saved_views'],
  key: ['view_id'],
  rows: listViews,
});
