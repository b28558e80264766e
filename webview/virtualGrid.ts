/**
 * A table as an ARIA grid that draws only the rows in sight: 3000 layers cost what 40 cost. Arrow keys move from cell
 * to cell, Enter on a heading sorts, and moving to another row selects it. The focused cell keeps the focus while rows
 * come and go.
 */
import { fill, h, setAria, uniqueId } from './dom';
import type { Column, GridOptions, Sort } from './gridTypes';
import { icon } from './icons';
import { openMenu, type MenuChoice } from './menu';

export type { Column, Sort } from './gridTypes';

const headerHeight = 28;
const overscan = 6;

export class VirtualGrid<Row> {
  readonly element: HTMLElement;
  private readonly header: HTMLElement;
  private readonly body: HTMLElement;
  private readonly rendered = new Map<number, HTMLElement>();
  /** All columns, and those for which there is room. */
  private available: readonly Column<Row>[] = [];
  private columns: readonly Column<Row>[] = [];
  private source: readonly Row[] = [];
  private rows: readonly Row[] = [];
  private sort: Sort | null = null;
  private selectedKey: number | null = null;
  /** Cell that Tab reaches; row −1 is the header. */
  private active = { row: 0, column: 0 };
  private frame = 0;
  /** Row to scroll to as soon as the grid has a size: it may be chosen while its tab is hidden. */
  private pendingReveal: number | null = null;

  constructor(private readonly options: GridOptions<Row>) {
    this.header = h('div', { role: 'row', class: 'grid-row grid-header', aria: { rowindex: 1 } });
    this.body = h('div', { role: 'rowgroup', class: 'grid-body' });
    this.element = h(
      'div',
      {
        role: 'grid',
        class: 'grid',
        id: uniqueId('grid'),
        aria: { label: options.label },
        on: {
          scroll: () => this.schedule(),
          keydown: (event) => this.onKey(event),
          click: (event) => this.onPointer(event),
          dblclick: (event) => {
            const row = this.rowOf(event.target as Element);
            if (this.openEditor()) return;
            if (row !== null && row >= 0) this.options.onActivate?.(this.rows[row]);
          },
          focusin: (event) => this.onFocus(event.target as Element),
        },
      },
      h('div', { role: 'rowgroup', class: 'grid-head' }, this.header),
      this.body,
    );
    new ResizeObserver(() => {
      this.fitColumns(false);
      if (this.pendingReveal !== null) this.reveal(this.pendingReveal);
      this.schedule();
    }).observe(this.element);
  }

  /** Rows in the order shown. */
  get visibleRows(): readonly Row[] {
    return this.rows;
  }

  setColumns(columns: readonly Column<Row>[]): void {
    this.available = columns;
    this.fitColumns(true);
  }

  private fitColumns(changed: boolean): void {
    const room = this.element.clientWidth;
    if (room === 0 && !changed) return;
    const width = (columns: readonly Column<Row>[]): number => columns.reduce((sum, c) => sum + c.width, 12);
    let columns = this.available;
    while (room > 0 && width(columns) > room) {
      const least = columns.reduce<Column<Row> | null>(
        (a, b) => (b.drop !== undefined && (a === null || b.drop > a.drop!) ? b : a),
        null,
      );
      if (least === null) break;
      columns = columns.filter((c) => c !== least);
    }
    if (!changed && columns.length === this.columns.length) return;
    const active = this.columns[this.active.column]?.id;
    this.columns = columns;
    this.active.column = Math.max(
      0,
      columns.findIndex((c) => c.id === active),
    );
    // Header and rows are grids of their own: equal tracks need equal widths.
    this.element.style.setProperty(
      '--tracks',
      columns.map((c) => (c.grow === undefined ? `${c.width}px` : `minmax(${c.width}px, ${c.grow}fr)`)).join(' '),
    );
    this.element.style.setProperty('--least-width', `${columns.reduce((sum, c) => sum + c.width, 12)}px`);
    setAria(this.element, 'colcount', columns.length);
    if (this.sort !== null && !this.available.some((c) => c.id === this.sort!.column)) this.sort = null;
    this.drawHeader();
    this.discard();
  }

  setRows(rows: readonly Row[]): void {
    this.source = rows;
    this.arrange();
  }

  setSort(sort: Sort | null): void {
    this.sort = sort;
    this.drawHeader();
    this.arrange();
  }

  /** Marks a row and, unless it is in sight, scrolls to it. */
  select(key: number | null): void {
    this.selectedKey = key;
    const index = key === null ? -1 : this.rows.findIndex((row) => this.options.key(row) === key);
    if (index >= 0) {
      if (!this.element.contains(document.activeElement)) this.active.row = index;
      this.reveal(index);
    }
    this.drawRows(true);
  }

  private arrange(): void {
    const column = this.sort === null ? undefined : this.available.find((c) => c.id === this.sort!.column);
    const value = column?.sortBy;
    if (value === undefined) {
      this.rows = this.source;
    } else {
      const sign = this.sort!.descending ? -1 : 1;
      this.rows = this.source
        .map((row) => ({ row, by: value(row) }))
        .sort((a, b) => {
          if (a.by === null || b.by === null) return Number(a.by === null) - Number(b.by === null);
          return (
            sign *
            (typeof a.by === 'number' && typeof b.by === 'number'
              ? a.by - b.by
              : String(a.by).localeCompare(String(b.by), undefined, { numeric: true }))
          );
        })
        .map(({ row }) => row);
    }
    this.body.style.height = `${this.rows.length * this.options.rowHeight}px`;
    setAria(this.element, 'rowcount', this.rows.length + 1);
    this.active.row = Math.max(this.active.row === -1 ? -1 : 0, Math.min(this.active.row, this.rows.length - 1));
    this.discard();
  }

  private discard(): void {
    const focused = this.body.contains(document.activeElement);
    for (const element of this.rendered.values()) element.remove();
    this.rendered.clear();
    this.drawRows(true);
    // New rows under a person's hands, e.g. after a new search: the focus stays in the grid.
    if (focused)
      (this.rendered.get(this.active.row)?.children[this.active.column] as HTMLElement | undefined)?.focus({
        preventScroll: true,
      });
  }

  private schedule(): void {
    if (this.frame !== 0) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.drawRows(false);
    });
  }

  private drawHeader(): void {
    fill(
      this.header,
      ...this.columns.map((column, index) => {
        const sorted = this.sort?.column === column.id ? this.sort : null;
        return h(
          'div',
          {
            role: 'columnheader',
            class:
              'grid-cell ' +
              `align-${column.align ?? 'start'}${column.sortBy ? ' sortable' : ''}${sorted ? ' sorted' : ''}`,
            tabIndex: this.active.row === -1 && this.active.column === index ? 0 : -1,
            title: column.description,
            aria: {
              colindex: index + 1,
              sort: sorted === null ? (column.sortBy ? 'none' : null) : sorted.descending ? 'descending' : 'ascending',
              label: column.description ?? null,
            },
          },
          h('span', { class: 'ellipsis' }, column.title),
          sorted && icon(sorted.descending ? 'sortDown' : 'sortUp'),
        );
      }),
    );
  }

  private drawRows(restate: boolean): void {
    const { rowHeight } = this.options;
    const height = this.element.clientHeight;
    if (height === 0) return;
    const first = Math.max(0, Math.floor(this.element.scrollTop / rowHeight) - overscan);
    const last = Math.min(this.rows.length - 1, Math.ceil((this.element.scrollTop + height) / rowHeight) + overscan);
    for (const [index, element] of this.rendered) {
      if (index < first || index > last) {
        if (element.contains(document.activeElement)) continue; // Removing it would lose the focus.
        element.remove();
        this.rendered.delete(index);
      }
    }
    const fresh: HTMLElement[] = [];
    for (let index = first; index <= last; index++) {
      const existing = this.rendered.get(index);
      if (existing === undefined) {
        const element = this.createRow(index);
        this.rendered.set(index, element);
        fresh.push(element);
      } else if (restate) {
        this.stateRow(existing, index);
      }
    }
    this.body.append(...fresh);
  }

  private createRow(index: number): HTMLElement {
    const row = this.rows[index];
    const element = h(
      'div',
      { role: 'row', aria: { rowindex: index + 2 } },
      ...this.columns.map((column, c) => {
        const cell = h('div', {
          role: 'gridcell',
          class: `grid-cell align-${column.align ?? 'start'}`,
          aria: { colindex: c + 1 },
        });
        column.render(cell, row);
        return cell;
      }),
    );
    element.style.top = `${index * this.options.rowHeight}px`;
    element.style.height = `${this.options.rowHeight}px`;
    element.dataset['row'] = String(index);
    this.stateRow(element, index);
    return element;
  }

  private stateRow(element: HTMLElement, index: number): void {
    const row = this.rows[index];
    const selected = this.options.key(row) === this.selectedKey;
    element.className =
      `grid-row ${index % 2 === 1 ? 'odd' : ''} ${this.options.rowClass?.(row) ?? ''} ` +
      `${selected ? 'selected' : ''}`;
    setAria(element, 'selected', selected);
    for (let c = 0; c < element.children.length; c++) {
      (element.children[c] as HTMLElement).tabIndex = index === this.active.row && c === this.active.column ? 0 : -1;
    }
  }

  private rowOf(target: Element): number | null {
    const element = target.closest<HTMLElement>('[role=row]');
    if (element === null) return null;
    return element === this.header ? -1 : Number(element.dataset['row']);
  }

  private onPointer(event: MouseEvent): void {
    const cell = (event.target as Element).closest('[role=gridcell],[role=columnheader]');
    const row = this.rowOf(event.target as Element);
    if (cell === null || row === null) return;
    const column = Array.from(cell.parentElement!.children).indexOf(cell);
    this.moveTo(row, column);
    if (row === -1) this.toggleSort(column);
  }

  private onFocus(target: Element): void {
    const cell = target.closest('[role=gridcell],[role=columnheader]');
    const row = this.rowOf(target);
    if (cell === null || row === null) return;
    this.active = { row, column: Array.from(cell.parentElement!.children).indexOf(cell) };
  }

  private toggleSort(index: number): void {
    const column = this.columns[index];
    if (column?.sortBy === undefined) return;
    const next =
      this.sort?.column !== column.id
        ? { column: column.id, descending: false }
        : this.sort.descending
          ? null
          : { column: column.id, descending: true };
    this.setSort(next);
    (this.header.children[index] as HTMLElement).focus();
    this.options.onSort?.(next);
  }

  private onKey(event: KeyboardEvent): void {
    const { row, column } = this.active;
    const page = Math.max(1, Math.floor((this.element.clientHeight - headerHeight) / this.options.rowHeight) - 1);
    const lastRow = this.rows.length - 1;
    const lastColumn = this.columns.length - 1;
    const all = event.ctrlKey || event.metaKey;
    const moves: Record<string, readonly [number, number]> = {
      ArrowUp: [row - 1, column],
      ArrowDown: [row + 1, column],
      ArrowLeft: [row, column - 1],
      ArrowRight: [row, column + 1],
      PageUp: [Math.max(0, row - page), column],
      PageDown: [row + page, column],
      Home: [all ? 0 : row, 0],
      End: [all ? lastRow : row, lastColumn],
    };
    const move = moves[event.key];
    if (move !== undefined) {
      event.preventDefault();
      this.moveTo(Math.max(-1, Math.min(lastRow, move[0])), Math.max(0, Math.min(lastColumn, move[1])));
    } else if (event.key === 'F2' || event.key === 'Enter') {
      event.preventDefault();
      if (this.openEditor() || event.key === 'F2') return;
      if (row === -1) this.toggleSort(column);
      else if (this.rows[row] !== undefined) (this.options.onActivate ?? this.options.onSelect)(this.rows[row]);
    } else if (/^[0-9]$/.test(event.key) && !all) {
      const choice = this.choicesAt(row, column)?.find(({ label }) => label.startsWith(event.key));
      if (choice?.chosen === false) choice.run();
    } else if (event.key === ' ') {
      event.preventDefault();
      if (row === -1) this.toggleSort(column);
      else if (this.rows[row] !== undefined) this.options.onSelect(this.rows[row]);
    }
  }

  private choicesAt(row: number, column: number): readonly MenuChoice[] | null {
    return this.rows[row] === undefined ? null : (this.columns[column]?.edit?.(this.rows[row]) ?? null);
  }

  /** Opens the choices of the active cell. @returns false where it has none */
  private openEditor(): boolean {
    const { row, column } = this.active;
    const choices = this.choicesAt(row, column);
    const cell = this.rendered.get(row)?.children[column] as HTMLElement | undefined;
    if (choices === null || cell === undefined) return false;
    openMenu(cell, this.columns[column].description ?? this.columns[column].title, choices);
    return true;
  }

  /** Focuses a cell, scrolling to it, and selects its row. */
  private moveTo(row: number, column: number): void {
    this.active = { row, column };
    if (row >= 0) this.reveal(row);
    this.drawHeaderTabStops();
    this.drawRows(true);
    const line = row === -1 ? this.header : this.rendered.get(row);
    (line?.children[column] as HTMLElement | undefined)?.focus({ preventScroll: row >= 0 });
    this.drawRows(true);
    if (row >= 0 && this.rows[row] !== undefined && this.options.key(this.rows[row]) !== this.selectedKey)
      this.options.onSelect(this.rows[row]);
  }

  private drawHeaderTabStops(): void {
    for (let c = 0; c < this.header.children.length; c++) {
      (this.header.children[c] as HTMLElement).tabIndex = this.active.row === -1 && this.active.column === c ? 0 : -1;
    }
  }

  private reveal(index: number): void {
    const { rowHeight } = this.options;
    const top = index * rowHeight;
    const room = this.element.clientHeight - headerHeight;
    this.pendingReveal = room > 0 ? null : index;
    if (room <= 0) return;
    if (top < this.element.scrollTop) this.element.scrollTop = top;
    else if (top + rowHeight > this.element.scrollTop + room) this.element.scrollTop = top + rowHeight - room;
  }
}
