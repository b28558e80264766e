import { runtimeSources, type RuntimeFolder } from './runtimeSources';

/* What the runtime's files are composed of. */

/** Kind of core that has its own kernels. */
export type CoreKind = Exclude<RuntimeFolder, 'common'>;

export const CORE_KINDS: readonly CoreKind[] = ['dsp', 'mve', 'plain'];

/** Header that all models of a firmware share word for word: it holds macros that a user may override, once for all. */
export const portHeader = 'quantmcu_port.h';
/** What applications and generated code see. */
export const interfaceHeader = 'quantmcu.h';
/** What all kernels share. */
export const internalHeader = 'qmcu_internal.h';
/** Loops that kernels of conv2d and depthwise2d share with those made for one layer. */
export const layerKernelsHeader = 'qmcu_layer_kernels.h';
/** What applications see of the readers of cameras' pictures. */
export const cameraHeader = 'qmcu_camera.h';

/** Title and parts of each C file; parts that belong to other kinds of cores are left out. */
export const cFiles: Readonly<Record<string, { readonly title: string; readonly parts: RegExp }>> = {
  'qmcu_camera_bgr888.c': { title: 'pictures of a camera, BGR888 and RGB888', parts: /^qmcu_camera_bgr888\.c$/ },
  'qmcu_camera_gray.c': { title: 'pictures of a camera, gray', parts: /^qmcu_camera_gray\.c$/ },
  'qmcu_camera_rgb565.c': { title: 'pictures of a camera, RGB565', parts: /^qmcu_camera_rgb565\.c$/ },
  'qmcu_camera_yuv422.c': { title: 'pictures of a camera, YUV 4:2:2', parts: /^qmcu_camera_yuv422\.c$/ },
  'qmcu_conv2d.c': {
    title: '2-D convolution and fully connected layers',
    parts: /^qmcu_(conv2d|fully_connected)[a-z0-9_]*\.c$/,
  },
  'qmcu_depthwise2d.c': { title: 'depthwise convolution', parts: /^qmcu_depthwise2d[a-z0-9_]*\.c$/ },
  'qmcu_elementwise.c': {
    title: 'packing of codes and element-wise kernels',
    parts: /^qmcu_(add|codes|elementwise)[a-z0-9_]*\.c$/,
  },
  'qmcu_pool.c': { title: 'pooling and resampling', parts: /^qmcu_pool[a-z0-9_]*\.c$/ },
  'qmcu_s16.c': { title: 'kernels for codes of 16 bits', parts: /^qmcu_s16[a-z0-9_]*\.c$/ },
  'qmcu_softmax.c': {
    title: 'kernels over all codes of a pixel or a region',
    parts: /^qmcu_(normalize|softmax)[a-z0-9_]*\.c$/,
  },
};
/** Every kernel packs and unpacks codes. */
export const always = 'qmcu_elementwise.c';
/** Parts of the header that all kernels include. */
export const internalParts = [
  'qmcu_core.h',
  'qmcu_internal.h',
  'qmcu_mve.h',
  'qmcu_dsp.h',
  'qmcu_dsp_emulated.h',
  'qmcu_plain.h',
  'qmcu_requantize.h',
];

/** The C file that holds a part. */
export function fileWith(part: string): string {
  const file = Object.keys(cFiles).find((name) => cFiles[name].parts.test(part));
  if (file === undefined) throw new Error(`No file of the runtime holds ${part}.`);
  return file;
}

/** Whether a header's text is in a file that all others include. */
export function shared(file: string): boolean {
  return [portHeader, interfaceHeader, cameraHeader].includes(file) || internalParts.includes(file);
}

/** Whether a C file reads a camera's pictures. */
export function isCameraFile(file: string): boolean {
  return file.startsWith('qmcu_camera_');
}

/** A part as it lies in src/firmware/, with '\n' line ends. */
export function textOf(file: string): string {
  return runtimeSources[file].text.replace(/\r\n/g, '\n');
}

/** Headers of ours that a file includes, directly or not, each after those that it includes; then the file. */
export function closure(file: string): string[] {
  const result: string[] = [];
  const visit = (at: string): void => {
    if (result.includes(at)) return;
    for (const [, header] of textOf(at).matchAll(/^#\s*include\s+"([^"]+)"/gm)) if (header !== at) visit(header);
    if (!result.includes(at)) result.push(at);
  };
  visit(file);
  return result;
}

/** External function → parts that define it: what begins in the first column and is neither static nor inline. */
export function definitions(): ReadonlyMap<string, readonly string[]> {
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
