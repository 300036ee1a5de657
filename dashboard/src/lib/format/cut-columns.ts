/** Tolerance for rounded positions. */
const SLACK_PX = 1;

/** A row with a cell for every column; undefined when the table only says that it is empty. */
function fullRow(table: HTMLTableElement): HTMLTableRowElement | undefined {
  return [...table.tBodies].flatMap((body) => [...body.rows]).find((row) => row.cells.length > 1);
}

/**
 * Hides the columns of a table that its frame shows only in part, on both sides: a part of a number looks like another
 * number. A column wider than the frame stays visible, because it could never be read otherwise. A frame whose table
 * fits does not scroll.
 */
export function coverCutColumns(frame: HTMLElement): () => void {
  const scroll = frame.querySelector<HTMLElement>('.scroll');
  const table = scroll?.querySelector('table');
  const before = frame.querySelector<HTMLElement>('.cover.before');
  const after = frame.querySelector<HTMLElement>('.cover.after');
  if (!scroll || !table || !before || !after) return () => undefined;

  function place(scroll: HTMLElement, table: HTMLTableElement, before: HTMLElement, after: HTMLElement): void {
    const fits = table.offsetWidth <= scroll.clientWidth + SLACK_PX;
    frame.classList.toggle('fits', fits);
    const cells = [...(fullRow(table)?.cells ?? [])].map((cell) => cell.getBoundingClientRect());
    const [first, ...others] = cells;
    const { left } = scroll.getBoundingClientRect();
    const end = left + scroll.clientLeft + scroll.clientWidth;
    // Beside a first column that stays, another column may have no room.
    const isLoose = others.some(({ width }) => width > scroll.clientWidth - (first?.width ?? 0));
    frame.classList.toggle('loose', isLoose);
    const start = first === undefined || isLoose ? left : Math.max(first.right, left);
    const readable = (isLoose ? cells : others).filter(({ width }) => width <= end - start);
    const cutAfter = readable.find((cell) => cell.left < end - SLACK_PX && cell.right > end + SLACK_PX);
    const cutBefore = readable.find((cell) => cell.left < start - SLACK_PX && cell.right > start + SLACK_PX);

    after.hidden =
      first === undefined || fits || scroll.scrollLeft + scroll.clientWidth >= scroll.scrollWidth - SLACK_PX;
    after.style.width = `${cutAfter === undefined ? 0 : end - Math.max(cutAfter.left, start)}px`;
    before.hidden = first === undefined || fits || scroll.scrollLeft <= SLACK_PX;
    before.style.left = `${start - frame.getBoundingClientRect().left}px`;
    before.style.width = `${cutBefore === undefined ? 0 : Math.min(cutBefore.right, end) - start}px`;
  }

  const placeNow = (): void => place(scroll, table, before, after);
  const observer = new ResizeObserver(placeNow);
  observer.observe(scroll);
  observer.observe(table);
  scroll.addEventListener('scroll', placeNow, { passive: true });
  return () => {
    observer.disconnect();
    scroll.removeEventListener('scroll', placeNow);
  };
}
