import { dayTitle, setPanels, styleTooltip, type BarChart, type ChartColours, type Series } from '../chart/bars.ts';
import { partialMoney } from '../format/amounts.ts';
import type { BilledDay } from './days.ts';

interface AmountSeries extends Series {
  /** One for each day, as in the report. */
  readonly amounts: readonly (string | null)[];
  /** Messages of the day without an amount. */
  readonly unrated: readonly number[];
  readonly currency: string;
}

/** The expected charge below, the savings on top: together they are the list cost. */
function seriesOf(days: readonly BilledDay[], currencies: readonly string[], colours: ChartColours): AmountSeries[] {
  const series = (label: string, currency: string, colour: string, part: 'billed_cost' | 'savings'): AmountSeries => {
    const amounts = days.map((day) => day.amounts.get(currency)?.[part] ?? null);
    const unrated = days.map((day) => day.amounts.get(currency)?.unrated ?? 0);
    // A number for the height of the bar only; the tooltip uses the decimal text.
    return {
      label: `${label} ${currency}`,
      axis: currency,
      colour,
      amounts,
      unrated,
      currency,
      values: amounts.map(Number),
    };
  };
  return currencies.flatMap((currency) => [
    series('Expected charge', currency, colours.billed, 'billed_cost'),
    series('Saved', currency, colours.replied, 'savings'),
  ]);
}

/** Draws `days` into an existing chart, with a panel for each currency, because currencies share no scale. */
export function updateChart(
  chart: BarChart,
  days: readonly BilledDay[],
  currencies: readonly string[],
  colours: ChartColours,
): void {
  const series = seriesOf(days, currencies, colours);
  setPanels(chart, currencies, series, days, colours);
  styleTooltip(chart, series, colours, {
    title: (items) => dayTitle(days[items[0]?.dataIndex ?? -1]),
    label: (item) => {
      const { currency, amounts, unrated } = series[item.datasetIndex] ?? { currency: '', amounts: [], unrated: [] };
      return ` ${item.dataset.label}: ${partialMoney(amounts[item.dataIndex] ?? null, currency, unrated[item.dataIndex] ?? 0)}`;
    },
  });
  chart.update();
}
