import { describe, expect, it } from 'vitest';
import { MAX_VALUE_BYTES } from '@ctwa-ledger/schemas/event.ts';
import { piecesOf, type Piece } from '../../services/ingest/input.ts';

async function* inChunks(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield Promise.resolve(bytes.subarray(at, at + size));
}

async function piecesIn(input: string | Buffer, size = 64 * 1024): Promise<Piece[]> {
  const pieces: Piece[] = [];
  for await (const piece of piecesOf(inChunks(Buffer.from(input), size))) pieces.push(piece);
  return pieces;
}

/** The texts of runs of lines, and of parts of documents. */
function textsOf(pieces: readonly Piece[]): string[] {
  return pieces.flatMap((piece) =>
    'bytes' in piece && typeof piece.bytes === 'object' ? [piece.bytes.toString('utf8')] : [],
  );
}

function utf16(text: string, order: 'le' | 'be'): Buffer {
  const bytes = Buffer.from(`\ufeff${text}`, 'utf16le');
  return order === 'le' ? bytes : bytes.swap16();
}

describe('the pieces of an input', () => {
  const ndjson = '\r\n{"a":"é😀"}\r\n\n{"b":2}\nno JSON\n[1]';
  const indented = JSON.stringify([{ a: 'é😀' }, { b: 2 }], null, 2);

  it.each([1, 2, 3, 5, 1000])('are runs of lines of NDJSON, in chunks of %i bytes', async (size) => {
    const pieces = await piecesIn(ndjson, size);
    expect(new Set(pieces.map(({ kind }) => kind))).toEqual(new Set(['lines']));
    const lines = textsOf(pieces)
      .join('\n')
      .split(/\r?\n/)
      .filter((line) => line !== '');
    expect(lines).toEqual(ndjson.split(/\r?\n/).filter((line) => line !== ''));
  });

  it.each([1, 2, 3, 5, 1000])('are the same in every encoding, in chunks of %i bytes', async (size) => {
    for (const text of [ndjson, indented, `\n${indented.replaceAll('\n', '\r\n')}\n`, '', '7']) {
      const expected = textsOf(await piecesIn(text)).join('\n');
      for (const input of [Buffer.from(`\ufeff${text}`), utf16(text, 'le'), utf16(text, 'be')])
        expect(textsOf(await piecesIn(input, size)).join('\n')).toBe(expected);
    }
  });

  it('keep half a character of UTF-16 from the rest', async () => {
    expect(textsOf(await piecesIn(utf16('{"a":"\ud83d"}\n{"b":1}', 'le')))).toEqual(['{"a":"\ufffd"}', '{"b":1}']);
    expect(textsOf(await piecesIn(Buffer.concat([utf16('{"a":1}', 'le'), Buffer.from([0x7b])])))).toEqual([
      '{"a":1}\ufffd',
    ]);
  });

  it.each([
    ['a value a line', '{"a":1}\n{"b":2}', 'lines'],
    ['a list a line', '[{"a":1}]\n[{"b":2}]', 'lines'],
    ['blank lines and a value', '\n \r\n {"a":1}', 'lines'],
    ['no JSON', 'hello\n{\n}', 'lines'],
    ['a number', '7', 'lines'],
    ['nothing', '', 'none'],
    ['blank lines', ' \n\n', 'lines'],
    ['an indented object', '{\n"a":1}', 'value'],
    ['an indented object after blank lines', '\n\n  {\r\n"a":1}', 'value'],
    ['an indented list', '[\n{"a":1}]', 'value'],
    ['a broken first line', '{"a":\n{"b":2}', 'line'],
    ['a list that is cut off', '[{"a":1}', 'value'],
    [
      'a list too long to be one value',
      JSON.stringify(Array.from({ length: 4 }, () => ({ a: 'x'.repeat(1_000_000) }))),
      'value',
    ],
    ['an object too long to be one value', JSON.stringify({ a: 'x'.repeat(MAX_VALUE_BYTES) }), 'oversized'],
    ['more blank space than one value may have', `${' '.repeat(2 * MAX_VALUE_BYTES)}{\n"a":1}`, 'oversized'],
  ])('of an input that begins with %s', async (_, text, kind) => {
    expect((await piecesIn(text))[0]?.kind ?? 'none').toBe(kind);
  });

  it('say that a list does not end', async () => {
    expect((await piecesIn('[\n{"a":1},\n')).map(({ kind }) => kind)).toEqual(['value', 'unclosed']);
    expect((await piecesIn('[\n{"a":1}\n]')).map(({ kind }) => kind)).toEqual(['value']);
  });

  it('are lines when one value is too large to hold', async () => {
    const line = `"${'x'.repeat(1024 * 1024)}": 1,\n`;
    async function* chunks(): AsyncGenerator<Buffer> {
      yield Buffer.from('{\n');
      for (let i = 0; i < 70; i++) yield Promise.resolve(Buffer.from(line));
      yield Buffer.from('"end": 1\n}\n{"a":1}\n');
    }
    const pieces: string[] = [];
    for await (const piece of piecesOf(chunks())) {
      if (piece.kind !== 'line' && piece.kind !== 'value') throw new Error(`A piece of kind ${piece.kind}.`);
      const isBroken = piece.broken.includes('line 1 cannot be read: it does not end within 67108864 bytes');
      pieces.push(`${piece.kind} ${piece.line} ${piece.bytes.length}${isBroken ? ' of a broken value' : ''}`);
    }
    expect(pieces).toEqual([
      'line 1 1 of a broken value',
      ...Array.from({ length: 70 }, (_, i) => `line ${i + 2} ${line.length - 1} of a broken value`),
      'line 72 8 of a broken value',
      'line 73 1 of a broken value',
      'value 74 7',
    ]);
  });
});
