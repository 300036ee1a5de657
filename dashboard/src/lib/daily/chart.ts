import {
  dataset,
  dayAxis,
  dayLabels,
  dayTitle,
  fontOf,
  gap,
  panel,
  styleTooltip,
  type BarChart,
  type ChartColours,
  type Series,
} from '../chart/bars.ts';
import { count, rate } from '../format/numbers.ts';
import type { DayView } from './days.ts';

/** From the bottom of the stack to its top. */
function seriesOf(days: readonly DayView[], colours: ChartColours): Series[] {
  const series = (
    label: string,
    axis: 'conversations' | 'saved',
    colour: string,
    value: (day: DayView) => number,
    outline?: string,
  ): Series => ({ label, axis, colour, outline, values: days.map(value) });
  return [
    series('Replied', 'conversations', colours.replied, (day) => day.replied),
    series('No reply within 24 h', 'conversations', colours.unanswered, (day) => day.unanswered),
    series('Pending', 'conversations', colours.pending, (day) => day.pending, colours.replied),
    series('Messages saved', 'saved', colours.saved, (day) => day.saved_from_charge),
  ];
}

/** Draws `days` into a chart that exists already, so that a change of theme or range does not rebuild it. */
export function updateChart(chart: BarChart, days: readonly DayView[], colours: ChartColours): void {
  const font = fontOf(chart);
  const counts = (title: string, weight: number) => {
    const axis = panel(title, weight, colours, font, (value) => count(Number(value)));
    return { ...axis, ticks: { ...axis.ticks, precision: 0 } };
  };
  const series = seriesOf(days, colours);
  chart.data.labels = dayLabels(days);
  chart.data.datasets = series.map((one) => dataset(one, days, colours));
  chart.options.scales = {
    // The panel that comes first is drawn at the bottom.
    saved: counts('Messages saved', 2),
    gap: gap(colours, font),
    conversations: counts('Conversations', 4),
    x: dayAxis(colours, font),
  };
  styleTooltip(chart, series, colours, {
    title: (items) => dayTitle(days[items[0]?.dataIndex ?? -1]),
    label: (item) => ` ${item.dataset.label}: ${count(item.parsed.y ?? 0)}`,
    footer: (items) => `24 h reply conversion rate: ${rate(days[items[0]?.dataIndex ?? -1]?.reply_rate ?? null)}`,
  });
  chart.update();
}
