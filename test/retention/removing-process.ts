/**
 * Removes old events in a process of its own that kills itself before a statement of the ledger. Exit code 0: it was done
 * before it came to that.
 *
 * Arguments: data directory, database, the number of the statement, from 1.
 */
import { removeEvents } from '../../services/retention/remove.ts';
import { WABA } from '../oracle/golden/builders.ts';
import { APRIL } from './world.ts';
import { killedBefore } from '../support/killed-before.ts';

const [dataDir = '', name = '', fatal = ''] = process.argv.slice(2);
await killedBefore({ dataDir, name, fatal }, (ledger) =>
  removeEvents(ledger, { waba_id: WABA, before: '2026-02', by: 'ana' }, APRIL),
);
