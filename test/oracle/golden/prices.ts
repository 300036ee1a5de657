/** Every policy and every kind of message, outside and inside a free entry window. */
import {
  AD,
  authentication,
  BILLABLE,
  type Cells,
  clicks,
  DAY,
  echo,
  FREE_SERVICE,
  type GoldenCase,
  HOUR,
  marketing,
  MONDAY_OF,
  POLICIES,
  type RawEvent,
  reaction,
  status,
  template,
  text,
  UNKNOWN,
  utility,
  writes,
} from './builders.ts';

interface PriceLine {
  readonly kind: string;
  readonly sent: (id: string, t: number) => RawEvent[];
  /** Whether the customer wrote an hour before. */
  readonly csw: boolean;
  /** Inside a free entry window: FREE_ENTRY when left out. */
  readonly inside?: Cells;
  /** In the order of the policies. */
  readonly outside: readonly [Cells, Cells, Cells, Cells];
}

const fromStatuses =
  (category?: string) =>
  (id: string, t: number): RawEvent[] => [
    status(id, 'sent', t - 1, { pricing: { pricing_model: 'NEW', type: 'new_type', ...(category && { category }) } }),
    status(id, 'delivered', t),
  ];
/** The report above names a category and an unknown type: it stays on the row and prediction decides. */
const unreported = (predicted: string): Cells => ({ predicted, reported: 'UNKNOWN', billing: predicted, type: '' });

const priceList: readonly PriceLine[] = [
  { kind: 'marketing, CSW open', sent: marketing, csw: true, outside: [BILLABLE, BILLABLE, BILLABLE, BILLABLE] },
  { kind: 'marketing, CSW closed', sent: marketing, csw: false, outside: [BILLABLE, BILLABLE, BILLABLE, BILLABLE] },
  { kind: 'utility, CSW open', sent: utility, csw: true, outside: [BILLABLE, BILLABLE, FREE_SERVICE, BILLABLE] },
  { kind: 'utility, CSW closed', sent: utility, csw: false, outside: [BILLABLE, BILLABLE, BILLABLE, BILLABLE] },
  {
    kind: 'authentication, CSW open',
    sent: authentication,
    csw: true,
    outside: [BILLABLE, BILLABLE, BILLABLE, BILLABLE],
  },
  {
    kind: 'authentication, CSW closed',
    sent: authentication,
    csw: false,
    outside: [BILLABLE, BILLABLE, BILLABLE, BILLABLE],
  },
  { kind: 'service', sent: text, csw: true, outside: [BILLABLE, FREE_SERVICE, FREE_SERVICE, BILLABLE] },
  { kind: 'reaction', sent: reaction, csw: true, outside: [BILLABLE, FREE_SERVICE, FREE_SERVICE, FREE_SERVICE] },
  {
    kind: 'template of category service',
    sent: (id, t) => template('SERVICE', id, t),
    csw: true,
    outside: [BILLABLE, FREE_SERVICE, FREE_SERVICE, BILLABLE],
  },
  {
    kind: 'template without a category',
    sent: (id, t) => template(undefined, id, t),
    csw: true,
    outside: [UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN],
  },
  {
    kind: 'template of a category never heard of',
    sent: (id, t) => template('general-purpose-AI', id, t),
    csw: true,
    outside: [BILLABLE, BILLABLE, BILLABLE, BILLABLE],
  },
  {
    kind: 'echo',
    sent: (id, t) => [echo(id, t)],
    csw: true,
    inside: { ...FREE_SERVICE, conversation_id: '', ad_id: '' },
    outside: [FREE_SERVICE, FREE_SERVICE, FREE_SERVICE, FREE_SERVICE],
  },
  {
    kind: 'echo of a template without a category',
    sent: (id, t) => [echo(id, t, { type: 'template', template: { name: 'follow_up' } })],
    csw: true,
    inside: { ...FREE_SERVICE, conversation_id: '', ad_id: '' },
    outside: [FREE_SERVICE, FREE_SERVICE, FREE_SERVICE, FREE_SERVICE],
  },
  {
    kind: 'utility known from statuses alone, CSW open',
    sent: fromStatuses('utility'),
    csw: true,
    outside: [unreported('BILLABLE'), unreported('BILLABLE'), unreported('FREE_SERVICE'), unreported('BILLABLE')],
  },
  {
    kind: 'service known from statuses alone',
    sent: fromStatuses('service'),
    csw: true,
    outside: [unreported('BILLABLE'), unreported('FREE_SERVICE'), unreported('FREE_SERVICE'), unreported('BILLABLE')],
  },
  {
    kind: 'utility of a group known from statuses alone, CSW open',
    sent: fromStatuses('group_utility'),
    csw: true,
    outside: [unreported('BILLABLE'), unreported('BILLABLE'), unreported('FREE_SERVICE'), unreported('BILLABLE')],
  },
  {
    kind: 'service of a group known from statuses alone',
    sent: fromStatuses('Group-Service'),
    csw: true,
    outside: [unreported('BILLABLE'), unreported('FREE_SERVICE'), unreported('FREE_SERVICE'), unreported('BILLABLE')],
  },
  {
    kind: 'template of category group_service',
    sent: (id, t) => template('group_service', id, t),
    csw: true,
    outside: [BILLABLE, FREE_SERVICE, FREE_SERVICE, BILLABLE],
  },
  {
    kind: 'template of category group_unknown',
    sent: (id, t) => template('group_unknown', id, t),
    csw: true,
    outside: [UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN],
  },
  {
    kind: 'nothing but statuses without a category',
    sent: fromStatuses(),
    csw: true,
    outside: [unreported('UNKNOWN'), unreported('UNKNOWN'), unreported('UNKNOWN'), unreported('UNKNOWN')],
  },
];

export const prices: readonly GoldenCase[] = priceList.flatMap(({ kind, sent, csw, inside, outside }) =>
  POLICIES.flatMap((policy, i): GoldenCase[] => {
    const t = MONDAY_OF[policy];
    const mark = outside[i]!;
    return [
      {
        name: `${policy}, outside a window: ${kind}: ${mark['predicted']}`,
        rule: '3',
        events: [writes('in', csw ? t - HOUR : t - DAY), ...sent('m', t)],
        expect: { messages: { m: { ...mark, policy, conversation_id: '', ad_id: '' } } },
      },
      {
        name: `${policy}, inside a window: ${kind}: ${inside?.['predicted'] ?? 'FREE_ENTRY'}`,
        rule: '3',
        events: [
          clicks('e', t - 2 * DAY),
          ...text('opener', t - 2 * DAY),
          ...(csw ? [writes('in', t - HOUR)] : []),
          ...sent('m', t),
        ],
        expect: {
          messages: {
            m: {
              predicted: 'FREE_ENTRY',
              billing: 'FREE_ENTRY',
              billable: 'false',
              policy,
              conversation_id: 'e',
              ad_id: AD,
              ...inside,
            },
          },
          conversations: { e: { free_messages: inside === undefined ? '2' : '1' } },
        },
      },
    ];
  }),
);
