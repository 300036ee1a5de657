import { OPENS_FREE_WINDOW } from '../lifecycle/marks.ts';
import type { RatingBasis } from './basis.ts';
import { countrySql } from './countries.ts';

const IS_OF_GROUP =
  "(participant != '' OR startsWith(toString(category), 'group_') OR startsWith(toString(reported_category), 'group_'))";
const FREE = `if(${IS_OF_GROUP}, 'FREE_GROUP_CUSTOMER_SERVICE', 'FREE_CUSTOMER_SERVICE')`;

/** Under per-message pricing every delivered message is counted. */
const TYPE = `multiIf(
        billing = 'BILLABLE', if(basis = 'allowance', ${FREE}, 'REGULAR'),
        billing = 'FREE_ENTRY', 'FREE_ENTRY_POINT',
        billing = 'FREE_SERVICE', ${FREE},
        toString(billing))`;

/**
 * Under conversation pricing only the message that opens a conversation, or a free entry window, is counted (rules.md
 * W5).
 */
const CONVERSATION_TYPE = `multiIf(
        billing = 'BILLABLE', if(basis = 'allowance', 'CONVERSATION_FREE_TIER', 'CONVERSATION_REGULAR'),
        billing = 'FREE_ENTRY', if(rule = '${OPENS_FREE_WINDOW}', 'CONVERSATION_FREE_ENTRY_POINT', 'COVERED'),
        billing = 'FREE_SERVICE', 'CONVERSATION_FREE_TIER',
        billing = 'COVERED', 'COVERED',
        concat('CONVERSATION_', toString(billing)))`;

/**
 * Messages with the dimensions of Meta's analytics: `country` of the customer, `meta_category` and `meta_type`. The
 * type is one of Meta's pricing types, or `UNKNOWN`. Under conversation pricing, for which Meta has no figures per
 * message, it is `CONVERSATION_` with a conversation type, or `COVERED` for a message in a conversation. It is empty
 * for a message that is on no bill of Meta's (rules.md F6).
 * @param placed a query from `placedSql`
 */
export function inMetaTerms(basis: RatingBasis, placed: string): string {
  return `
  SELECT *,
    ${countrySql('recipient')} AS country,
    multiIf(${basis.echoes === 'apart' ? "is_echo = 1, ''," : ''}
      model = 'conversation', ${CONVERSATION_TYPE},
      billing = 'COVERED', 'COVERED',
      ${TYPE}) AS meta_type,
    upper(replaceAll(if(reported_category = '', toString(category), toString(reported_category)), '-', '_')) AS meta_category
  FROM (${placed})`;
}
