import type { Core } from '../targets/types';
import { macroPrefix } from './identifier';
import { Composer } from './runtimeComposer';
import {
  always,
  cameraHeader,
  cFiles,
  CORE_KINDS,
  definitions,
  fileWith,
  interfaceHeader,
  internalHeader,
  isCameraFile,
  layerKernelsHeader,
  portHeader,
  type CoreKind,
} from './runtimeParts';
import { ALL_USES, joinUses, type RuntimeUses } from '../cost/runtimeUses';
import type { GeneratedFile } from './types';

/*
 * The runtime as a firmware project gets it: few files, one for each kind of operator, each composed of files of
 * src/firmware/. A project has them once, in a folder of its own (`quantmcu/`), or each model has its own copy.
 */

/** What a model needs of the runtime. */
export interface RuntimeNeeds {
  /** Kinds of cores that it has to run on. */
  readonly cores: readonly CoreKind[];
  /** Files, e.g. `qmcu_conv2d.c`; headers that all need are not listed. */
  readonly files: readonly string[];
  /** What it uses of the kernels; missing: all. */
  readonly uses?: RuntimeUses;
}

/** The interface between generated code and runtime, `QMCU_INTERFACE`: one more for each change that breaks it. */
export const RUNTIME_INTERFACE = 1;

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
    uses: joinUses(needs.map((n) => n.uses)),
  };
}

/** The runtime's files for what is needed, sorted. */
export function runtimeFiles({ cores, files, uses }: RuntimeNeeds): GeneratedFile[] {
  const composer = new Composer(cores, uses);
  const headers = [portHeader, interfaceHeader, internalHeader];
  const withLoops = ['qmcu_conv2d.c', 'qmcu_depthwise2d.c', 'qmcu_s16.c', layerKernelsHeader];
  if (files.some((file) => withLoops.includes(file))) if (composer.hasLayerKernels) headers.push(layerKernelsHeader);
  if (files.some(isCameraFile)) headers.push(cameraHeader);
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

/** Name of a runtime file in the folder of a model that has its own runtime. */
function runtimeFileName(file: string, name: string): string {
  return file === portHeader ? file : `${name}_${file}`;
}

const composedNames = new Set([
  portHeader,
  interfaceHeader,
  internalHeader,
  layerKernelsHeader,
  cameraHeader,
  ...Object.keys(cFiles),
]);

/** Include guards of the runtime's headers. */
const guards = /\b(QUANTMCU|QUANTMCU_PORT|QMCU_CAMERA|QMCU_INTERNAL|QMCU_LAYER_KERNELS)_H\b/g;

/** What a runtime of one model's own is compiled for: an application may include the headers of two. */
const useMacros = new RegExp(`\\b(${Object.keys(ALL_USES).join('|')})\\b`, 'g');

/**
 * Files that call or are a shared runtime, as those of a model that has its own runtime: the model's name in
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
      .replace(useMacros, (macro) => `${macroPrefix(name)}_${macro}`)
      .replace(guards, (guard) => (guard === 'QUANTMCU_PORT_H' ? guard : `${macroPrefix(name)}_${guard}`)),
  }));
}
