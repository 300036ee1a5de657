/**
 * Erases a customer in a process of its own that kills itself before a statement of the ledger. Exit code 0: it was done
 * before it came to that.
 *
 * Arguments: data directory, database, customer, the number of the statement, from 1.
 */
import { eraseCustomer } from '../../services/erasure/erase.ts';
import { killedBefore } from '../support/killed-before.ts';

const [dataDir = '', name = '', customer = '', fatal = ''] = process.argv.slice(2);
await killedBefore({ dataDir, name, fatal }, ({ database }) =>
  eraseCustomer(database, { customer, phone_number_id: '', by: 'ana' }),
);
