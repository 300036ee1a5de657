import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Linter } from 'eslint';
import { describe, expect, it } from 'vitest';
import { circleOf, rooms, ROOMS } from '../../scripts/lint/rooms.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** What the arrows between the rooms say of a text in a file. */
function refusals(path: string, text: string): string[] {
  const linter = new Linter({ cwd: ROOT });
  const config: Linter.Config = { files: ['**/*.ts'], plugins: { rooms }, rules: { 'rooms/arrows': 'error' } };
  return linter.verify(text, [config], { filename: `${ROOT}${path}` }).map(({ message }) => message);
}

describe('an import', () => {
  it.each([
    ['services/rating/a.ts', "import '../imports/rows.ts';"],
    ['services/rating/a.ts', "import './places.ts';"],
    ['services/rating/a.ts', "import '@ctwa-ledger/schemas/event.ts';"],
    ['services/ledger/threads/a.ts', "import '../marks/marks.ts';"],
    ['services/lifecycle/policies/a.ts', "import '../marks.ts';"],
    ['services/cli/commands/a.ts', "import '../../processes/serve.ts';"],
    ['test/unit/a.ts', "import '../../services/cli/main.ts';"],
  ])('from a room below is allowed: %s, %s', (path, text) => {
    expect(refusals(path, text)).toEqual([]);
  });

  it.each([
    ['services/rating/a.ts', "import '../reports/messages.ts';", 'rating does not import reports'],
    ['services/rating/a.ts', "import '@ctwa-ledger/services/reports/messages.ts';", 'rating does not import reports'],
    ['services/ledger/marks/a.ts', "import '../threads/threads.ts';", 'ledger/marks does not import ledger/threads'],
    ['services/ledger/events/a.ts', "import '../ledger.ts';", 'ledger/events does not import ledger'],
    [
      'services/lifecycle/policies/a.ts',
      "import '../../clickhouse/errors.ts';",
      'lifecycle does not import clickhouse',
    ],
    ['services/reports/a.ts', "await import('../cli/main.ts');", 'reports does not import cli'],
    ['services/reports/a.ts', "export { main } from '../cli/main.ts';", 'reports does not import cli'],
    ['dashboard/src/lib/a.ts', "import '../../../services/reports/messages.ts';", 'dashboard does not import reports'],
    ['schemas/a.ts', "import '../services/lifecycle/windows.ts';", 'schemas does not import lifecycle'],
    ['services/attic/a.ts', "import '../reports/messages.ts';", 'does not say what attic may import'],
  ])('from a room that is not named is refused: %s, %s', (path, text, message) => {
    expect(refusals(path, text)).toEqual([expect.stringContaining(message)]);
  });
});

describe('a circle of files', () => {
  it('is told with everything that it goes through', () => {
    const imports = new Map([
      ['a.ts', ['b.ts', 'c.ts']],
      ['b.ts', ['d.ts']],
      ['c.ts', []],
      ['d.ts', ['a.ts']],
    ]);
    expect(circleOf('a.ts', imports)).toEqual(['a.ts', 'b.ts', 'd.ts', 'a.ts']);
    expect(circleOf('c.ts', imports)).toBeNull();
    expect(circleOf('e.ts', new Map([['e.ts', ['e.ts']]]))).toEqual(['e.ts', 'e.ts']);
  });
});

describe('the table of rooms in docs/architecture.md', () => {
  it('says of each room what lint lets it import', () => {
    const text = readFileSync(`${ROOT}docs/architecture.md`, 'utf8');
    const rows = [...text.matchAll(/^\| `(?:services\/)?([a-z/-]+)\/` \| .* \| (.*) \|$/gm)];
    const told = rows.map(
      ([, room = '', others = '']) => [room, others === 'nothing of ours' ? [] : others.split(', ')] as const,
    );
    const allowed = [...ROOMS].map(([room, others]) => [room, others] as const);
    expect(Object.fromEntries(told.filter(([room]) => room !== 'sql' && room !== 'test'))).toEqual(
      Object.fromEntries(allowed),
    );
  });
});
