/**
 * Writes off a difference, and undoes it where it is asked to, in a process of its own that kills itself before a statement
 * of the ledger. Exit code 0: it was done before it came to that.
 *
 * Arguments: data directory, database, account, the key of the row, the id of a write-off to undo or nothing, the number of
 * the statement, from 1.
 */
import { makeWriteOff, undoWriteOff } from '../../services/reconciliation/write-off-register.ts';
import { killedBefore } from '../support/killed-before.ts';

const [dataDir = '', name = '', waba_id = '', row = '', undone = '', fatal = ''] = process.argv.slice(2);
const by = 'ana';
const note = 'killed or not';
await killedBefore({ dataDir, name, fatal }, ({ database }) =>
  undone === ''
    ? makeWriteOff(database, { waba_id, month: '2026-10', rows: [row], reason: 'immaterial', note, by })
    : undoWriteOff(database, undone, { action: 'undo', by, note }),
);
