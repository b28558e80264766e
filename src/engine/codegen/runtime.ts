import type { Core } from '../targets/types';
import { macroPrefix } from './identifier';
import { runtimeSources, type RuntimeFolder } from './runtimeSources';
import type { GeneratedFile } from './types';

/*
 * The runtime as a firmware project gets it: few files, one for each kind of operator, each composed of files of
 * src/firmware/. A project has them once, in a folder of its own (`quantmcu/`), or each model has a copy of its own.
 */

/** Kind of core that has kernels of its own. */
export type CoreKind = Exclude<RuntimeFolder, 'common'>;

export const CORE_KINDS: readonly CoreKind[] = ['dsp', 'mve', 'plain'];

/** What a model needs of the runtime. */
export interface RuntimeNeeds {
  /** Kinds of cores that it has to run on. */
  readonly cores: readonly CoreKind[];
  /** Files, e.g. `qmcu_conv2d.c`; headers that all need are not listed. */
  readonly files: readonly string[];
}

/** The interface between generated code and runtime, `QMCU_INTERFACE`: one more for each change that breaks it. */
export const RUNTIME_INTERFACE = 1;

/** Header that all models of a firmware share word for word: it holds macros that a user may override, once for all. */
const portHeader = 'quantmcu_port.h';
/** What applications and generated code see. */
const interfaceHeader = 'quantmcu.h';
/** What all kernels share. */
const internalHeader = 'qmcu_internal.h';
/** Loops that kernels of conv2d and depthwise2d share with those made for one layer. */
export const layerKernelsHeader = 'qmcu_layer_kernels.h';

/** Title and parts of each C file; parts that belong to other kinds of cores are left out. */
const cFiles: Readonly<Record<string, { readonly title: string; readonly parts: RegExp }>> = {
  'qmcu_conv2d.c': {
    title: '2-D convolution and fully connected layers',
    parts: /^qmcu_(conv2d|fully_connected)[a-z0-9_]*\.c$/,
  },
  'qmcu_depthwise2d.c': { title: 'depthwise convolution', parts: /^qmcu_depthwise2d[a-z0-9_]*\.c$/ },
  'qmcu_elementwise.c': {
    title: 'packing of codes and element-wise kernels',
    parts: /^qmcu_(codes|elementwise)[a-z0-9_]*\.c$/,
  },
  'qmcu_pool.c': { title: 'pooling and resampling', parts: /^qmcu_pool[a-z0-9_]*\.c$/ },
  'qmcu_softmax.c': { title: 'kernels over all codes of a pixel or a region', parts: /^qmcu_softmax[a-z0-9_]*\.c$/ },
};
/** Every kernel packs and unpacks codes. */
const always = 'qmcu_elementwise.c';
const internalParts = [
  'qmcu_core.h',
  'qmcu_internal.h',
  'qmcu_mve.h',
  'qmcu_dsp.h',
  'qmcu_dsp_emulated.h',
  'qmcu_plain.h',
  'qmcu_requantize.h',
];

/** The kind of a target's core; without a target all kinds. */
export function coreKinds(core: Core | undefined): readonly CoreKind[] {
  switch (core) {
    case undefined:
      return CORE_KINDS;
    case 'cortex-m4':
    case 'cortex-m7':
    case 'cortex-m33':
      return ['dsp'];
    case 'cortex-m55':
      // Also built without vectors, and on a PC.
      return ['mve', 'plain'];
    default:
      return ['plain'];
  }
}

/** Files of the runtime that define functions, and the files of the headers' kernels. */
export function filesOf(functions: Iterable<string>): string[] {
  const definers = definitions();
  const files = new Set<string>([always]);
  for (const fn of functions) {
    const parts = definers.get(fn);
    if (!parts) throw new Error(`The runtime has no kernel '${fn}'.`);
    for (const part of parts) files.add(fileWith(part));
  }
  return [...files].sort();
}

/** What several models need together. */
export function joinNeeds(needs: readonly RuntimeNeeds[]): RuntimeNeeds {
  const all = new Set(needs.flatMap((n) => n.cores));
  return {
    cores: CORE_KINDS.filter((kind) => all.has(kind)),
    files: [...new Set(needs.flatMap((n) => n.files))].sort(),
  };
}

/** The runtime's files for what is needed, sorted. */
export function runtimeFiles({ cores, files }: RuntimeNeeds): GeneratedFile[] {
  const composer = new Composer(cores);
  const headers = [portHeader, interfaceHeader, internalHeader];
  if (files.some((file) => file === 'qmcu_conv2d.c' || file === 'qmcu_depthwise2d.c' || file === layerKernelsHeader))
    if (composer.hasLayerKernels) headers.push(layerKernelsHeader);
  return [...new Set([...headers, ...files])]
    .filter((file) => file in cFiles || headers.includes(file))
    .sort()
    .map((path) => ({ path, text: composer.file(path) }));
}

/** Whether a manifest's entry names a file that models may need. */
export function isRuntimeFile(file: unknown): file is string {
  return typeof file === 'string' && (file in cFiles || file === layerKernelsHeader);
}

/** Names of the runtime's files. */
export function isRuntimeName(file: string): boolean {
  return composedNames.has(file);
}

/** Name of a runtime file in the folder of a model that has a runtime of its own. */
export function runtimeFileName(file: string, name: string): string {
  return file === portHeader ? file : `${name}_${file}`;
}

const composedNames = new Set([
  portHeader,
  interfaceHeader,
  internalHeader,
  layerKernelsHeader,
  ...Object.keys(cFiles),
]);

/** Include guards of the runtime's headers. */
const guards = /\b(QUANTMCU|QUANTMCU_PORT|QMCU_INTERNAL|QMCU_LAYER_KERNELS)_H\b/g;

/**
 * Files that call or are a shared runtime, as those of a model that has a runtime of its own: the model's name in
 * symbols, includes and include guards, so that two models, even of two versions, link into one firmware and build
 * systems that put all object files into one folder find no two of one name.
 */
export function forModel(files: readonly GeneratedFile[], name: string): GeneratedFile[] {
  return files.map(({ path, text }) => ({
    path: composedNames.has(path) ? runtimeFileName(path, name) : path,
    text: text
      .replace(/^(#\s*include\s+")([^"]+)(")/gm, (whole, open: string, file: string, close: string) =>
        composedNames.has(file) ? `${open}${runtimeFileName(file, name)}${close}` : whole,
      )
      .replace(/(?<!["\w])qmcu_(?=\w)/g, `${name}_qmcu_`)
      .replace(guards, (guard) => (guard === 'QUANTMCU_PORT_H' ? guard : `${macroPrefix(name)}_${guard}`)),
  }));
}

/** GCC's option that kernels are compiled with, as the sources have it. */
const schedulingPragma =
  /\/\* GCC's scheduling before[\s\S]*?\*\/\n#if [^\n]*\n#pragma GCC optimize\("no-schedule-insns"\)\n#endif\n/;

/** Composes files for some kinds of cores. */
class Composer {
  private readonly single: CoreKind | null;
  /** Headers whose text stands in `qmcu_layer_kernels.h`. */
  private readonly layerHeaders: ReadonlySet<string>;

  constructor(private readonly cores: readonly CoreKind[]) {
    this.single = cores.length === 1 ? cores[0] : null;
    this.layerHeaders = new Set(closure('qmcu_layer_kernels.h').filter((file) => !shared(file)));
  }

  /** Whether kernels made for one layer differ from those for all layers. */
  get hasLayerKernels(): boolean {
    return this.cores.includes('dsp');
  }

  file(name: string): string {
    switch (name) {
      case portHeader:
      case interfaceHeader:
        return textOf(name);
      case internalHeader:
        return this.internal();
      case layerKernelsHeader:
        return this.layerKernels();
      default:
        return this.source(name);
    }
  }

  private internal(): string {
    const parts = internalParts.map((part) => (part === 'qmcu_core.h' ? this.core() : this.part(part)));
    return guarded(
      internalHeader,
      'what the kernels share. Not part of the interface',
      `#include "${interfaceHeader}"\n\n${parts.filter((p) => p.trim() !== '').join('\n')}`,
    );
  }

  /** Which kind of core it is. Plain C runs on all cores; the DSP extension can be emulated. */
  private core(): string {
    const given = ['mve', 'dsp']
      .filter((kind) => this.single !== null || !this.cores.includes(kind as CoreKind))
      .map((kind) => `#define QMCU_${kind.toUpperCase()} ${this.single === kind ? 1 : 0}\n`)
      .join('');
    // GCC has no macro for -Og, with which inner loops take five times as long.
    const text = stripped('qmcu_core.h').replace(
      '!defined(__OPTIMIZE__) && !defined(QMCU_KEEP',
      '!defined(__OPTIMIZE_SIZE__) && !defined(QMCU_KEEP',
    );
    return `${given === '' ? '' : `/* Generated for one kind of core. */\n${given}\n`}${text}`;
  }

  private layerKernels(): string {
    const parts = [...this.layerHeaders].map((file) => this.part(file));
    return guarded(
      layerKernelsHeader,
      'loops of kernels, for the general kernels and for those made for one layer. Not part of the interface',
      `${pragma()}#include "${internalHeader}"\n\n${parts.filter((p) => p.trim() !== '').join('\n')}`,
    );
  }

  private source(name: string): string {
    const { title, parts } = cFiles[name];
    const sources = this.inOrder(Object.keys(runtimeSources).filter((file) => parts.test(file) && this.has(file)));
    const inlined = new Set<string>();
    let usesLayers = false;
    for (const source of sources)
      for (const header of closure(source)) {
        if (shared(header) || header === source) continue;
        if (this.hasLayerKernels && this.layerHeaders.has(header)) usesLayers = true;
        else if (this.has(header)) inlined.add(header);
      }
    const bodies = [...inlined, ...sources].map((file) => this.part(file)).filter((text) => text.trim() !== '');
    const hasPragma = sources.some((file) => schedulingPragma.test(textOf(file)));
    const system = /^#include <string\.h>$/m.test(sources.map(textOf).join('\n')) ? '#include <string.h>\n\n' : '';
    return (
      `/*\n * QuantMCU runtime: ${title}.\n *\n * SPDX-License-Identifier: MIT\n ` +
      `*/\n${hasPragma ? pragma() : ''}${system}` +
      `#include "${usesLayers ? layerKernelsHeader : internalHeader}"\n\n${bodies.join('\n')}`
    );
  }

  /** Whether a file has anything for these cores. */
  private has(file: string): boolean {
    const { folder } = runtimeSources[file];
    return folder === 'common' || this.cores.includes(folder);
  }

  /** Sources after those whose functions they call. */
  private inOrder(files: readonly string[]): string[] {
    const definers = definitions();
    const result: string[] = [];
    const seen = new Set<string>();
    const visit = (file: string): void => {
      if (seen.has(file) || !files.includes(file)) return;
      seen.add(file);
      for (const [symbol] of textOf(file).matchAll(/\bqmcu_\w+\b/g))
        for (const other of definers.get(symbol) ?? [])
          if (other !== file && runtimeSources[other].folder === runtimeSources[file].folder) visit(other);
      result.push(file);
    };
    files.forEach(visit);
    return result;
  }

  /** A file's text without comment at its head, guard, pragma and includes, and without what other cores need. */
  private part(file: string): string {
    const text = stripped(file);
    return this.single === null ? text : withoutOthers(text, this.single);
  }
}

function textOf(file: string): string {
  return runtimeSources[file].text.replace(/\r\n/g, '\n');
}

/** Whether a header's text stands in a file that all others include. */
function shared(file: string): boolean {
  return file === portHeader || file === interfaceHeader || internalParts.includes(file);
}

/** Headers of ours that a file includes, directly or not, each after those that it includes; then the file. */
function closure(file: string): string[] {
  const result: string[] = [];
  const visit = (at: string): void => {
    if (result.includes(at)) return;
    for (const [, header] of textOf(at).matchAll(/^#\s*include\s+"([^"]+)"/gm)) if (header !== at) visit(header);
    if (!result.includes(at)) result.push(at);
  };
  visit(file);
  return result;
}

function pragma(): string {
  return schedulingPragma.exec(textOf('qmcu_layer_kernels.h'))![0] + '\n';
}

function stripped(file: string): string {
  const guard = `${file.replace(/\.h$/, '').toUpperCase()}_H`;
  return textOf(file)
    .replace(schedulingPragma, '')
    .replace(/^\/\*\n \* QuantMCU runtime: ([\s\S]*?)\*\/\n/, (_, body: string) => headComment(body))
    .replace(new RegExp(`^#ifndef ${guard}\\n#define ${guard}\\n`, 'm'), '')
    .replace(new RegExp(`\\n#endif /\\* ${guard} \\*/\\n$`), '\n')
    .replace(/^#\s*include\s+"[^"]+"\n/gm, '')
    .replace(/^#include <string\.h>\n/gm, '')
    .replace(/\n{3,}/g, '\n\n')
    .replace(/^\n+|\n+$/g, '')
    .concat('\n');
}

/** What a part is, as a comment in the file that it becomes a part of. */
function headComment(body: string): string {
  const text = body
    .replace(/\n \* ?SPDX[^\n]*\n ?$/, '\n')
    .replace(/ Not part of the\n \* interface\.| Not\n \* part of the interface\.| Not part of the interface\./, '')
    .replace(/(\n \*)+\s*$/, '\n')
    .trimEnd();
  return `/*\n * ${text.charAt(0).toUpperCase()}${text.slice(1)}\n */\n`;
}

function guarded(file: string, title: string, body: string): string {
  const guard = `${file.replace(/\.h$/, '').toUpperCase()}_H`;
  return (
    `/*\n * QuantMCU runtime: ${title}.\n *\n * SPDX-License-Identifier: MIT\n */\n` +
    `#ifndef ${guard}\n#define ${guard}\n\n${body}\n#endif /* ${guard} */\n`
  );
}

/** External function → parts that define it: what begins in the first column and is neither static nor inline. */
function definitions(): ReadonlyMap<string, readonly string[]> {
  known ??= new Map(findDefinitions());
  return known;
}
let known: ReadonlyMap<string, readonly string[]> | undefined;

function findDefinitions(): Map<string, string[]> {
  const result = new Map<string, string[]>();
  for (const file of Object.keys(runtimeSources)) {
    for (const [, fn] of textOf(file).matchAll(
      /^(?!static|QMCU_INLINE|typedef|#)[A-Za-z_][\w *]*?\b(qmcu_\w+)\([^;{}]*\)\s*\{/gm,
    ))
      result.set(fn, [...(result.get(fn) ?? []), file]);
  }
  return result;
}

/** The C file that holds a part. */
function fileWith(part: string): string {
  const file = Object.keys(cFiles).find((name) => cFiles[name].parts.test(part));
  if (file === undefined) throw new Error(`No file of the runtime holds ${part}.`);
  return file;
}

type Branch = { readonly keep: boolean | null; taken: boolean };

/**
 * A text without the branches that the preprocessor would leave out on all cores of a kind. Only conditions on
 * `QMCU_DSP`, `QMCU_MVE` and `QMCU_PLAIN` alone are looked at; all others stay.
 */
export function withoutOthers(text: string, kind: CoreKind): string {
  const out: string[] = [];
  const stack: Branch[] = [];
  const alive = (): boolean => stack.every((b) => b.keep !== false);
  for (const line of text.split('\n')) {
    const [, directive, condition = ''] = /^#\s*(if|ifdef|ifndef|elif|else|endif)\b\s*(.*)$/.exec(line) ?? [];
    if (directive === undefined) {
      if (alive()) out.push(line);
      continue;
    }
    if (directive.startsWith('if')) {
      const value = directive === 'if' ? valueOf(condition, kind) : null;
      if (value === null && alive()) out.push(line);
      stack.push({ keep: value, taken: value === true });
      continue;
    }
    const top = stack[stack.length - 1];
    if (top.keep === null) {
      if (alive()) out.push(line);
    } else if (directive !== 'endif') {
      const value = directive === 'else' ? true : valueOf(condition, kind);
      if (value === null) throw new Error(`'${line}' after a condition on the kind of core.`);
      stack[stack.length - 1] = { keep: !top.taken && value, taken: top.taken || value };
    }
    if (directive === 'endif') stack.pop();
  }
  return out
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .replace(/^\n+/, '');
}

/** Value of a condition; null where it depends on more than the kind of core. */
function valueOf(condition: string, kind: CoreKind): boolean | null {
  const terms = condition
    .replace(/\/\*.*\*\//, '')
    .trim()
    .split(/\s*&&\s*/);
  const values = terms.map((term) => {
    const [, not, name] = /^(!?)QMCU_(DSP|MVE|PLAIN)$/.exec(term) ?? [];
    return name === undefined ? null : (name === kind.toUpperCase()) === (not === '');
  });
  if (values.includes(false)) return false;
  return values.includes(null) ? null : true;
}
