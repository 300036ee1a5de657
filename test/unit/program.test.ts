import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const made: string[] = [];

afterEach(() => {
  for (const path of made.splice(0)) rmSync(path, { recursive: true });
});

/** A tree with one program; each file has the time, in seconds, that is given with it. */
function loadedFrom(times: Readonly<Record<string, number>>): string {
  const root = mkdtempSync(join(tmpdir(), 'ctwa-program-'));
  made.push(root);
  const texts: Readonly<Record<string, string>> = {
    'services/cli/main.ts': "export const from: string = 'source';",
    'services/build/main.js': "export const from = 'bundle';",
    'schemas/json.ts': 'export type Json = unknown;',
  };
  for (const [path, time] of Object.entries(times)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), texts[path]!);
    utimesSync(join(root, path), time, time);
  }
  writeFileSync(join(root, 'package.json'), '{"type":"module"}');
  copyFileSync(join(ROOT, 'services/program.js'), join(root, 'services/program.js'));
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  const script =
    "const { loadProgram } = await import('./services/program.js');" +
    "console.log((await loadProgram('main', './cli/main.ts')).from);";
  const run = spawnSync(process.execPath, ['--input-type=module', '--eval', script], { cwd: root, encoding: 'utf8' });
  return run.stdout.trim() || run.stderr;
}

describe('a program is loaded from', () => {
  it.each([
    ['bundle', 'the bundle where it is the newest', { source: 10, schema: 20, bundle: 30 }],
    ['source', 'its source where that was edited since', { source: 40, schema: 20, bundle: 30 }],
    ['source', 'its source where a schema was edited since', { source: 10, schema: 40, bundle: 30 }],
    ['source', 'its source where both are of the same moment', { source: 10, schema: 30, bundle: 30 }],
    ['source', 'its source where nothing was built', { source: 10, schema: 20, bundle: null }],
  ])('%s: %s', (expected, _, { source, schema, bundle }) => {
    const times = { 'services/cli/main.ts': source, 'schemas/json.ts': schema };
    expect(loadedFrom(bundle === null ? times : { ...times, 'services/build/main.js': bundle })).toBe(expected);
  });
});
