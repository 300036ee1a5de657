import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Block, readDocument } from '../../dashboard/src/lib/rules/document.ts';
import { ruleParts } from '../../dashboard/src/lib/rules/rule-parts.ts';
import { DEFINITIONS } from '../../dashboard/src/routes/definitions/definitions.ts';

const blocks = readDocument(readFileSync(new URL('../../docs/rules.md', import.meta.url), 'utf8'));
const ids = blocks.flatMap((block) => (block.kind === 'heading' ? [block.id] : []));

describe('the page of the rules', () => {
  it('has one place for each heading', () => {
    expect(ids).toContain('section-3.1');
    expect(ids).toContain('V1a');
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('has a place for every rule and section that a definition names', () => {
    const named = DEFINITIONS.flatMap(({ definitions }) =>
      definitions.flatMap(({ rules }) => ruleParts(rules).flatMap(({ anchor }) => (anchor === null ? [] : [anchor]))),
    );
    expect(named.length).toBeGreaterThan(DEFINITIONS.length);
    expect(named.filter((anchor) => !ids.includes(anchor))).toEqual([]);
  });

  it('leads only to places that it has', () => {
    const links = [...JSON.stringify(blocks).matchAll(/"anchor":"([^"]+)"/g)].map(([, id]) => id ?? '');
    expect(links).toContain('section-3');
    expect(links.filter((id) => !ids.includes(id))).toEqual([]);
  });
});

it.each<[markdown: string, block: Block]>([
  ['## 3. Policies', { kind: 'heading', id: 'section-3', depth: 2, children: [{ kind: 'text', text: '3. Policies' }] }],
  [
    'One `"quoted" <b>` *and* **two**',
    {
      kind: 'paragraph',
      children: [
        { kind: 'text', text: 'One ' },
        { kind: 'code', text: '"quoted" <b>' },
        { kind: 'text', text: ' ' },
        { kind: 'em', children: [{ kind: 'text', text: 'and' }] },
        { kind: 'text', text: ' ' },
        { kind: 'strong', children: [{ kind: 'text', text: 'two' }] },
      ],
    },
  ],
  [
    'Out: [the contract](contract.md#5-configuration)',
    {
      kind: 'paragraph',
      children: [
        { kind: 'text', text: 'Out: ' },
        { kind: 'text', text: 'the contract' },
      ],
    },
  ],
])('a document is read: %s', (markdown, block) => {
  expect(readDocument(markdown)).toEqual([block]);
});

it('a text that names rules is cut where they lead', () => {
  expect(ruleParts('section 6, rules W3 and W4')).toEqual([
    { words: 'section 6', anchor: 'section-6' },
    { words: ', ', anchor: null },
    { words: 'rules W3', anchor: 'W3' },
    { words: ' and ', anchor: null },
    { words: 'W4', anchor: 'W4' },
  ]);
});
