// The code of the runtime where it is compiled for what a firmware's models of
// 8 bits use (src/engine/cost/runtimeUses.ts): the least, and what some further uses add to it.
const LEAST = {
  QMCU_USED_FORMATS: 48,
  QMCU_CONV2D_INPUTS: 16,
  QMCU_CONV2D_WEIGHTS: 2,
  QMCU_CONV2D_ANY: 0,
  QMCU_CONV2D_LONG: 0,
  QMCU_CONV2D_PIXELS: 1,
  QMCU_CONV2D_PARTS: 0,
  QMCU_CONV2D_BOUNDED: 0,
  QMCU_CONV2D_BIAS_SHIFTS: 0,
  QMCU_DEPTHWISE2D_INPUTS: 16,
  QMCU_DEPTHWISE2D_WEIGHTS: 2,
  QMCU_DEPTHWISE2D_TAPS: 0,
  QMCU_DEPTHWISE2D_ROWS: 0,
  QMCU_DEPTHWISE2D_PLANES: 1,
  QMCU_ADD_INPUTS: 3,
  QMCU_ADD_OUTPUTS: 3,
};
/**
 * What is told apart: the rest is little, and counted as if it were used. Functions for rows of 5 x 5 kernels count
 * only beside what they call.
 */
const FURTHER = [
  { QMCU_CONV2D_INPUTS: 32 },
  { QMCU_CONV2D_PIXELS: 2 },
  { QMCU_CONV2D_PIXELS: 4 },
  { QMCU_CONV2D_ANY: 1 },
  { QMCU_CONV2D_LONG: 1 },
  { QMCU_CONV2D_PARTS: 1 },
  { QMCU_CONV2D_BOUNDED: 1 },
  { QMCU_CONV2D_BIAS_SHIFTS: 1 },
  { QMCU_DEPTHWISE2D_INPUTS: 32 },
  { QMCU_DEPTHWISE2D_TAPS: 1 },
  { QMCU_DEPTHWISE2D_PLANES: 2 },
  { QMCU_DEPTHWISE2D_PLANES: 4 },
  { QMCU_DEPTHWISE2D_ROWS: 1 },
  { QMCU_DEPTHWISE2D_ROWS: 2 },
  { QMCU_DEPTHWISE2D_ROWS: 4 },
  { QMCU_DEPTHWISE2D_ROWS: 8 },
];
const besideOf = (macro, bits) => (macro === 'QMCU_DEPTHWISE2D_ROWS' && bits > 2 ? { QMCU_DEPTHWISE2D_PLANES: 3 } : {});

/** Sections of each file that a build compiles, and its defines: bytes, and the names of what they refer to. */
class Build {
  sections = new Map();

  constructor(uses, files, sectionsOf) {
    const defines = Object.entries(uses).map(([macro, bits]) => `-D${macro}=${bits}u`);
    for (const file of files)
      for (const [name, { bytes, refs }] of sectionsOf(file, defines)) {
        // Functions that the compiler made of one stand under one name.
        const key = plain(name);
        const known = this.sections.get(key) ?? { bytes: 0, refs: new Set() };
        known.bytes += bytes;
        refs.forEach((ref) => known.refs.add(plain(ref)));
        known.refs.delete(key);
        this.sections.set(key, known);
      }
  }

  bytes(key) {
    return this.sections.get(key)?.bytes ?? 0;
  }

  refs(key) {
    return this.sections.get(key)?.refs ?? new Set();
  }
}

/**
 * @param {string[]} files C files of the runtime
 * @param {(file: string, defines: string[]) => Map<string, {bytes: number, refs: Set<string>}>} sectionsOf
 * @param {(sections: Map<string, {bytes: number, refs: Set<string>}>) => void} addLibrary adds what these need of the
 *   libraries
 */
export function measureUsed(files, sectionsOf, addLibrary) {
  const least = new Map(files.map((file) => [file, new Build(LEAST, [file], sectionsOf)]));
  const base = joined([...least.values()]);
  const further = FURTHER.map((more) => {
    const [[macro, bits]] = Object.entries(more);
    const file = files.find((f) => f.endsWith(macro.startsWith('QMCU_CONV2D') ? 'conv2d.c' : 'depthwise2d.c'));
    const added = besideOf(macro, bits);
    const beside = { ...LEAST, ...added };
    const uses = { ...beside, [macro]: beside[macro] | bits };
    return {
      use: `${macro}:${bits}`,
      least: Object.keys(added).length > 0 ? new Build(beside, [file], sectionsOf) : least.get(file),
      more: new Build(uses, [file], sectionsOf),
    };
  });
  const all = new Map();
  for (const { sections } of [base, ...further.map((f) => f.more)])
    for (const [key, { refs }] of sections)
      all.set(key, { bytes: 0, refs: new Set([...(all.get(key)?.refs ?? []), ...refs]) });
  addLibrary(all);
  const keys = [...all.keys()];
  const index = new Map(keys.map((key, i) => [key, i]));
  const places = (refs) => [...refs].flatMap((ref) => index.get(ref) ?? []);
  const isOurs = (key) => base.sections.has(key) || further.some((f) => f.more.sections.has(key));
  return {
    nodes: Object.fromEntries(
      keys.flatMap((key, i) => (/^(net_qmcu_\w+|memcpy)$/.test(key) ? [[key.replace(/^net_/, ''), i]] : [])),
    ),
    sizes: keys.map((key) => (isOurs(key) ? base.bytes(key) : all.get(key).bytes)),
    refs: keys.map((key) => places(isOurs(key) ? base.refs(key) : all.get(key).refs)),
    more: Object.fromEntries(
      further.map(({ use, least, more }) => {
        const touched = keys.filter((key) => least.sections.has(key) || more.sections.has(key));
        return [
          use,
          {
            bytes: touched
              .map((key) => [index.get(key), more.bytes(key) - least.bytes(key)])
              .filter(([, bytes]) => bytes !== 0),
            refs: touched.flatMap((key) =>
              places([...more.refs(key)].filter((ref) => !least.refs(key).has(ref))).map((to) => [index.get(key), to]),
            ),
          },
        ];
      }),
    ),
  };
}

function joined(builds) {
  const all = new Build({}, [], () => new Map());
  for (const { sections } of builds) sections.forEach((section, key) => all.sections.set(key, section));
  return all;
}

function plain(name) {
  return name.replace(/\.(constprop|isra|part|cold)(\.\d+)?/g, '');
}
