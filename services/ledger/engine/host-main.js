import { register } from 'tsx/esm/api';

register();
const { runEngineHost } = await import('./host.ts');
const [dataDir, idleSeconds] = process.argv.slice(2);
try {
  await runEngineHost(dataDir, Number(idleSeconds));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
