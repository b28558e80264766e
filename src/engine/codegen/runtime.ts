import { runtimeSources } from './runtimeSources';
import { macroPrefix } from './identifier';
import type { GeneratedFile } from './types';

/** Header that all models of a firmware share word for word: it holds macros that a user may override, once for all. */
const portHeader = 'quantmcu_port.h';

/**
 * The runtime's files that a program needs: those that define the kernels it calls, what these call in turn, and their
 * headers. Every file and every symbol carries the model's name, so that two models, even of two versions, link into
 * one firmware and build systems that put all object files into one folder find no two of one name.
 *
 * @param functions kernels that the generated code calls, e.g. `qmcu_conv2d`
 * @param headers headers that it includes besides `quantmcu.h`
 */
export function runtimeFiles(
  functions: ReadonlySet<string>,
  name: string,
  headers: readonly string[] = [],
): GeneratedFile[] {
  const needed = new Set<string>(['quantmcu.h']);
  const queue: string[] = ['quantmcu.h'];
  const need = (file: string): void => {
    if (needed.has(file)) return;
    needed.add(file);
    queue.push(file);
  };
  const definers = definitions();
  headers.forEach(need);
  for (const fn of functions) {
    const files = definers.get(fn);
    if (!files) throw new Error(`The runtime has no kernel '${fn}'.`);
    files.forEach(need);
  }
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    const source = runtimeSources[file].text;
    for (const [, header] of source.matchAll(/^#\s*include\s+"([^"]+)"/gm)) need(header);
    // A header names kernels that it only declares; a source that names one calls it.
    if (file.endsWith('.h')) continue;
    for (const [symbol] of source.matchAll(/\bqmcu_\w+\b/g)) {
      definers.get(symbol)?.forEach(need);
    }
  }
  return [...needed]
    .sort()
    .map((file) => ({ path: runtimeFileName(file, name), text: forModel(runtimeSources[file].text, name) }));
}

/** Name of a runtime file in a model's folder. */
export function runtimeFileName(file: string, name: string): string {
  return file === portHeader ? file : `${name}_${file}`;
}

/**
 * The text of a runtime file, or generated text that names the runtime, with the model's name in symbols, includes and
 * include guards.
 */
export function forModel(source: string, name: string): string {
  return source
    .replace(/\r\n/g, '\n')
    .replace(/^(#\s*include\s+")([^"]+)(")/gm, (whole, open: string, file: string, close: string) =>
      file in runtimeSources ? `${open}${runtimeFileName(file, name)}${close}` : whole,
    )
    .replace(/(?<!["\w])qmcu_(?=\w)/g, `${name}_qmcu_`)
    .replace(/\b(QUANTMCU|QMCU_[A-Z]+)_H\b/g, (guard) =>
      guard === 'QUANTMCU_PORT_H' ? guard : `${macroPrefix(name)}_${guard}`,
    );
}

/**
 * External function → files that define it, one for each kind of core: what begins in the first column and is neither
 * static nor inline.
 */
function definitions(): Map<string, string[]> {
  const result = new Map<string, string[]>();
  for (const [file, { text }] of Object.entries(runtimeSources)) {
    for (const [, fn] of text.matchAll(
      /^(?!static|QMCU_INLINE|typedef|#)[A-Za-z_][\w *]*?\b(qmcu_\w+)\([^;{}]*\)\s*\{/gm,
    ))
      result.set(fn, [...(result.get(fn) ?? []), file]);
  }
  return result;
}
