import { MAX_SEND_CHECK_BYTES, parseSendRequest, type ParsedSendRequest } from '@ctwa-ledger/schemas/send-check.ts';

/** The texts in the form of the page, as they were typed. */
export interface AskedTexts {
  /** Id of the business number. */
  readonly number: string;
  /** A send body, or recipients. */
  readonly what: string;
  /** For recipients: the name of the template; empty = a free-form message. */
  readonly template: string;
  /** For recipients: the template's category; empty = the one that the ledger knows. */
  readonly category: string;
}

export const NOTHING_ASKED: AskedTexts = { number: '', what: '', template: '', category: '' };

/** Recipients are separated by line breaks, commas or semicolons, because numbers may contain spaces. */
const BETWEEN_RECIPIENTS = /[\n\r,;]+/;

function bodyIn({ number, what }: AskedTexts): ParsedSendRequest {
  let body: Readonly<Record<string, unknown>>;
  try {
    // The text begins with a brace, so JSON makes an object of it.
    body = JSON.parse(what) as Readonly<Record<string, unknown>>;
  } catch {
    return {
      ok: false,
      message: 'What begins with { is taken for a send body, and this one is not JSON. Paste it whole.',
    };
  }
  return parseSendRequest('phone_number_id' in body || number === '' ? body : { ...body, phone_number_id: number });
}

function recipientsIn({ number, what, template, category }: AskedTexts): ParsedSendRequest {
  const recipients = what
    .split(BETWEEN_RECIPIENTS)
    .map((one) => one.trim())
    .filter((one) => one !== '');
  const content =
    template === ''
      ? { type: 'text', text: { body: 'free-form' } }
      : { type: 'template', template: { name: template, ...(category === '' ? {} : { category }) } };
  const to = recipients.length === 1 ? { to: recipients[0] } : { recipients, lines: true };
  return parseSendRequest({ phone_number_id: number, ...to, ...content });
}

/** Reads the form: a send body of the Cloud API, one recipient, or a list of them. */
export function readAsked(texts: AskedTexts): ParsedSendRequest {
  if (new TextEncoder().encode(texts.what).length > MAX_SEND_CHECK_BYTES)
    return {
      ok: false,
      message: `That is more than ${MAX_SEND_CHECK_BYTES / 1024} KB: check fewer recipients at once.`,
    };
  if (texts.what === '') return { ok: false, message: 'Paste a send body, or numbers, first.' };
  if (texts.what.startsWith('{')) return bodyIn(texts);
  if (texts.number === '') return { ok: false, message: 'Say which business number it would be sent from.' };
  return recipientsIn(texts);
}
