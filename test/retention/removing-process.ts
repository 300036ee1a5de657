/**
 * Removes old events in a process of its own that kills itself before a statement of the ledger. Exit code 0: it was done
 * before it came to that.
 *
 * Arguments: data directory, database, the number of the statement, from 1.
 */
import { Ledger } from '../../services/ledger/ledger.ts';
import { removeEvents } from '../../services/retention/remove.ts';
import { WABA } from '../oracle/golden/builders.ts';
import { APRIL } from './world.ts';

const [dataDir = '', name = '', fatal = ''] = process.argv.slice(2);
const ledger = await Ledger.open({
  location: { kind: 'embedded', dataDir },
  database: name,
  config: null,
  command: 'a test',
  onProgress: () => undefined,
});
const { database } = ledger;
const command = database.command.bind(database);
const insertLines = database.insertLines.bind(database);
let statements = 0;
function count(statement: string): void {
  statements += 1;
  if (statements !== Number(fatal)) return;
  process.stdout.write(statement.trim());
  process.kill(process.pid, 'SIGKILL');
}
database.command = async (sql, parameters) => {
  count(sql);
  await command(sql, parameters);
};
database.insertLines = async (table, columns, lines) => {
  if (lines.length > 0) count(`INSERT INTO ${table}`);
  await insertLines(table, columns, lines);
};
await removeEvents(ledger, { waba_id: WABA, before: '2026-02', by: 'ana' }, APRIL);
await ledger.close();
