import type { MenuChoice } from './menu';

/* What a VirtualGrid shows. */

export interface Column<Row> {
  readonly id: string;
  readonly title: string;
  /** Longer name, as tooltip and for screen readers. */
  readonly description?: string;
  /** Least width in pixels, and its share of the room that is left; without a share the width is fixed. */
  readonly width: number;
  readonly grow?: number;
  readonly align?: 'start' | 'end' | 'center';
  /** Left out where the columns do not fit side by side, the largest number first; without, it always stays. */
  readonly drop?: number;
  /** Fills the cell's element. Text from models must be passed as text. */
  render(cell: HTMLElement, row: Row): void;
  /**
   * Choices for the cell's value, opened by double-click, F2 or Enter and picked at once by typing; null where there
   * are none.
   */
  readonly edit?: (row: Row) => readonly MenuChoice[] | null;
  /** Null: sorted last. */
  readonly sortBy?: (row: Row) => number | string | null;
}

export interface GridOptions<Row> {
  readonly label: string;
  readonly rowHeight: number;
  /** Identity of a row across sorting and filtering. */
  readonly key: (row: Row) => number;
  readonly rowClass?: (row: Row) => string;
  readonly onSelect: (row: Row) => void;
  readonly onActivate?: (row: Row) => void;
  readonly onSort?: (sort: Sort | null) => void;
}

export interface Sort {
  readonly column: string;
  readonly descending: boolean;
}
