import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';

/** The arrows between the rooms (see README): what each room must not import. */
const forbidden = {
  schemas: ['services', 'dashboard'],
  'services/lifecycle': [
    'ledger',
    'rating',
    'kafka',
    'reports',
    'ingest',
    'exports',
    'http',
    'product',
    'sample',
    'simulate',
    'cli',
  ],
  'services/ledger': [
    'rating',
    'kafka',
    'reports',
    'ingest',
    'exports',
    'http',
    'product',
    'sample',
    'simulate',
    'cli',
  ],
  'services/rating': ['kafka', 'reports', 'ingest', 'exports', 'http', 'product', 'sample', 'simulate', 'cli'],
  'services/reports': ['kafka', 'ingest', 'exports', 'http', 'product', 'sample', 'simulate', 'cli'],
  'services/ingest': ['kafka', 'reports', 'exports', 'http', 'product', 'sample', 'simulate', 'cli'],
  'services/kafka': ['reports', 'exports', 'http', 'product', 'sample', 'simulate', 'cli'],
  'services/exports': ['kafka', 'ingest', 'http', 'product', 'sample', 'simulate', 'cli'],
  'services/simulate': ['kafka', 'ledger', 'reports', 'ingest', 'exports', 'http', 'product', 'sample', 'cli'],
  'services/sample': ['kafka', 'reports', 'ingest', 'exports', 'http', 'product', 'cli'],
  'services/http': ['product', 'sample', 'simulate', 'cli'],
  'services/product': ['cli'],
  dashboard: [
    'services',
    'kafka',
    'ledger',
    'lifecycle',
    'ingest',
    'exports',
    'http',
    'product',
    'sample',
    'simulate',
    'cli',
  ],
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
