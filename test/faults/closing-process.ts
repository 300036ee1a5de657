/**
 * Closes October 2026 of an account in a process of its own, and kills itself before a statement of the ledger. Exit code 0:
 * it closed the month before it came to that.
 *
 * Arguments: data directory, database, account, the number of the statement, from 1.
 */
import { Ledger } from '../../services/ledger/ledger.ts';
import { closePeriod } from '../../services/periods/periods.ts';

const [dataDir = '', name = '', waba_id = '', fatal = ''] = process.argv.slice(2);
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
await closePeriod(database, { waba_id, month: '2026-10', by: 'ana', accept: true, note: 'killed or not' }, Date.now);
database.command = command;
await ledger.close();
