import { installPackages, buildDashboard, ROOT } from './prepare.js';

installPackages();
buildDashboard();
process.chdir(ROOT);
const { register } = await import('tsx/esm/api');
register();
await import('../test/bench/bench.ts');
