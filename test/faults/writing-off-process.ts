/**
 * Writes off a difference, and undoes it where it is asked to, in a process of its own that kills itself before a statement
 * of the ledger. Exit code 0: it was done before it came to that.
 *
 * Arguments: data directory, database, account, the key of the row, the id of a write-off to undo or nothing, the number of
 * the statement, from 1.
 */
import { Ledger } from '../../services/ledger/ledger.ts';
import { makeWriteOff, undoWriteOff } from '../../services/reconciliation/write-off-register.ts';

const [dataDir = '', name = '', waba_id = '', row = '', undone = '', fatal = ''] = process.argv.slice(2);
const ledger = await Ledger.open({
  location: { kind: 'embedded', dataDir },
  database: name,
  config: null,
  command: 'a test',
  onProgress: () => undefined,
});
const { database } = ledger;
const command = database.command.bind(database);
let statements = 0;
database.command = async (sql, parameters) => {
  statements += 1;
  if (statements === Number(fatal)) {
    process.stdout.write(sql.trim());
    process.kill(process.pid, 'SIGKILL');
  }
  await command(sql, parameters);
};
const by = 'ana';
if (undone === '')
  await makeWriteOff(database, {
    waba_id,
    month: '2026-10',
    rows: [row],
    reason: 'immaterial',
    note: 'killed or not',
    by,
  });
else await undoWriteOff(database, undone, { action: 'undo', by, note: 'killed or not' });
database.command = command;
await ledger.close();
