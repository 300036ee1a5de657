import { createHash } from 'node:crypto';

const KEY_CHARS = 12;

/**
 * A key for a participant of a group message in addresses, which does not reveal the participant; empty for other
 * messages.
 */
export function participantKey(participant: string): string {
  return participant === '' ? '' : createHash('sha256').update(participant).digest('hex').slice(0, KEY_CHARS);
}

/** `participantKey` in SQL, of a column of type String. */
export function participantKeySql(column: string): string {
  return `if(${column} = '', '', lower(hex(substring(SHA256(${column}), 1, ${KEY_CHARS / 2}))))`;
}
