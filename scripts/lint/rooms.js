/**
 * The rooms and the arrows between them (docs/architecture.md, Rooms) as rules of ESLint: a file imports from its own
 * room and from those that its room names, and no file reaches itself by what it imports.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** What each room may import besides itself. A room names only rooms above it here: so there is no circle of rooms. */
const MAY_IMPORT = {
  schemas: '',
  clickhouse: '',
  lifecycle: 'schemas',
  simulate: 'schemas',
  dashboard: 'schemas',
  imports: 'schemas clickhouse',
  'ledger/configuration': 'schemas clickhouse lifecycle',
  'ledger/events': 'schemas clickhouse',
  'ledger/derived': 'clickhouse',
  'ledger/marks': 'schemas clickhouse lifecycle ledger/events ledger/derived',
  'ledger/threads': 'schemas clickhouse ledger/events ledger/marks',
  ledger: 'schemas clickhouse lifecycle ledger/configuration ledger/events ledger/marks ledger/threads',
  rating: 'schemas clickhouse lifecycle imports ledger/configuration ledger/derived',
  spend: 'schemas clickhouse imports',
  outcomes: 'schemas clickhouse imports ledger/events',
  reports:
    'schemas clickhouse lifecycle imports ledger ledger/configuration ledger/events ledger/derived rating spend outcomes',
  reconciliation: 'schemas clickhouse lifecycle imports ledger/configuration rating reports',
  'send-check': 'schemas clickhouse lifecycle imports ledger/configuration ledger/events ledger/threads rating',
  triggers: 'schemas clickhouse lifecycle ledger/configuration ledger/events ledger/threads spend send-check',
  catalogue: 'schemas clickhouse reports reconciliation',
  exports: 'schemas clickhouse ledger ledger/configuration ledger/derived rating reports catalogue',
  erasure: 'schemas clickhouse ledger/events ledger/threads rating catalogue exports',
  retention: 'schemas clickhouse ledger ledger/configuration ledger/events reports',
  periods: 'schemas clickhouse ledger/configuration rating reports reconciliation catalogue exports',
  drift: 'schemas clickhouse ledger/configuration rating reconciliation triggers catalogue',
  sample: 'schemas clickhouse simulate ledger ledger/configuration ledger/events ledger/derived rating spend',
  ingest: 'schemas clickhouse ledger ledger/events',
  kafka: 'schemas clickhouse ledger ledger/events ledger/marks ingest',
  http: 'schemas clickhouse ledger ingest kafka reports triggers catalogue exports',
  pages:
    'schemas clickhouse imports ledger ledger/configuration ledger/events rating spend outcomes reports reconciliation send-check triggers catalogue exports periods sample ingest',
  processes:
    'schemas clickhouse ledger ledger/configuration ledger/events ledger/derived rating triggers exports retention drift ingest kafka http pages',
  cli: 'schemas clickhouse simulate imports ledger ledger/configuration ledger/events ledger/derived rating spend outcomes reports reconciliation send-check triggers catalogue exports erasure retention periods sample ingest kafka processes',
};

/** @type {ReadonlyMap<string, readonly string[]>} */
export const ROOMS = new Map(
  Object.entries(MAY_IMPORT).map(([room, others]) => [room, others.split(' ').filter((other) => other !== '')]),
);

const above = new Set();
for (const [room, others] of ROOMS) {
  for (const other of others)
    if (!above.has(other)) throw new Error(`${room} names ${other}, which does not stand above it: a circle of rooms`);
  above.add(room);
}

/** The room of a file; undefined for what is in none, as tests and scripts are. */
function roomOf(path) {
  const [first, ...rest] = path.split('/');
  if (first === 'schemas' || first === 'dashboard') return first;
  if (first !== 'services' || rest.length < 2) return undefined;
  return ROOMS.has(`${rest[0]}/${rest[1]}`) ? `${rest[0]}/${rest[1]}` : rest[0];
}

/** The file of ours that an import names, from the root of the repository; undefined for a package. */
function fileNamed(specifier, importer) {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(importer), specifier);
  if (specifier.startsWith('$lib/')) return `dashboard/src/lib/${specifier.slice('$lib/'.length)}`;
  return /^@ctwa-ledger\/(.+)$/.exec(specifier)?.[1];
}

function fromRoot(file) {
  return relative(ROOT, file).split(sep).join('/');
}

const IMPORT = /(?:\bfrom|\bimport|\bimport\()\s*['"]([^'"]+)['"]/g;

function readImports() {
  const imports = new Map();
  for (const part of ['schemas', 'services', 'dashboard/src'])
    for (const entry of readdirSync(join(ROOT, part), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !/\.(?:js|svelte|ts)$/.test(entry.name)) continue;
      const path = fromRoot(join(entry.parentPath, entry.name));
      const text = readFileSync(join(ROOT, path), 'utf8');
      imports.set(
        path,
        [...text.matchAll(IMPORT)].flatMap(([, specifier]) => fileNamed(specifier, path) ?? []),
      );
    }
  return imports;
}

/** By which files a file imports itself; null when it does not. */
export function circleOf(path, imports) {
  const cameFrom = new Map();
  const waiting = [path];
  for (let at = waiting.shift(); at !== undefined; at = waiting.shift())
    for (const next of imports.get(at) ?? []) {
      if (next === path) {
        const circle = [path];
        for (let back = at; back !== path; back = cameFrom.get(back)) circle.unshift(back);
        return [path, ...circle];
      }
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, at);
      waiting.push(next);
    }
  return null;
}

let imports = null;

/** Calls `see` with each node of a file that imports, and with what it imports. */
function forEachImport(see) {
  const seen = (node) => {
    if (typeof node.source?.value === 'string') see(node.source, node.source.value);
  };
  return { ImportDeclaration: seen, ExportNamedDeclaration: seen, ExportAllDeclaration: seen, ImportExpression: seen };
}

export const rooms = {
  rules: {
    arrows: {
      create(context) {
        const path = fromRoot(context.filename);
        const room = roomOf(path);
        if (room === undefined) return {};
        const allowed = ROOMS.get(room);
        if (allowed === undefined)
          return {
            Program: (node) =>
              context.report({ node, message: `scripts/lint/rooms.js does not say what ${room} may import.` }),
          };
        return forEachImport((node, specifier) => {
          const other = roomOf(fileNamed(specifier, path) ?? '');
          if (other !== undefined && other !== room && !allowed.includes(other))
            context.report({ node, message: `${room} does not import ${other} (scripts/lint/rooms.js).` });
        });
      },
    },
    'no-circle': {
      create(context) {
        const path = fromRoot(context.filename);
        return {
          Program(node) {
            imports ??= readImports();
            const circle = circleOf(path, imports);
            if (circle !== null) context.report({ node, message: `This file imports itself: ${circle.join(' → ')}.` });
          },
        };
      },
    },
  },
};
