import {
  dataset,
  timeAxis,
  fontOf,
  gap,
  leadOn,
  panel,
  styleTooltip,
  type BarChart,
  type ChartColours,
  type Series,
} from '../chart/bars.ts';
import { count, rate } from '../format/numbers.ts';
import type { Bucket } from './buckets.ts';

/** From the bottom of the stack to its top. */
function seriesOf(buckets: readonly Bucket[], colours: ChartColours): Series[] {
  const series = (
    label: string,
    axis: 'conversations' | 'saved',
    colour: string,
    value: (bucket: Bucket) => number,
    outline?: string,
  ): Series => ({ label, axis, colour, outline, values: buckets.map(value) });
  return [
    series('Answered', 'conversations', colours.replied, (bucket) => bucket.replied),
    series('Not answered within 24 h', 'conversations', colours.unanswered, (bucket) => bucket.unanswered),
    series('Pending', 'conversations', colours.pending, (bucket) => bucket.pending, colours.replied),
    series('Messages saved', 'saved', colours.saved, (bucket) => bucket.saved_from_charge),
    ...(buckets.some(({ before }) => before !== null)
      ? [
          {
            ...series('Compared with', 'conversations', colours.before, ({ before }) => before?.ad_conversations ?? 0),
            isBehind: true,
          },
        ]
      : []),
  ];
}

function labelOf(series: Series | undefined, bucket: Bucket | undefined): string {
  if (series?.isBehind !== true) return series?.label ?? '';
  return bucket?.before == null ? 'Compared with nothing' : `Compared with ${bucket.before.name}`;
}

function titleOf(bucket: Bucket | undefined): string {
  if (bucket === undefined) return '';
  const { name, detail, unfinished, is_cut } = bucket;
  const state = unfinished ? ' (unfinished)' : is_cut ? ' (part of a week)' : '';
  return `${name}${detail === '' ? '' : `, ${detail}`}${state}`;
}

/**
 * Draws `buckets` into an existing chart, so that a change of theme or range does not rebuild it.
 * @param follow shows only the days of a bucket
 */
export function updateChart(
  chart: BarChart,
  buckets: readonly Bucket[],
  colours: ChartColours,
  follow: (bucket: Bucket) => void,
): void {
  const font = fontOf(chart);
  const counts = (title: string, weight: number) => {
    const axis = panel(title, weight, colours, font, (value) => count(Number(value)));
    return { ...axis, ticks: { ...axis.ticks, precision: 0 } };
  };
  const series = seriesOf(buckets, colours);
  // A week that the range cuts is drawn like an unfinished one: both look low only because days are missing.
  const bars = buckets.map(({ unfinished, is_cut }) => ({ unfinished: unfinished || is_cut }));
  chart.data.labels = buckets.map((bucket) => bucket.label);
  chart.data.datasets = series.map((one) => dataset(one, bars, colours));
  chart.options.scales = {
    // Chart.js draws the first panel at the bottom.
    saved: counts('Messages saved', 2),
    gap: gap(colours, font),
    conversations: counts('Conversations', 4),
    x: timeAxis(colours, font),
  };
  styleTooltip(chart, series, colours, {
    title: (items) => titleOf(buckets[items[0]?.dataIndex ?? -1]),
    label: (item) => ` ${labelOf(series[item.datasetIndex], buckets[item.dataIndex])}: ${count(item.parsed.y ?? 0)}`,
    footer: (items) => `Answered within 24 h: ${rate(buckets[items[0]?.dataIndex ?? -1]?.reply_rate ?? null)}`,
  });
  const isLink = (index: number): boolean => (buckets[index]?.days ?? null) !== null;
  leadOn(chart, isLink, (index) => {
    const bucket = buckets[index];
    if (bucket !== undefined) follow(bucket);
  });
  chart.update();
}
