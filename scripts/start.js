import { buildDashboard, buildServices, installPackages, ROOT } from './prepare.js';

installPackages();
buildServices();
buildDashboard();
process.chdir(ROOT);
// In this same process, so that Ctrl-C reaches the server itself.
process.argv.splice(2, 0, 'start');
await import('../services/cli/ctwa-ledger.js');
