import type { WebhookFigures } from '@ctwa-ledger/schemas/health.ts';
import { timeLabel } from '../format/dates.ts';

const LOCAL = /^(localhost|127\.|\[::1\]|0\.0\.0\.0)/;

/** The address to give to Meta: that of the server behind a page, unless only this machine can reach it. */
export function webhookAddress(url: Pick<URL, 'hostname' | 'host'>): string {
  return `https://${LOCAL.test(url.hostname) ? 'your-host.example' : url.host}/webhook`;
}

/** The settings without which deliveries are refused. */
export function missingSecrets({ has_verify_token, has_app_secret }: WebhookFigures): string[] {
  return [...(has_verify_token ? [] : ['META_VERIFY_TOKEN']), ...(has_app_secret ? [] : ['META_APP_SECRET'])];
}

/** What the answers of the webhook mean (docs/contract.md 4). */
const ANSWERS: Readonly<Record<number, string>> = {
  200: 'accepted',
  401: 'refused: its signature is missing, or was not made with META_APP_SECRET',
  413: 'refused: it was too large',
  503: 'not stored, Meta sends it again',
};

/** The last delivery since the process started, in words. */
export function deliveryWords(last: WebhookFigures['last_delivery']): string {
  if (last === null) return 'none since this server started';
  const at = timeLabel(new Date(last.at * 1000).toISOString());
  return `${at} UTC, ${ANSWERS[last.status] ?? `refused with status ${last.status}`}`;
}
