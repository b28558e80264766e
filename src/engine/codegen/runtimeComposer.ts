import { withoutOthers } from './coreBranches';
import {
  cameraHeader,
  cFiles,
  closure,
  definitions,
  interfaceHeader,
  internalHeader,
  internalParts,
  isCameraFile,
  layerKernelsHeader,
  portHeader,
  shared,
  textOf,
  type CoreKind,
} from './runtimeParts';
import { runtimeSources } from './runtimeSources';
import { usesDefines, type RuntimeUses } from '../cost/runtimeUses';

/** GCC's option that kernels are compiled with, as the sources have it. */
const schedulingPragma =
  /\/\* GCC's scheduling before[\s\S]*?\*\/\n#if [^\n]*\n#pragma GCC optimize\("no-schedule-insns"\)\n#endif\n/;

/** Composes files for some kinds of cores. */
export class Composer {
  private readonly single: CoreKind | null;
  /** Headers whose text is in `qmcu_layer_kernels.h`. */
  private readonly layerHeaders: ReadonlySet<string>;

  /** @param uses what is used of the kernels; missing: all */
  constructor(
    private readonly cores: readonly CoreKind[],
    private readonly uses?: RuntimeUses,
  ) {
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
      case cameraHeader:
        return textOf(name);
      case interfaceHeader:
        return this.interface();
      case internalHeader:
        return this.internal();
      case layerKernelsHeader:
        return this.layerKernels();
      default:
        return this.source(name);
    }
  }

  /** What is used is stated where models' sources see it: they refuse a runtime without what they need. */
  private interface(): string {
    const text = textOf(interfaceHeader);
    if (this.single !== 'dsp' || !this.uses) return text;
    const used = `/* What the models of this firmware use; the rest is not compiled. */\n${usesDefines(this.uses)}`;
    return text.replace(/^#define QMCU_INTERFACE \d+\n/m, (line) => `${line}\n${used}`);
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
      'loops of kernels, for the general and the layer-specific kernels. Not part of the interface',
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
    const system = /^#include <string\.h>$/m.test([...inlined, ...sources].map(textOf).join('\n'))
      ? '#include <string.h>\n\n'
      : '';
    return (
      `/*\n * QuantMCU runtime: ${title}.\n *\n * SPDX-License-Identifier: MIT\n ` +
      `*/\n${hasPragma ? pragma() : ''}${system}` +
      (isCameraFile(name) ? `#include "${cameraHeader}"\n` : '') +
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
