/**
 * Explanations of Meta's codes for the sender of the message. Meta sends no event when a customer blocks a business.
 */
const MEANINGS: ReadonlyMap<string, string> = new Map([
  ['131047', 'more than 24 hours since the customer’s last message, only a template was allowed'],
  [
    '131026',
    'it cannot be delivered: not on WhatsApp, an old version, or the customer may have blocked the business; Meta does not say',
  ],
  ['131049', 'Meta’s own limit of marketing for one customer; it may go through a day later'],
  ['131050', 'the customer stopped marketing messages of the business'],
  ['130472', 'the customer’s number is in an experiment of Meta’s, without marketing'],
  ['131042', 'Meta has a problem with the payment or eligibility of the account'],
  ['131056', 'too many messages to this customer in a short time'],
  ['130429', 'too many messages of this business in a short time'],
  ['80007', 'too many messages of this account in a short time'],
  ['131000', 'something went wrong at Meta'],
  ['131016', 'Meta’s service was not available'],
  ['131057', 'the account was in maintenance'],
  ['131031', 'the account is locked'],
  ['368', 'the account is restricted for a while, because of Meta’s policies'],
  ['130497', 'the account may not write to customers of this country'],
]);

/** A code of Meta's in plain words; empty for a code that is not known here. */
export function refusalMeaning(code: string): string {
  return MEANINGS.get(code) ?? '';
}
