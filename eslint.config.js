import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';

/** Rooms that put others together: nothing but themselves and `cli` looks at them. */
const OUTERMOST = ['http', 'product', 'sample', 'simulate', 'cli'];
/** What stands on the ledger and its marks. */
const ABOVE_MARKS = ['rating', 'spend', 'reports', 'periods', 'ingest', 'kafka', 'exports', ...OUTERMOST];

/** The arrows between the rooms (see README): what each room must not import. */
const forbidden = {
  schemas: ['services', 'dashboard'],
  'services/lifecycle': ['ledger', ...ABOVE_MARKS],
  'services/ledger': ABOVE_MARKS,
  'services/files': ABOVE_MARKS,
  'services/rating': ABOVE_MARKS.filter((room) => room !== 'rating'),
  'services/spend': ABOVE_MARKS.filter((room) => room !== 'spend'),
  'services/reports': ['periods', 'ingest', 'kafka', 'exports', ...OUTERMOST],
  'services/periods': ['ingest', 'kafka', ...OUTERMOST],
  'services/ingest': ['rating', 'spend', 'reports', 'periods', 'kafka', 'exports', ...OUTERMOST],
  'services/kafka': ['rating', 'spend', 'reports', 'periods', 'exports', ...OUTERMOST],
  'services/exports': ['periods', 'ingest', 'kafka', ...OUTERMOST],
  'services/simulate': ['ledger', ...ABOVE_MARKS.filter((room) => room !== 'simulate')],
  'services/sample': ['reports', 'periods', 'ingest', 'kafka', 'exports', 'http', 'product', 'cli'],
  'services/http': ['periods', 'product', 'sample', 'simulate', 'cli'],
  'services/product': ['cli'],
  dashboard: ['services', 'lifecycle', 'ledger', ...ABOVE_MARKS],
};

export default ts.config(
  { ignores: ['**/node_modules/', 'dashboard/build/', '**/.svelte-kit/', '.data/'] },
  js.configs.recommended,
  ...ts.configs.strict,
  ...svelte.configs.recommended,
  { languageOptions: { globals: { ...globals.node, ...globals.browser } } },
  {
    files: ['schemas/**/*.ts', 'services/**/*.ts', 'test/**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser } },
  },
  {
    rules: {
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  {
    // A test that meets an undefined it did not expect fails there, which is what it is for.
    files: ['test/**/*.ts'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off', '@typescript-eslint/no-dynamic-delete': 'off' },
  },
  ...Object.entries(forbidden).map(([room, others]) => ({
    files: [`${room}/**/*.ts`, `${room}/**/*.svelte`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: others.map((other) => ({
            regex: `^(\\.\\./)+${other}/|^@ctwa-ledger/services/${other}/|^@ctwa-ledger/${other}/|^(\\.\\./)+${other}$`,
            message: `${room} does not know ${other}: keep the arrows one way.`,
          })),
        },
      ],
    },
  })),
);
