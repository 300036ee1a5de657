import { buildDashboard, buildServices, installPackages, ROOT } from './prepare.js';

installPackages();
buildServices();
buildDashboard();
process.chdir(ROOT);
// In this same process, so that Ctrl-C reaches the server itself.
process.argv = [...process.argv.slice(0, 2), 'start', ...process.argv.slice(2).filter((word) => word !== '--verbose')];
await import('../services/cli/ctwa-ledger.js');
