import { comment, wrapItems } from './text';

/** A step in the table. */
interface Row {
  /** Address of the kernel's parameters, or NULL. */
  readonly params: string;
  /** The statement that calls the kernel with `s->params`, `in0`, `in1` and `out`; equal ones are one case. */
  readonly call: string;
  readonly fn: string;
  /** Indexes in the table of windows; scratch memory comes second. */
  readonly in: readonly number[];
  readonly out: number;
  readonly layer: number;
  /** As users see it (checkpoints.ts). */
  readonly number: number;
  /** Whether the next step has the same number. */
  readonly isFollowed: boolean;
}

/** Largest number of kernels and of windows where a row holds them as bytes: the highest bit of a kernel is a mark. */
const MOST_KERNELS = 128;
const MOST_VIEWS = 256;

/**
 * The steps as data: a row names a kernel, its parameters and its windows into feature maps, which takes a sixth of the
 * flash of a call, and one function runs the rows in order.
 */
export class StepTable {
  private readonly rows: Row[] = [];
  /** Comment above each row that has one. */
  private readonly comments = new Map<number, string[]>();
  private readonly names = new Map<string, string>();
  private begin = 0;
  private runs = 0;

  /** Puts a comment above the next row. */
  comment(text: string): void {
    const at = this.rows.length;
    this.comments.set(at, [...(this.comments.get(at) ?? []), text]);
  }

  add(row: Row): void {
    this.rows.push(row);
    if (this.names.has(row.call)) return;
    const base = `CALL_${row.fn.replace(/^qmcu_|^.*(?=kernel_\d+_layer)/, '').toUpperCase()}`;
    const taken = new Set(this.names.values());
    let name = base;
    for (let n = 2; taken.has(name); n++) name = `${base}_VARIANT_${n}`;
    this.names.set(row.call, name);
  }

  /** The call that runs the rows that came since the last one; none where there are none. */
  endRun(): string[] {
    const { begin, rows } = this;
    if (begin === rows.length) return [];
    this.runs++;
    this.begin = rows.length;
    return [`run(base, watch, ${rows[begin].number}, ${begin}, ${rows.length})`];
  }

  /** What its code consists of. */
  get counts(): { readonly runners: number; readonly named: number; readonly runs: number } {
    return { runners: this.rows.length > 0 ? 1 : 0, named: this.names.size, runs: this.runs };
  }

  /**
   * Bytes of the table in flash; that of layers is there only for those who measure their time.
   * @param views entries of the table of windows
   */
  bytes(views: number): number {
    return this.rows.length * (this.isNarrow(views) ? 8 : 12);
  }

  private isNarrow(views: number): boolean {
    return this.names.size <= MOST_KERNELS && views <= MOST_VIEWS;
  }

  /**
   * The table's type, its definition and the function that runs it.
   * @param ended what the function returns where the watcher ended the inference
   */
  render(ended: string, views: number): string {
    const { rows } = this;
    if (rows.length === 0) return '';
    const narrow = this.isNarrow(views);
    const type = narrow ? 'uint8_t' : 'uint16_t';
    const most = Math.max(...rows.map((row) => row.in.length));
    const inputs = [...Array(most).keys()].map((i) => `in${i}`);
    const lines = rows.map((row, i) => {
      const kernel = `${this.names.get(row.call)!}${row.isFollowed ? ' | MORE' : ''}`;
      const fields = [row.params, kernel, ...inputs.map((_, at) => row.in[at] ?? 0), row.out];
      const titles = (this.comments.get(i) ?? []).map((text) => `    ${comment([text])}`);
      return `${titles.join('')}    {${fields.join(', ')}},\n`;
    });
    const names = [...this.names.values(), `MORE = ${narrow ? MOST_KERNELS : 2 ** 15}`];
    return (
      `${comment(['Kernels of the steps; MORE: the next step belongs to the same layer.'])}enum {\n` +
      `${names.map((name) => `    ${name},\n`).join('')}};\n\n` +
      comment(['A step: the kernel with its parameters, and the windows that it reads and writes.']) +
      `typedef struct {\n    const void *params;\n    ${type} kernel;\n` +
      `    ${type} ${[...inputs, 'out'].join(', ')};\n} table_step;\n\n` +
      `static const table_step steps[${rows.length}] = {\n${lines.join('')}};\n\n` +
      `${comment(['Their layers.'])}static const uint16_t layers[${rows.length}] = {\n` +
      `${wrapItems(
        rows.map((row) => `${row.layer}`),
        '    ',
      ).join('\n')}\n};\n\n${this.runner(ended, inputs)}`
    );
  }

  private runner(ended: string, inputs: readonly string[]): string {
    const cases = [...this.names].map(
      ([call, name], i) =>
        `        ${i + 1 < this.names.size ? `case ${name}` : 'default'}:\n            ${call}\n            break;\n`,
    );
    const window = (map: string): string => `        (void)view(&${map}, arena, &views[s->${map}]);\n`;
    const parameters = 'uint8_t *arena, const qmcu_watch *watch, int32_t number, uint32_t begin, uint32_t end';
    return `/* Runs steps begin to end of the table, exclusive; number: that of the first for the watcher. */
static QMCU_NOINLINE int run(${parameters})
{
    qmcu_map ${[...inputs, 'out'].join(', ')};
    uint32_t i;
    int more = 0;
    (void)layers; /* of those who do not measure time */
    for (i = begin; i < end; i++) {
        const table_step *const s = &steps[i];
${[...inputs, 'out'].map(window).join('')}        if (more == 0) {
            QMCU_LAYER_BEGIN(layers[i]);
        }
        switch (s->kernel & (MORE - 1)) {
${cases.join('')}        }
        more = s->kernel & MORE;
        if (more == 0) {
            if (ended(watch, number++, &out)) {
                return ${ended};
            }
            QMCU_LAYER_END(layers[i]);
        }
    }
    return 0;
}
`;
  }
}
