import type { DayVariance } from '@ctwa-ledger/schemas/meta.ts';

import { dayTitle, setPanels, styleTooltip, type BarChart, type ChartColours, type Series } from '../chart/bars.ts';
import { amountDifference, countDifference } from '../format/amounts.ts';
import { NOTHING } from '../format/numbers.ts';

/** Whether there is a difference of charges to draw. */
export function hasCosts(days: readonly DayVariance[]): boolean {
  return days.some(({ cost_difference, currency }) => cost_difference !== null && currency !== '');
}

interface Panel {
  readonly axis: string;
  readonly text: (day: DayVariance) => string;
  readonly value: (day: DayVariance) => string | null;
}

function panelsOf(days: readonly DayVariance[], counts: string): readonly Panel[] {
  const currency = days.at(0)?.currency ?? '';
  const volumes: Panel = {
    axis: `${counts}s`,
    text: ({ volume_difference: volume }) => (volume === null ? NOTHING : countDifference(volume)),
    value: ({ volume_difference }) => volume_difference,
  };
  const costs: Panel = {
    axis: currency,
    text: ({ cost_difference }) => amountDifference(cost_difference, currency),
    value: ({ cost_difference }) => cost_difference,
  };
  return hasCosts(days) ? [volumes, costs] : [volumes];
}

interface DrawnSeries extends Series {
  /** Whether these are the days beyond tolerance. */
  readonly departs: boolean;
}

/** Bars of the days that depart, and of the others, in two colours. */
function seriesOf({ axis, value }: Panel, days: readonly DayVariance[], colours: ChartColours): DrawnSeries[] {
  const series = (label: string, colour: string, departs: boolean): DrawnSeries => ({
    label: `${label}, ${axis}`,
    axis,
    colour,
    departs,
    // A number for the height of the bar only; the tooltip uses the decimal text.
    values: days.map((day) => ((day.day_state === 'departs') === departs ? Number(value(day) ?? 0) : 0)),
  });
  return [series('Beyond tolerance', colours.saved, true), series('Within tolerance', colours.replied, false)];
}

/** Draws expected − Meta's for each day into an existing chart: messages above, charges below. */
export function updateVariances(
  chart: BarChart,
  days: readonly DayVariance[],
  counts: string,
  colours: ChartColours,
): void {
  const panels = panelsOf(days, counts);
  const bars = days.map(({ day }) => ({ day, unfinished: false }));
  const series = panels.flatMap((one) => seriesOf(one, days, colours));
  const textOf = new Map(panels.map(({ axis, text }) => [axis, text]));
  setPanels(
    chart,
    panels.map(({ axis }) => axis),
    series,
    bars,
    colours,
  );
  styleTooltip(chart, series, colours, {
    title: (items) => dayTitle(bars[items[0]?.dataIndex ?? -1]),
    label: (item) => {
      const day = days[item.dataIndex];
      const text = textOf.get(series[item.datasetIndex]?.axis ?? '');
      return day === undefined || text === undefined ? '' : ` ${item.dataset.label}: ${text(day)}`;
    },
  });
  const tooltip = chart.options.plugins?.tooltip;
  // Of the two bars of a day only one has a value.
  if (tooltip)
    tooltip.filter = ({ dataIndex, datasetIndex }) =>
      series[datasetIndex]?.departs === (days[dataIndex]?.day_state === 'departs');
  chart.update();
}
