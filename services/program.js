import { readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const BUNDLES = new URL('build/', import.meta.url);
/** Everything that a bundle is made of, but for installed packages. */
const SOURCES = [new URL('.', import.meta.url), new URL('../schemas/', import.meta.url)];

function newestSource(directory) {
  let newest = 0;
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) {
      if (entry.name !== 'node_modules' && entry.name !== 'build')
        newest = Math.max(newest, newestSource(new URL(`${entry.name}/`, directory)));
    } else if (entry.name.endsWith('.ts')) newest = Math.max(newest, statSync(new URL(entry.name, directory)).mtimeMs);
  }
  return newest;
}

function isUpToDate(bundle) {
  const builtAt = statSync(bundle, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return SOURCES.every((directory) => newestSource(directory) < builtAt);
}

/**
 * Loads one of our programs: its bundle, which `npm run build` makes and which starts in a third of the time, or else its
 * source. A bundle that is older than any source is left alone, so that what was just edited is what runs.
 * @param name of the bundle
 * @param source path of the TypeScript file, relative to this one
 */
export async function loadProgram(name, source) {
  const bundle = new URL(`${name}.js`, BUNDLES);
  if (isUpToDate(fileURLToPath(bundle))) {
    process.setSourceMapsEnabled(true);
    return import(bundle.href);
  }
  const { register } = await import('tsx/esm/api');
  register();
  return import(new URL(source, import.meta.url).href);
}
