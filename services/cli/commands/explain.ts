import type { Ledger } from '../../ledger/ledger.ts';
import { ActionableError } from '../../clickhouse/errors.ts';
import { parseFilters } from '@ctwa-ledger/schemas/report-filters.ts';
import { settleCharges } from '../../rating/charges.ts';
import { explain as explainMessage } from '../../reports/message.ts';
import { withExistingLedger, withSample } from '../open.ts';
import { UsageError, type CommonOptions } from '../settings.ts';

export async function explain(id: string, options: CommonOptions & { tz?: string; sample?: boolean }): Promise<void> {
  const parsed = parseFilters({ tz: options.tz }, Math.floor(Date.now() / 1000));
  if (!parsed.ok) throw new UsageError(parsed.message);
  const run = async (ledger: Ledger): Promise<void> => {
    await settleCharges(ledger.database);
    const explained = await explainMessage(ledger, {
      message_id: id,
      phone_number_id: null,
      tz: parsed.filters.tz,
    });
    if (explained.length === 0)
      throw new ActionableError(
        `The ledger has no outbound message with the id "${id}". Use the id from the report messages.`,
      );
    for (const { message, mark_sentence, names, amount_sentence, failure_sentence } of explained) {
      const lines = [mark_sentence, amount_sentence];
      if (failure_sentence !== '') lines.push(failure_sentence);
      if (message.dialled_customer !== '')
        lines.push(
          `Meta's statuses name ${message.recipient}, the sender ${message.dialled_customer}: one customer (F3)`,
        );
      if (names.length > 1) lines.push(`The customer is known as ${names.join(', ')}: one person (F9)`);
      if (message.participant !== '') lines.unshift(`To ${message.participant}, in a group:`);
      process.stdout.write(`${lines.join('\n')}\n`);
    }
  };
  await (options.sample === true ? withSample(options, run) : withExistingLedger('explain', options, run));
}
