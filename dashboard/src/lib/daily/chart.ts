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
  type TooltipItem,
} from 'chart.js';

import { longDay, shortDay, weekday } from '../format/dates.ts';
import { count, rate } from '../format/numbers.ts';
import type { DayView } from './days.ts';

// Only what is drawn: the rest of Chart.js stays out of the page.
Chart.register(BarController, BarElement, CategoryScale, LinearScale, Tooltip);

export type DayChart = Chart<'bar', number[], string>;

/** The chart's colours, from the page's style sheet, so that each theme is designed in one place. */
export interface ChartColours {
  readonly replied: string;
  readonly unanswered: string;
  readonly pending: string;
  readonly saved: string;
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
    ink: colour('--ink'),
    ink_soft: colour('--ink-soft'),
    line: colour('--line'),
    surface: colour('--surface'),
  };
}

interface Series {
  readonly label: string;
  readonly axis: 'conversations' | 'saved';
  readonly colour: (colours: ChartColours) => string;
  /** Drawn hollow, with an outline of this colour: open, neither success nor failure. */
  readonly outline?: (colours: ChartColours) => string;
  readonly value: (day: DayView) => number;
}

/** From the bottom of the stack to its top. */
const SERIES: readonly Series[] = [
  { label: 'Replied', axis: 'conversations', colour: (c) => c.replied, value: (day) => day.replied },
  { label: 'No reply within 24 h', axis: 'conversations', colour: (c) => c.unanswered, value: (day) => day.unanswered },
  {
    label: 'Pending',
    axis: 'conversations',
    colour: (c) => c.pending,
    outline: (c) => c.replied,
    value: (day) => day.pending,
  },
  { label: 'Messages saved', axis: 'saved', colour: (c) => c.saved, value: (day) => day.saved_from_charge },
];

/** With more days a bar is not much wider than the two sides of its outline. */
const MAX_OUTLINED_DAYS = 120;

/** Room for a title and numbers of four digits, which a narrow chart would otherwise write over each other. */
const MIN_AXIS_PX = 68;

/** An empty chart: two panels, one above the other, on one axis of days. */
export function createChart(canvas: HTMLCanvasElement): DayChart {
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

/** Draws `days` into a chart that exists already, so that a change of theme or range does not rebuild it. */
export function updateChart(chart: DayChart, days: readonly DayView[], colours: ChartColours): void {
  const font = { family: getComputedStyle(chart.canvas).fontFamily, size: 12 };
  const panel = (title: string, weight: number) => ({
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
    ticks: { precision: 0, maxTicksLimit: weight + 2, padding: 8, color: colours.ink_soft, font, callback: tickLabel },
  });

  // A range over a new year names the year, or two days would have one name.
  const one_year = days[0]?.day.slice(0, 4) === days.at(-1)?.day.slice(0, 4);
  chart.data.labels = days.map((day) => (one_year ? shortDay(day.day) : longDay(day.day)));
  chart.data.datasets = SERIES.map((series) => dataset(series, days, colours));
  chart.options.scales = {
    // The panel that comes first is drawn at the bottom.
    saved: panel('Messages saved', 2),
    gap: { ...panel('', 0.3), ticks: { display: false }, grid: { display: false }, title: { display: false } },
    conversations: panel('Conversations', 4),
    x: {
      type: 'category',
      stacked: true,
      border: { color: colours.line },
      grid: { display: false },
      ticks: { maxRotation: 0, autoSkipPadding: 20, color: colours.ink_soft, font },
    },
  };
  const tooltip = chart.options.plugins?.tooltip;
  if (tooltip) {
    tooltip.backgroundColor = colours.surface;
    tooltip.borderColor = colours.line;
    tooltip.titleColor = colours.ink;
    tooltip.bodyColor = colours.ink;
    tooltip.footerColor = colours.ink_soft;
    tooltip.titleFont = tooltip.bodyFont = font;
    tooltip.footerFont = { ...font, weight: 'normal' };
    tooltip.callbacks = {
      title: (items) => dayTitle(dayAt(days, items)),
      label: (item) => ` ${item.dataset.label}: ${count(item.parsed.y ?? 0)}`,
      labelColor: (item) => {
        const series = SERIES[item.datasetIndex];
        const fill = series?.colour(colours) ?? colours.ink;
        return { borderColor: series?.outline?.(colours) ?? fill, backgroundColor: fill };
      },
      footer: (items) => `24 h reply conversion rate: ${rate(dayAt(days, items)?.reply_rate ?? null)}`,
    };
  }
  chart.update();
}

function dataset(series: Series, days: readonly DayView[], colours: ChartColours): ChartDataset<'bar', number[]> {
  const full = series.colour(colours);
  const outline = series.outline?.(colours);
  const hatched = hatching(outline ?? full, colours.surface);
  const fills = days.map((day) => (day.unfinished ? hatched : full));
  return {
    label: series.label,
    data: days.map(series.value),
    xAxisID: 'x',
    yAxisID: series.axis,
    backgroundColor: fills,
    // The tooltip says which day is meant; Chart.js's brighter shade would be a colour of no legend.
    hoverBackgroundColor: fills,
    ...(outline !== undefined && days.length <= MAX_OUTLINED_DAYS
      ? { borderColor: outline, borderWidth: 1.5, borderSkipped: false }
      : {}),
    maxBarThickness: 36,
    categoryPercentage: 0.86,
    barPercentage: 0.9,
  };
}

/** Diagonal stripes in a bar's own colour: an unfinished day must not look like a bad one. */
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
  // Three lines, because the corners of the tile belong to its neighbours' lines.
  for (const shift of [-SIZE_PX, 0, SIZE_PX]) {
    context.moveTo(shift - 1, SIZE_PX + 1);
    context.lineTo(shift + SIZE_PX + 1, -1);
  }
  context.stroke();
  return context.createPattern(tile, 'repeat') ?? colour;
}

function dayAt(days: readonly DayView[], items: readonly TooltipItem<'bar'>[]): DayView | undefined {
  return days[items[0]?.dataIndex ?? -1];
}

function dayTitle(day: DayView | undefined): string {
  return day ? `${weekday(day.day)} ${longDay(day.day)}${day.unfinished ? ' (unfinished)' : ''}` : '';
}

function tickLabel(value: number | string): string {
  return count(Number(value));
}
