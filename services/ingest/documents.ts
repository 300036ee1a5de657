/** How much of one value is held at most while its end is searched. */
const MAX_DOCUMENT_BYTES = 64 * 1024 * 1024;
/** A longer line that belongs to no value is passed on in pieces of this size. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;
/** Values nested deeper are taken for broken: no event is nested like that. */
const MAX_DEPTH = 10_000;
/** Members of lists nested up to this depth are taken one by one; deeper lists stay whole. */
const MAX_OPEN_LISTS = 5;
/** Bytes that may be searched in vain for the ends of broken values. After that, the rest is read as lines. */
const MAX_WASTED_BYTES = 1024 * 1024 * 1024;

const TAB = 0x09;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** A part of an input that holds indented JSON. */
export interface DocumentPart {
  /** One whole value; or one line without its line end, where no value begins. */
  readonly kind: 'value' | 'line';
  readonly bytes: Buffer;
  /** The line of the input on which the part begins; the first is 1. */
  readonly line: number;
  /** For a line of a value that cannot be split off: what is wrong with that value. Otherwise empty. */
  readonly broken: string;
}

/**
 * The end of a value, or that it goes on beyond the bytes at hand, or what is wrong with it and where that was found.
 */
type Extent = number | 'unfinished' | { readonly broken: string; readonly at: number };

function isSpace(byte: number | undefined): boolean {
  return byte === SPACE || byte === NEWLINE || byte === RETURN || byte === TAB;
}

function isOpening(byte: number | undefined): boolean {
  return byte === OPEN_OBJECT || byte === OPEN_LIST;
}

function afterSpace(bytes: Buffer, from: number): number {
  let at = from;
  while (at < bytes.length && isSpace(bytes[at])) at += 1;
  return at;
}

/** The end of the string whose opening quote is at `from`. */
function endOfString(bytes: Buffer, from: number): Extent {
  for (let at = from + 1; ; at++) {
    const byte = bytes[at];
    if (byte === undefined) return 'unfinished';
    if (byte === QUOTE) return at + 1;
    if (byte === BACKSLASH) at += 1;
    else if (byte < SPACE) return { broken: 'a text in it does not end on its line', at };
  }
}

/** The end of the object or list that begins at `from`. Only brackets and strings are looked at. */
function endOfNested(bytes: Buffer, from: number): Extent {
  const closers: number[] = [];
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      const end = endOfString(bytes, at);
      if (typeof end !== 'number') return end;
      at = end - 1;
    } else if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
      if (closers.length === MAX_DEPTH) return { broken: `it is nested more than ${MAX_DEPTH} deep`, at };
      closers.push(byte === OPEN_OBJECT ? CLOSE_OBJECT : CLOSE_LIST);
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
      if (closers.pop() !== byte)
        return { broken: `a "${String.fromCharCode(byte)}" in it closes what another bracket has opened`, at };
      if (closers.length === 0) return at + 1;
    }
  }
  return 'unfinished';
}

/** The end of the number, `true`, `false` or `null` that begins at `from`. The word itself is not checked. */
function endOfWord(bytes: Buffer, from: number): Extent {
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at];
    if (isSpace(byte) || byte === COMMA || byte === CLOSE_LIST || byte === CLOSE_OBJECT) return at;
  }
  return 'unfinished';
}

function endOfValue(bytes: Buffer, from: number): Extent {
  if (isOpening(bytes[from])) return endOfNested(bytes, from);
  return bytes[from] === QUOTE ? endOfString(bytes, from) : endOfWord(bytes, from);
}

/**
 * Splits an input into JSON values that may be indented: one value, or several one after another as `jq .` prints them,
 * also with NDJSON lines between them. If a list begins with an object or a list, each of its members is a value, so a
 * list may have any length; any other value must end within `MAX_DOCUMENT_BYTES`.
 * Nothing is lost: each byte that is not white space, a comma or a bracket of such a list belongs to exactly one part.
 * A value that does not end, or that is followed by something that may not follow it, is passed on line by line, up to
 * the next line that begins a value and is not indented further.
 */
export class DocumentSplitter {
  /** Line number of the next byte. */
  #line = 1;
  /** How many bytes were consumed before those at hand, and where the current line begins in the input. */
  #consumed = 0;
  #lineStart = 0;
  /** How many lists are open whose members are values of their own. */
  #openLists = 0;
  /** The value whose lines are being passed on: what is wrong with it, and the column in which it begins. */
  #broken: Broken | null = null;
  #wastedBytes = 0;

  /** Whether the bytes so far end in the middle of a list. */
  get isInsideList(): boolean {
    return this.#openLists > 0;
  }

  /**
   * Yields the parts that are complete.
   * @param bytes the bytes that were not consumed so far, and more
   * @param isLast whether the input ends with them; then all are consumed
   * @returns how many of the bytes were consumed
   */
  *split(bytes: Buffer, isLast: boolean): Generator<DocumentPart, number, undefined> {
    let at = 0;
    while (at < bytes.length) {
      const broken = this.#broken;
      const next = broken === null ? this.#nextValue(bytes, at, isLast) : this.#nextLine(bytes, at, isLast, broken);
      if (next === null) break;
      if (next.part !== null) yield next.part;
      this.#count(bytes, at, next.end);
      at = next.end;
    }
    this.#consumed += at;
    return at;
  }

  #count(bytes: Buffer, from: number, to: number): void {
    const step = bytes.subarray(from, to);
    for (let at = step.indexOf(NEWLINE); at !== -1; at = step.indexOf(NEWLINE, at + 1)) {
      this.#line += 1;
      this.#lineStart = this.#consumed + from + at + 1;
    }
  }

  /** One step: over white space and separators, or over a value. Null: more bytes are needed. */
  #nextValue(bytes: Buffer, at: number, isLast: boolean): Step | null {
    const byte = bytes[at];
    if (isSpace(byte)) return { part: null, end: afterSpace(bytes, at) };
    if (this.#openLists > 0) {
      if (byte === COMMA) return { part: null, end: at + 1 };
      if (byte === CLOSE_LIST) {
        this.#openLists -= 1;
        return { part: null, end: at + 1 };
      }
    } else if (!isOpening(byte)) return this.#lineAt(bytes, at, isLast, '');
    if (byte === OPEN_LIST && this.#openLists < MAX_OPEN_LISTS) {
      const member = afterSpace(bytes, at + 1);
      if (isOpening(bytes[member])) {
        this.#openLists += 1;
        return { part: null, end: at + 1 };
      }
    }
    return this.#wholeValue(bytes, at, isLast);
  }

  #wholeValue(bytes: Buffer, at: number, isLast: boolean): Step | null {
    const end = endOfValue(bytes, at);
    if (typeof end === 'object') return this.#breakAt(bytes, at, isLast, end.broken, end.at);
    if (end !== 'unfinished') {
      const follows = this.#follows(bytes, end);
      if (follows === 'nothing' ? isLast : follows === 'what may')
        return { part: this.#part('value', bytes.subarray(at, end)), end };
      if (follows === 'what may not') return this.#breakAt(bytes, at, isLast, 'what follows it is no JSON', end);
    }
    const whole = bytes.length - at;
    if (isLast) return this.#breakAt(bytes, at, isLast, 'it does not end before the input does', bytes.length);
    if (whole < MAX_DOCUMENT_BYTES) return null;
    return this.#breakAt(bytes, at, isLast, `it does not end within ${MAX_DOCUMENT_BYTES} bytes`, bytes.length);
  }

  /**
   * Whether the text after a value may stand there: another value, the end of the line, or the end of the value's place
   * in a list.
   */
  #follows(bytes: Buffer, end: number): 'what may' | 'what may not' | 'nothing' {
    let at = end;
    while (at < bytes.length && isSpace(bytes[at])) {
      if (this.#openLists === 0 && bytes[at] === NEWLINE) return 'what may';
      at += 1;
    }
    if (at === bytes.length) return 'nothing';
    const byte = bytes[at];
    const mayInList = byte === COMMA || byte === CLOSE_LIST;
    return isOpening(byte) || (this.#openLists > 0 && mayInList) ? 'what may' : 'what may not';
  }

  /**
   * Begins to pass on the lines of a broken value. The first line is always passed on: the value is not tried again.
   * @param seen how far the bytes were searched for its end
   */
  #breakAt(bytes: Buffer, at: number, isLast: boolean, reason: string, seen: number): Step | null {
    const broken = `The JSON that begins in line ${this.#line} cannot be read: ${reason}.`;
    const line = this.#lineAt(bytes, at, isLast, broken);
    if (line === null) return null;
    this.#wastedBytes += seen - at;
    const isExhausted = this.#wastedBytes > MAX_WASTED_BYTES;
    this.#broken = { reason: broken, column: isExhausted ? -1 : this.#consumed + at - this.#lineStart };
    return line;
  }

  /** The next line of a broken value, unless it begins another one or ends the list around it. */
  #nextLine(bytes: Buffer, at: number, isLast: boolean, { reason, column }: Broken): Step | null {
    let first = at;
    while (first < bytes.length && bytes[first] !== NEWLINE && isSpace(bytes[first])) first += 1;
    if (first === bytes.length && !isLast) return null;
    const resumes = isOpening(bytes[first]) || (this.#openLists > 0 && bytes[first] === CLOSE_LIST);
    if (resumes && first - at <= column) {
      this.#broken = null;
      return { part: null, end: first };
    }
    return this.#lineAt(bytes, at, isLast, reason);
  }

  /** The line that begins at `at`, with its end; null when the end is not at hand. */
  #lineAt(bytes: Buffer, at: number, isLast: boolean, reason: string): Step | null {
    const newline = bytes.indexOf(NEWLINE, at);
    if (newline !== -1) return { part: this.#part('line', bytes.subarray(at, newline), reason), end: newline + 1 };
    if (!isLast && bytes.length - at < MAX_LINE_BYTES) return null;
    const end = Math.min(bytes.length, at + MAX_LINE_BYTES);
    return { part: this.#part('line', bytes.subarray(at, end), reason), end };
  }

  #part(kind: DocumentPart['kind'], bytes: Buffer, broken = ''): DocumentPart {
    return { kind, bytes, line: this.#line, broken };
  }
}

interface Broken {
  readonly reason: string;
  readonly column: number;
}

interface Step {
  /** Null when the step went over white space, a comma or a bracket only. */
  readonly part: DocumentPart | null;
  readonly end: number;
}

/**
 * The parts of an input that comes in chunks.
 * @returns whether the input ends in the middle of a list
 */
export async function* documentParts(chunks: AsyncIterable<Buffer>): AsyncGenerator<DocumentPart, boolean, undefined> {
  const splitter = new DocumentSplitter();
  let held: Buffer = Buffer.alloc(0);
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  for await (const chunk of chunks) {
    waiting.push(chunk);
    waitingBytes += chunk.length;
    // A value is searched again only after its length has doubled; searching it again for each chunk would take
    // quadratic time.
    if (waitingBytes < held.length && held.length + waitingBytes < MAX_DOCUMENT_BYTES) continue;
    held = Buffer.concat([held, ...waiting]);
    waiting = [];
    waitingBytes = 0;
    held = held.subarray(yield* splitter.split(held, false));
  }
  yield* splitter.split(Buffer.concat([held, ...waiting]), true);
  return splitter.isInsideList;
}

/** The values of a list on one line; null when the line is no list of values, or not a whole list. */
export function membersOf(bytes: Buffer): Buffer[] | null {
  if (bytes[afterSpace(bytes, 0)] !== OPEN_LIST) return null;
  const splitter = new DocumentSplitter();
  const parts = [...splitter.split(bytes, true)];
  return splitter.isInsideList || parts.some(({ kind }) => kind === 'line') ? null : parts.map((part) => part.bytes);
}
