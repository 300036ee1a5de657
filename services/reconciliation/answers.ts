import { META_FIELDS, type MetaField } from '@ctwa-ledger/schemas/meta.ts';
import { isObject } from '@ctwa-ledger/schemas/json.ts';
import type { GivenFile } from '../imports/register.ts';
import type { Problems } from '../imports/rows.ts';
import { numberText, parseExact } from './exact-json.ts';

/** A file, or a fetched answer. */
export type GivenAnswer = GivenFile;

/** Meta's answer about one field of one account: a whole answer, or a page of one. */
export interface Answer {
  readonly field: MetaField;
  readonly waba_id: string;
  /** The value of the field, with numbers as `parseExact` returns them; null when the account has no such field. */
  readonly body: unknown;
  /** Its path in the file. */
  readonly path: string;
  /** Whether another page follows. */
  readonly continues: boolean;
}

/** Facts about an answer that does not contain them. */
export interface About {
  readonly waba_id?: string | undefined;
  readonly field?: MetaField | undefined;
}

/** Limit of answers in one file. */
const MAX_ANSWERS = 10_000;
const MAX_ID_CHARACTERS = 100;

function continuesIn(body: unknown): boolean {
  if (!isObject(body) || !isObject(body['paging'])) return false;
  const { next } = body['paging'];
  return next !== undefined && next !== null && next !== '';
}

/** Finds the answers in the value of a file, in any of the known wrappings (contract.md 7). */
class AnswerReader {
  readonly answers: Answer[] = [];
  readonly #about: About;
  readonly #problems: Problems;
  /** The answer that the next page continues. */
  #open: Answer | null;

  constructor(about: About, open: Answer | null, problems: Problems) {
    this.#about = about;
    this.#open = open;
    this.#problems = problems;
  }

  problem(path: string, message: string): void {
    this.#problems.add(null, null, path === '' ? message : `${path}: ${message}`);
  }

  #take(field: MetaField, waba_id: string | undefined, body: unknown, path: string): void {
    if (waba_id === undefined) {
      this.problem(path, `It does not say which account it is about. Say it with --waba.`);
      return;
    }
    if (this.answers.length >= MAX_ANSWERS) {
      if (this.answers.length === MAX_ANSWERS) this.problem('', `The file holds more than ${MAX_ANSWERS} answers.`);
      return;
    }
    const answer = { field, waba_id, body, path, continues: continuesIn(body) };
    this.answers.push(answer);
    this.#open = answer.continues ? answer : null;
  }

  /** The account in an object; undefined when neither the object nor the command names one. */
  #account(object: Record<string, unknown>, path: string): string | undefined {
    const { id } = object;
    if (typeof id !== 'string') return this.#about.waba_id;
    const waba_id = numberText(id);
    if (!/^[\x21-\x7e]+$/.test(waba_id) || waba_id.length > MAX_ID_CHARACTERS)
      this.problem(path, `Its id is not the id of an account.`);
    else if (this.#about.waba_id !== undefined && this.#about.waba_id !== waba_id)
      this.problem(path, `It is about account ${waba_id}, but --waba says ${this.#about.waba_id}: leave out one.`);
    return waba_id;
  }

  /** Takes an answer that does not name its field: it continues the page before, or the command names the field. */
  #takeUnnamed(body: Record<string, unknown>, path: string): void {
    const field = this.#open?.field ?? this.#about.field;
    if (field === undefined)
      this.problem(
        path,
        `It does not say which field it answers. Say it with --field, one of ${META_FIELDS.join(', ')}.`,
      );
    else this.#take(field, this.#open?.waba_id ?? this.#about.waba_id, body, path);
  }

  read(value: unknown, path: string): void {
    if (Array.isArray(value)) {
      value.forEach((one, index) => {
        this.read(one, `${path}[${index}]`);
      });
      return;
    }
    if (!isObject(value)) {
      this.problem(path, 'It is no answer of the Graph API: an object is expected here.');
      return;
    }
    if (isObject(value['error'])) {
      const { code, message } = value['error'];
      const said = [code, message].map((part) => (typeof part === 'string' ? numberText(part) : ''));
      this.problem(path, `It is an error of the Graph API and no answer (code ${said[0] ?? ''}: ${said[1] ?? ''}).`);
      return;
    }
    const inside = path === '' ? '' : `${path}.`;
    const named = META_FIELDS.filter((field) => field in value);
    if (named.length > 0) {
      const waba_id = this.#account(value, path);
      for (const field of named) this.#take(field, waba_id, value[field], `${inside}${field}`);
      return;
    }
    const { data } = value;
    if (Array.isArray(data) && this.#open === null && this.#isPageOfAccounts(data)) {
      this.read(data, `${inside}data`);
      return;
    }
    if ('data' in value || 'data_points' in value) {
      this.#takeUnnamed(value, path);
      return;
    }
    if (typeof value['id'] === 'string') {
      this.#take(this.#about.field ?? 'pricing_analytics', this.#account(value, path), null, path);
      return;
    }
    this.problem(path, 'It is no answer of the Graph API: neither a field of analytics nor "data" is in it.');
  }

  #isPageOfAccounts(data: readonly unknown[]): boolean {
    if (data.length === 0 || this.#about.field === 'business_invoices') return false;
    return data.every(
      (one) =>
        isObject(one) &&
        (META_FIELDS.some((field) => field in one) || (typeof one['id'] === 'string' && !('data_points' in one))),
    );
  }
}

/**
 * The answers in a file.
 * @param open the answer before, if this file continues it
 * @returns none when it cannot be read, with the reason among `problems`
 */
export function readAnswers(
  { bytes }: GivenAnswer,
  about: About,
  open: Answer | null,
  problems: Problems,
): readonly Answer[] {
  let value: unknown;
  let text = '';
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    value = parseExact(text);
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    const isCut = /end of JSON input|Unterminated/i.test(what) || what.endsWith(`position ${text.length}`);
    problems.add(
      null,
      null,
      isCut
        ? `The file ends too early (${what}): it is not the whole answer. Ask for it again.`
        : `The file is not JSON (${what}): give the answer of the Graph API as it came.`,
    );
    return [];
  }
  const reader = new AnswerReader(about, open, problems);
  reader.read(value, '');
  if (reader.answers.length === 0 && problems.isEmpty) reader.problem('', 'There is no answer in the file.');
  return reader.answers;
}
