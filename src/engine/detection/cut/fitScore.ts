import type { HeadLevel } from '../head';
import { column, type Roles } from './probe';
import type { Table } from './tables';

/** A channel of an anchor. */
export interface FieldPlace {
  readonly part: number;
  readonly field: number;
}

/** How scores may come about, where the channels are that they come from, and in which columns they end. */
export interface ScoreGuess {
  readonly objectness: FieldPlace | null;
  readonly first: FieldPlace;
  readonly fn: HeadLevel['score']['fn'];
  readonly count: number;
  readonly background: number | null;
  /** Table and field of objectness by itself; null: scores are products with it. */
  readonly objectColumn: readonly [table: number, field: number] | null;
  /** Columns of the labels' scores, in the order of the labels. */
  readonly columns: readonly (readonly [table: number, field: number])[];
}

const split = (c: number): readonly [number, number] => [Math.floor(c / 65536), c % 65536];

interface Field extends FieldPlace {
  readonly columns: ReadonlySet<number>;
}

/**
 * What scores may be, judging by which columns a channel changes; the likeliest first.
 *
 * @param box channels of the box, which are none of scores
 * @param withObjectness whether the first of classes that stand by themselves is taken for objectness
 */
export function guessScores(
  roles: Roles,
  box: ReadonlySet<string>,
  tables: readonly Table[],
  withObjectness: boolean,
): ScoreGuess[] {
  const fields = roles.flatMap((part, p) =>
    part.flatMap((columns, field): Field[] =>
      columns.size > 0 && !box.has(`${p}/${field}`) ? [{ part: p, field, columns }] : [],
    ),
  );
  if (fields.length === 0) return [];
  return [...separate(fields, tables, withObjectness), ...productOfTwo(fields), ...softmaxes(fields)].filter(
    (guess) => guess.columns.length > 0,
  );
}

/** Classes must be channels in turn. */
function inTurn(fields: readonly Field[]): boolean {
  return fields.every(({ part, field }, i) => part === fields[0].part && field === fields[0].field + i);
}

const only = ({ columns }: Field): number => [...columns][0];

/** Each channel has a column of its own. */
function separate(fields: readonly Field[], tables: readonly Table[], withObjectness: boolean): ScoreGuess[] {
  if (fields.some(({ columns }) => columns.size !== 1)) return [];
  const sorted = [...fields].sort((a, b) => only(a) - only(b));
  // A table of its own with one column, beside one of several, is objectness.
  const alone = sorted.filter((f) => tables[split(only(f))[0]].fields === 1);
  const object =
    alone.length === 1 && sorted.length > 1 ? alone[0] : withObjectness && sorted.length > 1 ? sorted[0] : null;
  const classes = sorted.filter((f) => f !== object);
  if (!inTurn(classes) || new Set(sorted.map(only)).size !== sorted.length) return [];
  return [
    {
      objectness: object,
      first: classes[0],
      fn: 'sigmoid',
      count: classes.length,
      background: null,
      objectColumn: object ? split(only(object)) : null,
      columns: classes.map((f) => split(only(f))),
    },
  ];
}

/** One channel changes all scores, the others one each. */
function productOfTwo(fields: readonly Field[]): ScoreGuess[] {
  const most = Math.max(...fields.map(({ columns }) => columns.size));
  const object = fields.find(({ columns }) => columns.size === most)!;
  const classes = fields.filter((f) => f !== object).sort((a, b) => only(a) - only(b));
  const suits = classes.every((f) => f.columns.size === 1 && object.columns.has(only(f)));
  if (classes.length !== most || !suits || !inTurn(classes)) return [];
  return [
    {
      objectness: object,
      first: classes[0],
      fn: 'sigmoid',
      count: classes.length,
      background: null,
      objectColumn: null,
      columns: classes.map((f) => split(only(f))),
    },
  ];
}

/** Channels that change the same columns together; perhaps with objectness before them. */
function softmaxes(fields: readonly Field[]): ScoreGuess[] {
  const guesses: ScoreGuess[] = [];
  const all = [...new Set(fields.flatMap(({ columns }) => [...columns]))].sort((a, b) => a - b);
  const together = (own: readonly Field[], columns: readonly number[]): boolean =>
    own.length > 1 && inTurn(own) && own.every((f) => columns.every((c) => f.columns.has(c)));
  const add = (
    object: Field | null,
    classes: readonly Field[],
    columns: readonly number[],
    own: number | null,
  ): void => {
    if (!together(classes, columns)) return;
    const base = { objectness: object, first: classes[0], fn: 'softmax', count: classes.length } as const;
    const objectColumn = own === null ? null : split(own);
    const shown = columns.map(split);
    if (columns.length === classes.length) {
      if (object) guesses.push({ ...base, background: null, objectColumn, columns: shown });
      else guesses.push({ ...base, background: 0, objectColumn, columns: shown.slice(1) });
    } else if (columns.length === classes.length - 1) {
      for (const background of [0, classes.length - 1])
        guesses.push({ ...base, background, objectColumn, columns: shown });
    }
  };
  add(null, fields, all, null);
  for (const object of [fields[0], fields[fields.length - 1]]) {
    const classes = fields.filter((f) => f !== object);
    if (object.columns.size === 1 && classes.every((f) => !f.columns.has(only(object))))
      add(
        object,
        classes,
        all.filter((c) => c !== only(object)),
        only(object),
      );
    else add(object, classes, all, null);
  }
  return guesses;
}

/** Channels of a level's parts that change nothing but a box: its first, and how many; null where there are none. */
export function boxFields(
  roles: Roles,
  table: number,
  first: number,
): { part: number; field: number; count: number } | null {
  const wanted = new Set([0, 1, 2, 3].map((k) => column(table, first + k)));
  const found = roles.flatMap((part, p) =>
    part.flatMap((columns, field) =>
      columns.size > 0 && [...columns].every((c) => wanted.has(c)) ? [{ part: p, field, columns }] : [],
    ),
  );
  if (found.length === 0 || found.length % 4 !== 0 || !inTurn(found)) return null;
  return { part: found[0].part, field: found[0].field, count: found.length };
}
