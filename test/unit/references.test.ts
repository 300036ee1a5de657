import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { NARROWINGS } from '@ctwa-ledger/schemas/asked.ts';
import { MENU } from '../../dashboard/src/lib/navigation/pages.ts';
import { REPORTS, reportOf } from '../../services/catalogue/catalogue.ts';
import { ACCOUNTS_COLUMNS } from '../../services/reports/accounts.ts';
import { CHARGES_COLUMNS } from '../../services/reports/charges.ts';
import { AD_CONVERSATIONS_COLUMNS } from '../../services/reports/conversations.ts';
import { DEAD_LETTERS_COLUMNS } from '../../services/reports/health.ts';
import { MISMATCHED_MESSAGES_COLUMNS } from '../../services/reports/mismatches.ts';
import { CONVERSATIONS_COLUMNS } from '../../services/reports/entries.ts';
import { MESSAGES_COLUMNS } from '../../services/reports/messages.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Where code, tests, statements and pages lie. */
const PARTS = ['dashboard/src', 'deploy', 'schemas', 'scripts', 'services', 'sql', 'test'];
const SOURCE = /\.(?:js|sql|svelte|ts|xml|ya?ml)$/;
/** What is made or installed, and this file: it names rules that must not be found. */
const PASSED_OVER = /(?:^|\/)(?:node_modules|build|\.svelte-kit|\.data)(?:\/|$)|references\.test\.ts$/;

function filesIn(folder: string, wanted: RegExp): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '.' ? entry.name : `${folder}/${entry.name}`;
    if (PASSED_OVER.test(path)) return [];
    if (entry.isDirectory()) return folder === '.' ? [] : filesIn(path, wanted);
    return wanted.test(path) ? [path] : [];
  });
}

function textOf(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

const sources = [...PARTS.flatMap((part) => filesIn(part, SOURCE)), ...filesIn('.', SOURCE)];
const documents = [...filesIn('.', /\.md$/), ...filesIn('docs', /\.md$/)];

type Document = 'rules' | 'contract';

/** A number of a rule, or of a section of a document. */
interface Reference {
  readonly document: Document;
  readonly number: string;
}

/** `F2`, `V1a`, `3.1` or `6`. */
const NUMBER = /[FWVM]\d+[a-z]?|\d+(?:\.\d+)?/;
const OF_A_RULE = /^[FWVM]/;
/** Numbers that stand together: `W3, W5`, `2 and 3`, `1 to 4`. */
const NUMBERS = new RegExp(`(?:${NUMBER.source})(?:(?:,? and |, | to )(?:${NUMBER.source})(?![\\w-]))*`);

function numbersIn(text: string): string[] {
  return text.match(new RegExp(NUMBER, 'g')) ?? [];
}

/** The comments of a text, whatever language it is in. An address in a text is no comment. */
function commentsIn(text: string, path: string): string {
  const comment = path.endsWith('.sql')
    ? /--.*$/gm
    : /\/\*[\s\S]*?\*\/|(?<![:'"`\w])\/\/.*$|<!--[\s\S]*?-->|(?<=^|\s)#\s.*$/gm;
  return (text.match(comment) ?? []).join('\n').replaceAll(/\s*\n\s*(?:\*|\/\/|--)?\s*/g, ' ');
}

/** What a golden case or a definition names as its rule: `W3, W5`, `3, contract 5`, `section 6, rules W3 and W4`. */
function namedRules(text: string): Reference[] {
  let document: Document = 'rules';
  const found: Reference[] = [];
  for (const word of text.match(new RegExp(`contract|${NUMBER.source}`, 'g')) ?? [])
    if (word === 'contract') document = 'contract';
    else found.push({ document: OF_A_RULE.test(word) ? 'rules' : document, number: word });
  return found;
}

/** Everything in a source text that names a rule or a section. */
function referencesIn(text: string, path: string): Reference[] {
  const comments = commentsIn(text, path);
  const rules = (numbers: readonly string[]): Reference[] =>
    numbers.map((number) => ({ document: 'rules' as const, number }));
  const named = [...text.matchAll(new RegExp(`(rules|contract)\\.md (${NUMBERS.source})`, 'g'))].flatMap(
    ([, document = '', numbers = '']) =>
      numbersIn(numbers).map((number) => ({ document: document as Document, number })),
  );
  const sections = comments.match(new RegExp(`\\b[Ss]ections? (?:${NUMBERS.source})`, 'g')) ?? [];
  return [
    ...named,
    ...rules(comments.match(/(?<![\w.-])[FWVM]\d+[a-z]?(?![\w-])/g) ?? []),
    ...rules(sections.flatMap(numbersIn)),
    // As pages and sentences print them.
    ...rules([...text.matchAll(/\(([FWVM]\d+[a-z]?)\)/g)].map(([, number = '']) => number)),
    ...rules([...text.matchAll(/\(rule ([FWVM]\d+[a-z]?)\)/g)].map(([, number = '']) => number)),
    ...[...text.matchAll(/\brules?: (['"`])(.*?)\1/g)].flatMap(([, , what = '']) => namedRules(what)),
  ];
}

/** The numbers that a document has: of its headings, and of the rows of a table of numbered examples. */
function numberedIn(markdown: string): Set<string> {
  const headings = markdown.matchAll(new RegExp(`^#{2,4} (${NUMBER.source})\\.?(?= )`, 'gm'));
  const rows = markdown.matchAll(/^\| (\d+\.\d+) \|/gm);
  return new Set([...headings, ...rows].map(([, number = '']) => number));
}

const numbers: Readonly<Record<Document, ReadonlySet<string>>> = {
  rules: numberedIn(textOf('docs/rules.md')),
  contract: numberedIn(textOf('docs/contract.md')),
};

function unresolved(text: string, path: string): string[] {
  return referencesIn(text, path)
    .filter(({ document, number }) => !numbers[document].has(number))
    .map(({ document, number }) => `${path}: ${document} ${number}`);
}

/** Headings as GitHub names them. */
function anchorsIn(markdown: string): Set<string> {
  const headings = markdown.replaceAll(/^```[\s\S]*?^```/gm, '').matchAll(/^#{1,6} (.+)$/gm);
  return new Set(
    [...headings].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

/** Links of a document that lead nowhere in the repository. */
function brokenLinks(markdown: string, path: string): string[] {
  const links = markdown.replaceAll(/^```[\s\S]*?^```/gm, '').matchAll(/\]\(([^)\s]+)\)/g);
  return [...links].flatMap(([, target = '']) => {
    if (/^[a-z]+:/.test(target)) return [];
    const [file = '', anchor] = target.split('#');
    const at = file === '' ? path : relative(ROOT, join(ROOT, dirname(path), file));
    if (at.startsWith('..') || !existsSync(join(ROOT, at))) return [`${path}: ${target}`];
    if (anchor === undefined) return [];
    return anchorsIn(at === path ? markdown : textOf(at)).has(anchor) ? [] : [`${path}: ${target}`];
  });
}

describe('a reference to a rule or a section', () => {
  it('leads to a heading of docs/rules.md or docs/contract.md, wherever it stands', () => {
    expect(sources.flatMap((path) => unresolved(textOf(path), path))).toEqual([]);
  });

  it('leads to a rule in documents, too', () => {
    const lost = documents.flatMap((path) =>
      [...textOf(path).matchAll(/(?<![\w.-])[FWVM]\d+[a-z]?(?![\w-])/g)]
        .filter(([number]) => !numbers.rules.has(number))
        .map(([number]) => `${path}: ${number}`),
    );
    expect(lost).toEqual([]);
  });

  it('is found in every way in which it is written', () => {
    const found = (text: string, path = 'a.ts'): string[] =>
      referencesIn(text, path).map(({ document, number }) => `${document} ${number}`);
    expect(found('/** contract.md 9, rules.md W98 and W99 */')).toEqual(
      expect.arrayContaining(['contract 9', 'rules W98', 'rules W99']),
    );
    expect(found('-- Kept for long (rules.md 9.9).', 'a.sql')).toEqual(['rules 9.9']);
    expect(found('/** Sections 8 to 9 of rules.md: a thread. */')).toEqual(['rules 8', 'rules 9']);
    expect(found('const x = 1; // F77: whatever')).toEqual(['rules F77']);
    expect(found('/**\n * A long comment (W55,\n * W56).\n */')).toEqual(['rules W55', 'rules W56']);
    expect(found("return 'it is charged (M42)';")).toEqual(['rules M42']);
    expect(found("{ rule: '8, contract 9, F9b' }")).toEqual(['rules 8', 'contract 9', 'rules F9b']);
    expect(found("{ rules: 'section 9, rules W71 and W72' }")).toEqual(['rules 9', 'rules W71', 'rules W72']);
    expect(found("{ rule: '9.1_opens' }")).toEqual(['rules 9.1']);
    expect(found('<p>one conversation (rule F66).</p>', 'a.svelte')).toEqual(['rules F66']);
    expect(unresolved('// W99', 'a.ts')).toEqual(['a.ts: rules W99']);
  });

  it('is not seen in ids, addresses and drawings', () => {
    const text = `const waba = 'W77'; const id = 'wamid.F77'; const url = 'https://x/W77'; const d = 'M9 23V16M16 23V9';`;
    expect(referencesIn(text, 'a.ts')).toEqual([]);
  });

  it('is found wherever a document is named with a number, in every part', () => {
    for (const part of ['dashboard/src', 'schemas', 'services', 'sql', 'test']) {
      const files = sources.filter((path) => path.startsWith(part));
      const missed = files.flatMap((path) => {
        const found = new Set(
          referencesIn(textOf(path), path).map(({ document, number }) => `${document}.md ${number}`),
        );
        const mentions = textOf(path).match(/\b(?:rules|contract)\.md [A-Z]?\d+(?:\.\d+)?[a-z]?/g) ?? [];
        return mentions.filter((mention) => !found.has(mention)).map((mention) => `${path}: ${mention}`);
      });
      expect(missed).toEqual([]);
      expect(
        files.some((path) => referencesIn(textOf(path), path).length > 0),
        part,
      ).toBe(true);
    }
  });

  it('names rules that the documents number in one place each', () => {
    for (const name of ['docs/rules.md', 'docs/contract.md']) {
      const all = [...textOf(name).matchAll(new RegExp(`^#{2,4} (${NUMBER.source})\\.?(?= )`, 'gm'))];
      const twice = all.map(([, number]) => number).filter((number, i, list) => list.indexOf(number) !== i);
      expect(twice, name).toEqual([]);
      expect(all.length, name).toBeGreaterThan(0);
    }
  });
});

describe('a file that a document names', () => {
  const PATH = /`((?:dashboard|deploy|docs|schemas|scripts|services|sql|test)\/[\w./-]*)`/g;

  it('is there', () => {
    const named = documents.flatMap((path) =>
      [...textOf(path).matchAll(PATH)].map(([, name = '']) => ({ path, name })),
    );
    expect(named.length).toBeGreaterThan(0);
    // What a build makes is not in the source.
    const lost = named.filter(
      ({ name }) => !existsSync(join(ROOT, name)) && !/^(?:dashboard|services)\/build$/.test(name),
    );
    expect(lost).toEqual([]);
  });

  it('is there, where the table of tables names it from services/ on', () => {
    const tables =
      textOf('docs/architecture.md')
        .split('\n## ')
        .find((section) => section.startsWith('Tables')) ?? '';
    const named = [...tables.matchAll(/`((?:[a-z-]+\/)+[a-z-]+\.ts)`/g)].map(([, name = '']) => name);
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((name) => !existsSync(join(ROOT, 'services', name)))).toEqual([]);
  });
});

describe('a link of a document', () => {
  it('leads to a file that is there, and to a heading of it', () => {
    expect(documents).toEqual(expect.arrayContaining(['README.md', 'CONTRIBUTING.md', 'docs/rules.md']));
    expect(documents.flatMap((path) => brokenLinks(textOf(path), path))).toEqual([]);
  });

  it('is missed where it leads nowhere', () => {
    expect(brokenLinks('[a](docs/none.md), [b](docs/rules.md#none), [c](#none)', 'README.md')).toEqual([
      'README.md: docs/none.md',
      'README.md: docs/rules.md#none',
      'README.md: #none',
    ]);
    expect(
      brokenLinks('# One heading\n[a](#one-heading) [b](docs/rules.md#w2-entry) [c](https://x)', 'README.md'),
    ).toEqual([]);
  });
});

describe('README.md', () => {
  it('has a row for every page of the menu', () => {
    const [, pages = ''] = /\n## The pages\n(.*?)\n## /s.exec(textOf('README.md')) ?? [];
    const rows = [...pages.matchAll(/^\| \[?([^\]|,]+?)(?:\]\(.*?\)|,.*?)? \|/gm)].map(([, name]) => name);
    expect(rows).toEqual(expect.arrayContaining(MENU.map(({ name }) => name)));
  });
});

describe('docs/contract.md', () => {
  const contract = textOf('docs/contract.md');

  function columnsOf(report: string): string[] {
    const row = contract.split('\n').find((line) => line.startsWith(`| \`${report}\` | \``)) ?? '';
    return [...(row.split(' | ')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, column = '']) => column);
  }

  it.each([
    ['messages', MESSAGES_COLUMNS],
    ['conversations', CONVERSATIONS_COLUMNS],
    ['ad-conversations', AD_CONVERSATIONS_COLUMNS],
    ['charges', CHARGES_COLUMNS],
    ['mismatched-messages', MISMATCHED_MESSAGES_COLUMNS],
    ['dead-letters', DEAD_LETTERS_COLUMNS],
    ['accounts', ACCOUNTS_COLUMNS],
  ])('lists the columns of report %s in their order', (report, columns) => {
    expect(columnsOf(report)).toEqual(columns);
  });

  it('names every report, as the README does', () => {
    const readme = textOf('README.md');
    for (const report of REPORTS) {
      expect(contract, report).toContain(`\`${report}\``);
      expect(readme, report).toContain(`\`${report}\``);
    }
  });

  it('says of each filter which reports take it', () => {
    const told = [...contract.matchAll(/^\| (`\w+`.*) \| (`[a-z-]+`(?:, `[a-z-]+`)*) \|$/gm)].flatMap(
      ([, filters = '', reports = '']) => {
        // Values of a filter stand in brackets behind it.
        const names = filters.replaceAll(/\(.*?\)/g, '').matchAll(/`(\w+)`/g);
        return [...names].map(([, filter = '']) => [filter, reports.replaceAll('`', '').split(', ').sort()] as const);
      },
    );
    const taken = NARROWINGS.map(
      (filter) => [filter, REPORTS.filter((name) => reportOf(name).filters.includes(filter)).sort()] as const,
    );
    const narrowing = told.filter(([filter]) => NARROWINGS.some((name) => name === filter));
    expect(Object.fromEntries(narrowing)).toEqual(Object.fromEntries(taken));
  });

  it('names every variable of the environment that a command reads', () => {
    const read = filesIn('services/cli', /\.ts$/).flatMap((path) =>
      [...textOf(path).matchAll(/environment\('([A-Z_]+)'\)/g)].map(([, name = '']) => name),
    );
    expect(read.length).toBeGreaterThan(0);
    for (const name of read) expect(contract).toContain(`\`${name}\``);
  });
});
