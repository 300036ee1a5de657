import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { documentParts, DocumentSplitter, membersOf, type DocumentPart } from '../../services/ingest/documents.ts';

interface Split {
  readonly parts: readonly DocumentPart[];
  readonly isInsideList: boolean;
}

function splitWhole(text: string): Split {
  const splitter = new DocumentSplitter();
  return { parts: [...splitter.split(Buffer.from(text), true)], isInsideList: splitter.isInsideList };
}

/** The same text in chunks of so many bytes. */
async function splitInChunks(text: string, size: number): Promise<Split> {
  const bytes = Buffer.from(text);
  async function* chunks(): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at += size) yield Promise.resolve(bytes.subarray(at, at + size));
  }
  const parts: DocumentPart[] = [];
  const all = documentParts(chunks());
  for (let next = await all.next(); ; next = await all.next()) {
    if (next.done === true) return { parts, isInsideList: next.value };
    parts.push({ ...next.value, bytes: Buffer.from(next.value.bytes) });
  }
}

/** Kind, line and text of each part. */
function shown({ parts }: Split): [string, number, string][] {
  return parts.map(({ kind, line, bytes }) => [kind, line, bytes.toString('utf8')]);
}

function valuesOf({ parts }: Split): unknown[] {
  return parts.map(({ kind, bytes }) => {
    expect(kind).toBe('value');
    return JSON.parse(bytes.toString('utf8')) as unknown;
  });
}

const anyJson = fc.jsonValue({ noUnicodeString: false }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);
const anyObject = fc
  .dictionary(fc.string({ unit: 'grapheme' }), anyJson)
  .map((o) => JSON.parse(JSON.stringify(o)) as object);
/** What begins at the top as one value: an object, or a list that does not begin with an object or a list. */
const anyDocument = fc.oneof(
  anyObject,
  fc.array(anyJson).filter(([first]) => typeof first !== 'object' || first === null),
);
const anySpace = fc.string({ unit: fc.constantFrom(' ', '\n', '\r', '\t'), maxLength: 4 });
const anyIndent = fc.constantFrom(0, 1, 2, 4, '\t');
const anyChunk = fc.integer({ min: 1, max: 9 });

describe('splitting documents', () => {
  it('gives the values back that were joined with any white space', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(anyDocument, anySpace, anyIndent)),
        anySpace,
        anyChunk,
        async (all, end, size) => {
          const text = all.map(([value, space, indent]) => space + JSON.stringify(value, null, indent)).join('') + end;
          const values = all.map(([value]) => value);
          const whole = splitWhole(text);
          expect(valuesOf(whole)).toEqual(values);
          expect(whole.isInsideList).toBe(false);
          expect(shown(await splitInChunks(text, size))).toEqual(shown(whole));
          for (const { bytes, line } of whole.parts) {
            const from = text
              .split('\n')
              .slice(line - 1)
              .join('\n');
            expect(from).toContain(bytes.toString('utf8').split('\n')[0]);
          }
        },
      ),
    );
  });

  it('gives the members of a list that begins with an object', async () => {
    await fc.assert(
      fc.asyncProperty(anyObject, fc.array(anyJson), anyIndent, anyChunk, async (first, others, indent, size) => {
        // A list in such a list is opened too when it begins with an object or a list.
        const members = [first, ...others].filter(
          (m) => !Array.isArray(m) || typeof m[0] !== 'object' || m[0] === null,
        );
        const text = JSON.stringify(members, null, indent);
        expect(valuesOf(splitWhole(text))).toEqual(members);
        expect(valuesOf(await splitInChunks(text, size))).toEqual(members);
        expect(membersOf(Buffer.from(text))?.map((bytes) => JSON.parse(bytes.toString('utf8')) as unknown)).toEqual(
          members,
        );
      }),
    );
  });

  it('loses no byte of any text, however it comes', async () => {
    const junk = fc.string({
      unit: fc.constantFrom('{', '}', '[', ']', '"', '\\', ',', ':', '\n', ' ', 'a', '1', 'é'),
    });
    await fc.assert(
      fc.asyncProperty(junk, anyChunk, async (text, size) => {
        const whole = splitWhole(text);
        // Only white space, and commas and brackets of lists, are in no part; all parts stand in their order.
        let rest = text;
        for (const { bytes } of whole.parts) {
          const part = bytes.toString('utf8');
          const at = rest.indexOf(part);
          expect(rest.slice(0, at)).toMatch(/^[\s,[\]]*$/);
          rest = rest.slice(at + part.length);
        }
        expect(rest).toMatch(/^[\s,[\]]*$/);
        expect(await splitInChunks(text, size)).toEqual(whole);
      }),
      { numRuns: 2000 },
    );
  });

  it.each<[string, string, [string, number, string][]]>([
    [
      'a document followed by NDJSON',
      '{\n "a": 1\n}\n{"b":2}\n7\nhello world\n{"c":3}',
      [
        ['value', 1, '{\n "a": 1\n}'],
        ['value', 4, '{"b":2}'],
        ['line', 5, '7'],
        ['line', 6, 'hello world'],
        ['value', 7, '{"c":3}'],
      ],
    ],
    [
      'line ends of Windows',
      '{\r\n"a": "\\r\\n"\r\n}\r\n\r\n{}\r\n',
      [
        ['value', 1, '{\r\n"a": "\\r\\n"\r\n}'],
        ['value', 5, '{}'],
      ],
    ],
    [
      'brackets, quotes and backslashes in texts',
      '{"a\\\\": "}]\\"{"}{"b":"\\\\"}',
      [
        ['value', 1, '{"a\\\\": "}]\\"{"}'],
        ['value', 1, '{"b":"\\\\"}'],
      ],
    ],
    [
      'lists in a list',
      '[\n [{"a":1}],\n [ [2] ],\n [3]\n]',
      [
        ['value', 2, '{"a":1}'],
        ['value', 3, '[2]'],
        ['value', 4, '[3]'],
      ],
    ],
    ['a list of no objects', '[1,\n"]",\n{"a":2}]', [['value', 1, '[1,\n"]",\n{"a":2}]']]],
    [
      'a log line',
      '[2026-01-01] started\n{"a":1}',
      [
        ['line', 1, '[2026-01-01] started'],
        ['value', 2, '{"a":1}'],
      ],
    ],
  ])('%s', (_, text, parts) => {
    const split = splitWhole(text);
    expect(shown(split)).toEqual(parts);
    expect(split.parts.every(({ kind, broken }) => kind === 'line' || broken === '')).toBe(true);
  });

  it.each<[string, string, string, [string, number, string][]]>([
    [
      'a text without its end',
      '{\n  "a": "x,\n  "b": [\n    {}\n  ]\n}\n{\n  "c": 1\n}',
      'line 1 cannot be read: a text in it does not end on its line.',
      [
        ['line', 1, '{'],
        ['line', 2, '  "a": "x,'],
        ['line', 3, '  "b": ['],
        ['line', 4, '    {}'],
        ['line', 5, '  ]'],
        ['line', 6, '}'],
        ['value', 7, '{\n  "c": 1\n}'],
      ],
    ],
    [
      'the wrong bracket',
      '{"a":1}\n{"b": [1}\n{"c":3}',
      'line 2 cannot be read: a "}" in it closes what another bracket has opened.',
      [
        ['value', 1, '{"a":1}'],
        ['line', 2, '{"b": [1}'],
        ['value', 3, '{"c":3}'],
      ],
    ],
    [
      'a document cut off',
      '{"a":1}\n{\n  "b": {\n    "c": 3\n',
      'line 2 cannot be read: it does not end before the input does.',
      [
        ['value', 1, '{"a":1}'],
        ['line', 2, '{'],
        ['line', 3, '  "b": {'],
        ['line', 4, '    "c": 3'],
      ],
    ],
    [
      'a broken member of a list',
      '[\n  {"a":1},\n  {\n    "b": "\n  },\n  {\n    "c":3\n  }\n]\n{"d":4}',
      'line 3 cannot be read: a text in it does not end on its line.',
      [
        ['value', 2, '{"a":1}'],
        ['line', 3, '{'],
        ['line', 4, '    "b": "'],
        ['line', 5, '  },'],
        ['value', 6, '{\n    "c":3\n  }'],
        ['value', 10, '{"d":4}'],
      ],
    ],
    [
      'lists nested without measure',
      `${'['.repeat(11_000)}\n{"a":1}`,
      'line 1 cannot be read: it is nested more than 10000 deep.',
      [
        ['line', 1, '['.repeat(10_995)],
        ['value', 2, '{"a":1}'],
      ],
    ],
    [
      'objects nested without measure',
      `${'{"a":'.repeat(11_000)}\n{"a":1}`,
      'cannot be read: it is nested more than 10000 deep.',
      [
        ['line', 1, '{"a":'.repeat(11_000)],
        ['value', 2, '{"a":1}'],
      ],
    ],
  ])('costs only what is broken: %s', async (_, text, reason, parts) => {
    const split = splitWhole(text);
    expect(shown(split)).toEqual(parts);
    expect(split.parts.find(({ broken }) => broken !== '')?.broken).toContain(reason);
    for (const size of [1, 7]) expect(shown(await splitInChunks(text, size))).toEqual(shown(split));
  });

  it.each(['[{"a":1},', '[{"a":1}', '[\n{"a":1},\n\n', '[[{"a":1}]'])(
    'says that %j ends in the middle of a list',
    (text) => {
      const split = splitWhole(text);
      expect(valuesOf(split)).toEqual([{ a: 1 }]);
      expect(split.isInsideList).toBe(true);
      expect(membersOf(Buffer.from(text))).toBeNull();
    },
  );

  it.each(['', ' ', '{"a":1}', '7', '[{"a":1}]]', '[{"a":1}] x', '[{"a":}', '[1,2'])(
    'sees no list of values in %j',
    (text) => {
      expect(membersOf(Buffer.from(text))).toBeNull();
    },
  );
});
