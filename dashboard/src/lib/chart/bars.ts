import {
  BarController,
  BarElement,
  CategoryScale,
  Chart,
  LinearScale,
  Tooltip,
  type ChartConfiguration,
  type ChartDataset,
  type Scale,
  type TooltipCallbacks,
} from 'chart.js';

import { dayNames, longDay, weekday } from '../format/dates.ts';
import { numberFormat } from '../format/locale.ts';

// Only what is drawn, to keep the rest of Chart.js out of the page.
Chart.register(BarController, BarElement, CategoryScale, LinearScale, Tooltip);

export type BarChart = Chart<'bar', number[], string>;

/** The chart's colours, from the page's style sheet, which defines each theme. */
export interface ChartColours {
  readonly replied: string;
  readonly unanswered: string;
  readonly pending: string;
  readonly saved: string;
  readonly billed: string;
  readonly before: string;
  readonly ink: string;
  readonly ink_soft: string;
  readonly line: string;
  readonly surface: string;
}

export function coloursOf(element: Element): ChartColours {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  return {
    replied: colour('--chart-replied'),
    unanswered: colour('--chart-unanswered'),
    pending: colour('--chart-pending'),
    saved: colour('--chart-saved'),
    billed: colour('--chart-billed'),
    before: colour('--chart-before'),
    ink: colour('--ink'),
    ink_soft: colour('--ink-soft'),
    line: colour('--line'),
    surface: colour('--surface'),
  };
}

/** The label and state of a bar. */
export interface ChartBar {
  readonly unfinished: boolean;
}

/** A day with bars. */
export interface ChartDay extends ChartBar {
  readonly day: string;
}

/** One kind of bar. */
export interface Series {
  readonly label: string;
  /** Id of its panel's axis. */
  readonly axis: string;
  readonly colour: string;
  /** Drawn hollow, with an outline of this colour, for conversations that are still open. */
  readonly outline?: string | undefined;
  /** Drawn behind the other bars, and wider: what they are compared with. */
  readonly isBehind?: boolean;
  /** One for each bar. */
  readonly values: number[];
}

/** With more bars, a bar would be hardly wider than its outline. */
const MAX_OUTLINED_BARS = 120;

/** Room for a title and numbers of four digits. In a narrow chart they would overlap otherwise. */
const MIN_AXIS_PX = 68;

/** An empty chart: panels above each other that share one time axis. */
export function createChart(canvas: HTMLCanvasElement): BarChart {
  const configuration: ChartConfiguration<'bar', number[], string> = {
    type: 'bar',
    data: { labels: [], datasets: [] },
    options: {
      animation: false,
      maintainAspectRatio: false,
      interaction: { mode: 'index', intersect: false },
      plugins: { tooltip: { padding: 12, boxPadding: 6, usePointStyle: true, cornerRadius: 8, borderWidth: 1 } },
    },
  };
  return new Chart(canvas, configuration);
}

type Font = { readonly family: string; readonly size: number };

export function fontOf(chart: BarChart): Font {
  return { family: getComputedStyle(chart.canvas).fontFamily, size: 12 };
}

/** The axis of a panel; `weight` is its height relative to the others. */
export function panel(
  title: string,
  weight: number,
  colours: ChartColours,
  font: Font,
  tickLabel: (value: number | string) => string,
) {
  return {
    type: 'linear' as const,
    position: 'left' as const,
    stack: 'panels',
    stackWeight: weight,
    stacked: true,
    beginAtZero: true,
    grace: '8%',
    border: { display: false },
    grid: { color: colours.line, drawTicks: false },
    title: { display: true, text: title, color: colours.ink_soft, font },
    afterFit: (axis: Scale) => {
      axis.width = Math.max(axis.width, MIN_AXIS_PX);
    },
    ticks: { maxTicksLimit: weight + 2, padding: 8, color: colours.ink_soft, font, callback: tickLabel },
  };
}

/** The space between two panels. */
export function gap(colours: ChartColours, font: Font) {
  return {
    ...panel('', 0.3, colours, font, String),
    ticks: { display: false },
    grid: { display: false },
    title: { display: false },
  };
}

export function timeAxis(colours: ChartColours, font: Font) {
  return {
    type: 'category' as const,
    stacked: true,
    border: { color: colours.line },
    grid: { display: false },
    ticks: { maxRotation: 0, autoSkipPadding: 20, color: colours.ink_soft, font },
  };
}

/** Names of the days. */
function dayLabels(days: readonly ChartDay[]): string[] {
  const nameOf = dayNames(days[0]?.day ?? '', days.at(-1)?.day ?? '');
  return days.map(({ day }) => nameOf(day));
}

export function dayTitle(day: ChartDay | undefined): string {
  return day ? `${weekday(day.day)} ${longDay(day.day)}${day.unfinished ? ' (unfinished)' : ''}` : '';
}

/** Sets the style and the texts of the tooltip. */
export function styleTooltip(
  chart: BarChart,
  series: readonly Series[],
  colours: ChartColours,
  texts: Partial<Pick<TooltipCallbacks<'bar'>, 'title' | 'label' | 'footer'>>,
): void {
  const tooltip = chart.options.plugins?.tooltip;
  if (!tooltip) return;
  const font = fontOf(chart);
  tooltip.backgroundColor = colours.surface;
  tooltip.borderColor = colours.line;
  tooltip.titleColor = colours.ink;
  tooltip.bodyColor = colours.ink;
  tooltip.footerColor = colours.ink_soft;
  tooltip.titleFont = tooltip.bodyFont = font;
  tooltip.footerFont = { ...font, weight: 'normal' };
  tooltip.callbacks = {
    ...texts,
    labelColor: (item) => {
      const { colour, outline } = series[item.datasetIndex] ?? { colour: colours.ink };
      return { borderColor: outline ?? colour, backgroundColor: colour };
    },
  };
}

const amountTicks = numberFormat({ notation: 'compact', maximumFractionDigits: 2 });

/** Puts series of days into an existing chart, with a panel for each axis, the first one at the top. */
export function setPanels(
  chart: BarChart,
  axes: readonly string[],
  series: readonly Series[],
  days: readonly ChartDay[],
  colours: ChartColours,
): void {
  const font = fontOf(chart);
  // Chart.js draws the first panel at the bottom.
  const panels = axes
    .toReversed()
    .flatMap((axis, i) => [
      ...(i === 0 ? [] : [[`gap ${axis}`, gap(colours, font)] as const]),
      [axis, panel(axis, 3, colours, font, (value) => amountTicks().format(Number(value)))] as const,
    ]);
  chart.data.labels = dayLabels(days);
  chart.data.datasets = series.map((one) => dataset(one, days, colours));
  chart.options.scales = { ...Object.fromEntries(panels), x: timeAxis(colours, font) };
}

export function dataset(
  { label, axis, colour, outline, values, isBehind = false }: Series,
  bars: readonly ChartBar[],
  colours: ChartColours,
): ChartDataset<'bar', number[]> {
  const hatched = hatching(outline ?? colour, colours.surface);
  const fills = bars.map((bar) => (bar.unfinished && !isBehind ? hatched : colour));
  return {
    label,
    data: values,
    xAxisID: 'x',
    yAxisID: axis,
    // One above the other instead of side by side.
    grouped: false,
    stack: isBehind ? 'before' : 'now',
    order: isBehind ? 1 : 0,
    backgroundColor: fills,
    // The tooltip shows which bar is meant. Chart.js's brighter shade would be a colour that the legend does not have.
    hoverBackgroundColor: fills,
    ...(outline !== undefined && bars.length <= MAX_OUTLINED_BARS
      ? { borderColor: outline, borderWidth: 1.5, borderSkipped: false }
      : {}),
    maxBarThickness: isBehind ? 46 : 36,
    categoryPercentage: isBehind ? 1 : 0.86,
    barPercentage: 0.9,
  };
}

/** Makes a click on a bar, or above or below it, lead somewhere. Readers without a pointer have the table's links. */
export function leadOn(chart: BarChart, isLink: (index: number) => boolean, follow: (index: number) => void): void {
  chart.options.onClick = (_, [bar]) => {
    if (bar !== undefined && isLink(bar.index)) follow(bar.index);
  };
  chart.options.onHover = (_, [bar]) => {
    chart.canvas.style.cursor = bar !== undefined && isLink(bar.index) ? 'pointer' : '';
  };
}

/** Diagonal stripes in a bar's own colour, so that an unfinished bar does not look like a low one. */
function hatching(colour: string, ground: string): CanvasPattern | string {
  const SIZE_PX = 6;
  const tile = document.createElement('canvas');
  tile.width = tile.height = SIZE_PX;
  const context = tile.getContext('2d');
  if (!context) return colour;
  context.fillStyle = ground;
  context.fillRect(0, 0, SIZE_PX, SIZE_PX);
  context.globalAlpha = 0.25;
  context.fillStyle = colour;
  context.fillRect(0, 0, SIZE_PX, SIZE_PX);
  context.globalAlpha = 1;
  context.strokeStyle = colour;
  context.lineWidth = 1.5;
  context.beginPath();
  // Three lines, because the corners of the tile belong to the lines of its neighbours.
  for (const shift of [-SIZE_PX, 0, SIZE_PX]) {
    context.moveTo(shift - 1, SIZE_PX + 1);
    context.lineTo(shift + SIZE_PX + 1, -1);
  }
  context.stroke();
  return context.createPattern(tile, 'repeat') ?? colour;
}
