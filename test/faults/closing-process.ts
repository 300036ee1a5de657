/**
 * Closes October 2026 of an account in a process of its own, and kills itself before a statement of the ledger. Exit code 0:
 * it closed the month before it came to that.
 *
 * Arguments: data directory, database, account, the number of the statement, from 1.
 */
import { closePeriod } from '../../services/periods/periods.ts';
import { killedBefore } from '../support/killed-before.ts';

const [dataDir = '', name = '', waba_id = '', fatal = ''] = process.argv.slice(2);
await killedBefore({ dataDir, name, fatal }, ({ database }) =>
  closePeriod(database, { waba_id, month: '2026-10', by: 'ana', accept: true, note: 'killed or not' }, Date.now),
);
