import { loadProgram } from '../../program.js';

const [dataDir, idleSeconds] = process.argv.slice(2);
try {
  const { runEngineHost } = await loadProgram('host', './clickhouse/engine/host.ts');
  await runEngineHost(dataDir, Number(idleSeconds));
} catch (error) {
  const isMissing = error instanceof Error && error.code === 'ERR_MODULE_NOT_FOUND' && error.message.includes("'chdb'");
  process.stderr.write(
    isMissing
      ? 'this installation is without it; name a server in CLICKHOUSE_URL\n'
      : `${error instanceof Error ? error.message : String(error)}\n`,
  );
  process.exit(1);
}
