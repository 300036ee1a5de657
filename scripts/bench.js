import { buildDashboard, buildServices, installPackages, ROOT } from './prepare.js';

installPackages();
buildServices();
buildDashboard();
process.chdir(ROOT);
const { register } = await import('tsx/esm/api');
register();
const benches = {
  ledger: '../test/bench/bench.ts',
  kafka: '../test/bench/kafka.ts',
  rating: '../test/bench/rating.ts',
  pages: '../test/bench/pages.ts',
  reconciliation: '../test/bench/reconciliation.ts',
  webhook: '../test/bench/webhook.ts',
  'send-check': '../test/bench/send-check.ts',
  exports: '../test/bench/exports.ts',
  triggers: '../test/bench/triggers.ts',
};
const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !(name in benches));
if (unknown !== undefined) {
  process.stderr.write(`There is no bench "${unknown}"; there are ${Object.keys(benches).join(', ')}.\n`);
  process.exit(2);
}
for (const name of wanted.length > 0 ? wanted : Object.keys(benches)) await import(benches[name]);
