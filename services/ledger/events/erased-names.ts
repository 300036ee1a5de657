import { isUtf8 } from 'node:buffer';
import type { LedgerEvent } from '@ctwa-ledger/schemas/event.ts';
import type { Customer } from '@ctwa-ledger/schemas/ids.ts';
import { z } from 'zod';
import type { Database } from '../../clickhouse/database.ts';
import { keyedHash, readErasureKey } from './erasure-key.ts';

/** A name that was erased, as the ledger knows it. */
export interface ErasedName {
  /** Empty: at every business number. */
  readonly phone_number_id: string;
  readonly digest: string;
  readonly token: string;
}

/** A text that can be a name as a whole: ids of messages, JSON and prose need not be looked up. */
const MAY_BE_NAME = /^(?!wamid\.)[^\s/[{]{1,64}$/u;
/** Fewer digits are no phone number. */
const MIN_DIGITS = 5;
/** Digests that are remembered: events of one customer come together, and each names them several times. */
const MAX_REMEMBERED = 20_000;

/** Digits, perhaps written as people write phone numbers. */
const NUMBERS = /\+?\d(?:[\d\s().-]*\d)?/g;
const DIGITS = /\d{5,20}/g;
const BUSINESS_SCOPED_IDS = /[A-Z]{2}\.[A-Za-z0-9.]+/g;
const JSON_TEXTS = /"([^"\\]{1,64})"/g;
/** Base64, also of the form for addresses, and with the escaped slashes that some programs write into JSON. */
const ENCODED = /(?:[A-Za-z0-9+_/-]|\\\/){12,}={0,2}/g;

/**
 * Puts tokens in the place of erased names, in whatever the ledger keeps or is about to keep. The same text always
 * becomes the same, so an event that comes again is found to be the one that is there.
 */
export class ErasedNames {
  readonly #secret: string;
  /** By number and digest. */
  readonly #tokens: ReadonlyMap<string, string>;
  /** By number and name; null = was not erased. */
  readonly #remembered = new Map<string, string | null>();

  constructor(secret: string, names: readonly ErasedName[]) {
    this.#secret = secret;
    this.#tokens = new Map(names.map(({ phone_number_id, digest, token }) => [`${phone_number_id}\0${digest}`, token]));
  }

  /** Those of a ledger; null when nobody was erased. */
  static async read(database: Database): Promise<ErasedNames | null> {
    const names = await database.query(
      z.object({ phone_number_id: z.string(), digest: z.string(), token: z.string() }),
      'SELECT phone_number_id, digest, token FROM erased_names FINAL',
    );
    if (names.length === 0) return null;
    const secret = await readErasureKey(database);
    return secret === null ? null : new ErasedNames(secret, names);
  }

  #tokenOf(number: string | null, name: string): string | null {
    const key = `${number ?? ''}\0${name}`;
    const known = this.#remembered.get(key);
    if (known !== undefined) return known;
    const digest = keyedHash(this.#secret, 'name', name);
    const token = this.#tokens.get(`\0${digest}`) ?? this.#ofNumber(number, digest);
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear();
    this.#remembered.set(key, token);
    return token;
  }

  /** @param number null = of an unknown one: then whoever was erased anywhere is meant */
  #ofNumber(number: string | null, digest: string): string | null {
    if (number !== null) return this.#tokens.get(`${number}\0${digest}`) ?? null;
    for (const [key, token] of this.#tokens) if (key.endsWith(`\0${digest}`)) return token;
    return null;
  }

  /**
   * A text with tokens in the place of erased names: where it is one, and where it mentions one, in JSON, in writing or
   * encoded in the id of a message.
   * @param number the business number that it is about; null = not known
   */
  text(text: string, number: string | null): string {
    const token = MAY_BE_NAME.test(text) ? this.#tokenOf(number, text) : null;
    if (token !== null) return token;
    let without = text.replace(ENCODED, (encoded) => this.#encoded(encoded, number));
    without = without.replace(NUMBERS, (written) => this.#written(written, number));
    without = without.replace(BUSINESS_SCOPED_IDS, (id) => this.#tokenOf(number, id) ?? id);
    if (!/^\s*[[{]/.test(without)) return without;
    return without.replace(JSON_TEXTS, (quoted, inside: string) => {
      const found = this.#tokenOf(number, inside);
      return found === null ? quoted : `"${found}"`;
    });
  }

  /** The same for digits with separators, which may be several numbers. */
  #written(written: string, number: string | null): string {
    const digits = written.replace(/\D/g, '');
    if (digits.length < MIN_DIGITS) return written;
    return this.#tokenOf(number, digits) ?? written.replace(DIGITS, (one) => this.#tokenOf(number, one) ?? one);
  }

  /**
   * The same for a number inside what is encoded, as in the ids of Meta's messages: other characters in its place, as
   * many. Ids of one customer keep their order, by which messages of one second are told apart.
   */
  #encoded(encoded: string, number: string | null): string {
    const plain = encoded.replaceAll('\\/', '/');
    const bytes = Buffer.from(plain, 'base64').toString('latin1');
    const without = bytes.replace(DIGITS, (digits) =>
      this.#tokenOf(number, digits) === null ? digits : this.#masked(digits),
    );
    if (without === bytes) return encoded;
    const back = (text: string): string[] => {
      const base64 = Buffer.from(text, 'latin1').toString('base64');
      return [base64, base64.replace(/=+$/, ''), base64.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')];
    };
    const form = back(bytes).indexOf(plain);
    const again = back(without)[Math.max(form, 0)] ?? '';
    return encoded === plain ? again : again.replaceAll('/', '\\/');
  }

  #masked(digits: string): string {
    const hash = keyedHash(this.#secret, 'in an id', digits);
    return Array.from(digits, (_, i) =>
      String.fromCharCode(97 + (parseInt(hash.slice(2 * i, 2 * i + 2), 16) % 26)),
    ).join('');
  }

  /** The same for bytes that may not be text. */
  bytes(bytes: Buffer, number: string | null): Buffer {
    const encoding = isUtf8(bytes) ? 'utf8' : 'latin1';
    const text = bytes.toString(encoding);
    const without = this.text(text, number);
    return without === text ? bytes : Buffer.from(without, encoding);
  }

  /** An event as it is landed; the same one when it names nobody who was erased. */
  event<Event extends LedgerEvent>(event: Event): Event {
    const changed: Record<string, string> = {};
    for (const [field, value] of Object.entries(event)) {
      if (typeof value !== 'string' || value === '' || KEPT_FIELDS.has(field)) continue;
      const without = this.text(value, event.phone_number_id);
      if (without !== value) changed[field] = without;
    }
    if (Object.keys(changed).length === 0) return event;
    const { wa_id, user_id, group_id } = { ...event, ...changed };
    const customer = (group_id !== '' ? group_id : wa_id !== '' ? wa_id : user_id) as Customer;
    return { ...event, ...changed, customer };
  }
}

/** What is no customer's name, and may not be taken for one: of us, of an ad, or one of a few words. */
export const KEPT_FIELDS: ReadonlySet<string> = new Set([
  ...['event', 'kind', 'status', 'direction', 'type', 'device', 'origin', 'phone_number_id', 'waba_id'],
  ...['ad_id', 'source_type', 'referral_source_type', 'referral_source_id', 'referral_media_type'],
  ...['template_name', 'template_language', 'template_category', 'conversation_origin'],
  ...['pricing_model', 'pricing_type', 'pricing_category'],
]);
