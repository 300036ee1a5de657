/** Catches up the scheduled exports of a ledger, to be killed meanwhile: `node … DATA_DIR DIRECTORY NOW`. */
import { Exports } from '../../services/exports/runner.ts';
import { Ledger } from '../../services/ledger/ledger.ts';

const [dataDir = '', directory = '', now = ''] = process.argv.slice(2);
const ledger = await Ledger.openExisting({
  location: { kind: 'embedded', dataDir },
  database: 'ctwa_ledger',
  command: 'a test',
});
process.stdout.write('begun\n');
await new Exports({ ledger, directory, onRun: () => undefined }).runDue(Number(now), () => false);
await ledger.close();
