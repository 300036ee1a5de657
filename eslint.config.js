import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';
import { rooms } from './scripts/lint/rooms.js';

export default ts.config(
  { ignores: ['**/node_modules/', 'dashboard/build/', 'services/build*/', '**/.svelte-kit/', '.data/'] },
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
  {
    files: ['schemas/**/*.ts', 'services/**/*.{js,ts}', 'dashboard/src/**/*.{js,svelte,ts}'],
    plugins: { rooms },
    rules: { 'rooms/arrows': 'error', 'rooms/no-circle': 'error' },
  },
  {
    // The rules are pure: what they say depends on events and the moment that is asked about, on nothing else.
    files: ['services/lifecycle/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [{ regex: '^(?!\\.|@ctwa-ledger/|(?:luxon|zod)$)', message: 'The rules do no I/O.' }] },
      ],
      'no-restricted-globals': ['error', 'Date', 'globalThis', ...Object.keys(globals.node)],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random' },
        ...['local', 'now', 'utc'].map((property) => ({ object: 'DateTime', property })),
      ],
    },
  },
);
