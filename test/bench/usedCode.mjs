// The code of the runtime where it is compiled for what a firmware's models use (src/engine/cost/runtimeUses.ts): the
// least, and what further uses add to it, apart for models of 8 bits and for those with fewer.

/** What other uses are measured beside: maps of 8 bits without signs. */
const USUAL = readUses('CONV2D_INPUTS:16 DEPTHWISE2D_INPUTS:16 ADD_INPUTS:2 ADD_OUTPUTS:2');
const EIGHT = {
  least: {
    QMCU_USED_FORMATS: 48,
    QMCU_CONV2D_INPUTS: 0,
    QMCU_CONV2D_BLOCKS: 0,
    QMCU_CONV2D_ANY: 0,
    QMCU_CONV2D_LONG: 0,
    QMCU_CONV2D_PIXELS: 0,
    QMCU_CONV2D_PIXELS_4: 0,
    QMCU_CONV2D_PARTS: 0,
    QMCU_CONV2D_BOUNDED: 0,
    QMCU_CONV2D_BIAS_SHIFTS: 0,
    QMCU_CONV2D_PACKED: 0,
    QMCU_DEPTHWISE2D_INPUTS: 0,
    QMCU_DEPTHWISE2D_WEIGHTS: 2,
    QMCU_DEPTHWISE2D_TAPS: 0,
    QMCU_DEPTHWISE2D_ROWS: 0,
    QMCU_DEPTHWISE2D_PLANES: 1,
    QMCU_ADD_INPUTS: 0,
    QMCU_ADD_OUTPUTS: 0,
    QMCU_ADD_NARROW: 0,
  },
  inputs: [
    ...combinations(['CONV2D_INPUTS:16', 'CONV2D_INPUTS:32']),
    ...combinations(['DEPTHWISE2D_INPUTS:16', 'DEPTHWISE2D_INPUTS:32']),
  ],
  further: [
    'CONV2D_BLOCKS:2',
    'CONV2D_PIXELS:1',
    'CONV2D_PIXELS:1 CONV2D_BLOCKS:2',
    'CONV2D_PIXELS:2 beside CONV2D_PIXELS:1',
    'CONV2D_PIXELS:4 beside CONV2D_PIXELS:3',
    'CONV2D_ANY:1 beside CONV2D_PIXELS:1',
    'CONV2D_LONG:1 beside CONV2D_PIXELS:1',
    'CONV2D_PARTS:1 beside CONV2D_BLOCKS:2',
    'CONV2D_BOUNDED:1 beside CONV2D_BLOCKS:2',
    'CONV2D_BIAS_SHIFTS:1 beside CONV2D_BLOCKS:2',
  ],
};
const FEW = {
  least: {
    ...EIGHT.least,
    QMCU_USED_FORMATS: 60,
    QMCU_DEPTHWISE2D_WEIGHTS: 3,
  },
  inputs: [...inputsOf('CONV2D_INPUTS'), ...inputsOf('DEPTHWISE2D_INPUTS')],
  further: [
    'USED_FORMATS:1',
    'USED_FORMATS:2',
    'CONV2D_BLOCKS:1',
    'CONV2D_BLOCKS:2',
    'CONV2D_BLOCKS:1 CONV2D_BLOCKS:2',
    'CONV2D_PIXELS:1',
    'CONV2D_PIXELS_4:1',
    'CONV2D_PIXELS:1 CONV2D_PIXELS_4:1',
    'CONV2D_PIXELS:2 beside CONV2D_PIXELS:1',
    'CONV2D_PIXELS:4 beside CONV2D_PIXELS:3',
    'CONV2D_PIXELS:2 CONV2D_PIXELS_4:1 beside CONV2D_PIXELS:1',
    'CONV2D_PIXELS:4 CONV2D_PIXELS_4:1 beside CONV2D_PIXELS:3',
    'CONV2D_PIXELS_4:2 beside CONV2D_PIXELS:1 CONV2D_PIXELS_4:1',
    'CONV2D_PIXELS_4:4 beside CONV2D_PIXELS:1 CONV2D_PIXELS_4:3',
    'CONV2D_PIXELS:2 CONV2D_PIXELS_4:2 beside CONV2D_PIXELS:1 CONV2D_PIXELS_4:1',
    'CONV2D_PIXELS:4 CONV2D_PIXELS_4:4 beside CONV2D_PIXELS:3 CONV2D_PIXELS_4:3',
    'CONV2D_PIXELS:1 CONV2D_BLOCKS:1',
    'CONV2D_PIXELS:1 CONV2D_BLOCKS:2',
    'CONV2D_ANY:1 beside CONV2D_PIXELS:1',
    'CONV2D_LONG:1 beside CONV2D_PIXELS:1',
    'CONV2D_ANY:1 CONV2D_PIXELS_4:1 beside CONV2D_PIXELS:1',
    'CONV2D_LONG:1 CONV2D_PIXELS_4:1 beside CONV2D_PIXELS:1',
    'CONV2D_ANY:1 CONV2D_PIXELS:2 beside CONV2D_PIXELS:1',
    'CONV2D_LONG:1 CONV2D_PIXELS:2 beside CONV2D_PIXELS:1',
    'CONV2D_ANY:1 CONV2D_PIXELS_4:2 beside CONV2D_PIXELS:3 CONV2D_PIXELS_4:1',
    'CONV2D_LONG:1 CONV2D_PIXELS_4:2 beside CONV2D_PIXELS:3 CONV2D_PIXELS_4:1',
    'CONV2D_PARTS:1 beside CONV2D_BLOCKS:3',
    'CONV2D_BOUNDED:1 beside CONV2D_BLOCKS:3',
    'CONV2D_BIAS_SHIFTS:1 beside CONV2D_BLOCKS:3',
    'CONV2D_PACKED:1',
    'CONV2D_PACKED:2',
    'CONV2D_PACKED:1 CONV2D_PACKED:2',
    'CONV2D_PACKED:4 beside CONV2D_PACKED:2',
    'CONV2D_PACKED:8 beside CONV2D_PACKED:2',
    'CONV2D_PACKED:4 CONV2D_PACKED:8 beside CONV2D_PACKED:2',
    ...combinations(['ADD_NARROW:1', 'ADD_NARROW:2', 'ADD_NARROW:4']),
  ],
};
/** Of both. Functions for rows of 5 x 5 kernels count only beside what they call. */
const OF_BOTH = [
  'DEPTHWISE2D_TAPS:1',
  'DEPTHWISE2D_PLANES:2',
  'DEPTHWISE2D_PLANES:4',
  'DEPTHWISE2D_ROWS:1',
  'DEPTHWISE2D_ROWS:2',
  'DEPTHWISE2D_ROWS:1 DEPTHWISE2D_ROWS:2',
  'DEPTHWISE2D_ROWS:4 beside DEPTHWISE2D_PLANES:2',
  'DEPTHWISE2D_ROWS:8 beside DEPTHWISE2D_PLANES:2',
  'DEPTHWISE2D_ROWS:4 DEPTHWISE2D_ROWS:8 beside DEPTHWISE2D_PLANES:2',
];
const OF_ADD = combinations(['ADD_INPUTS:1', 'ADD_INPUTS:2', 'ADD_OUTPUTS:1', 'ADD_OUTPUTS:2']);

/** All combinations of formats of inputs with 4 bits or more, and those of 2 bits alone and beside one other. */
function inputsOf(macro) {
  const use = (format) => `${macro}:${format}`;
  const twoBits = [1, 2].flatMap((format, i) => [
    use(format),
    `${use(16)} ${use(format)}`,
    ...[32, 4, 8, ...[2].slice(i)].map((other) => `${use(format)} ${use(other)} beside ${use(16)}`),
  ]);
  return [...combinations([16, 32, 4, 8].map(use)), ...twoBits];
}

/** All combinations of uses, smaller ones first. */
function combinations(uses) {
  return uses
    .reduce((sets, use) => [...sets, ...sets.map((set) => [...set, use])], [[]])
    .filter((set) => set.length > 0)
    .sort((a, b) => a.length - b.length)
    .map((set) => set.join(' '));
}

/** Uses as they are written above: macros without prefix, and bits of theirs. */
function readUses(text) {
  return text
    .split(' ')
    .filter((use) => use !== '')
    .map((use) => {
      const [macro, bits] = use.split(':');
      return [`QMCU_${macro}`, Number(bits)];
    });
}

function joinUses(least, ...more) {
  const uses = { ...least };
  for (const [macro, bits] of more.flat()) uses[macro] |= bits;
  return uses;
}

/** Sections of each file that a build compiles, and its defines: bytes, and the names of what they refer to. */
class Build {
  sections = new Map();

  constructor(uses, files, sectionsOf) {
    const defines = Object.entries(uses).map(([macro, bits]) => `-DNET_${macro}=${bits}u`);
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
 * @returns tables for models of 8 bits and for those with fewer
 */
export function measureUsed(files, sectionsOf, addLibrary) {
  return {
    used: measureFrom(EIGHT, files, sectionsOf, addLibrary),
    few: measureFrom(FEW, files, sectionsOf, addLibrary),
  };
}

function measureFrom({ least, inputs, further }, files, sectionsOf, addLibrary) {
  const bases = new Map(files.map((file) => [file, new Build(least, [file], sectionsOf)]));
  const base = joined([...bases.values()]);
  const terms = [];
  for (const text of [...inputs, ...OF_ADD, ...further, ...OF_BOTH]) {
    const [own, beside = []] = text.split(' beside ').map(readUses);
    const file = files.find((f) => f.endsWith(fileOf(own[0][0])));
    const uses = joinUses(least, own, beside, inputs.includes(text) || OF_ADD.includes(text) ? [] : USUAL);
    const build = new Build(uses, [file], sectionsOf);
    // What is expected of what was measured before, and what differs from it.
    const before = terms.filter(
      (t) => t.file === file && t.own.every(([macro, bits]) => (uses[macro] & bits) === bits),
    );
    const expectedBytes = (key) => before.reduce((sum, t) => sum + (t.bytes.get(key) ?? 0), bases.get(file).bytes(key));
    const isExpected = (key, ref) =>
      bases.get(file).refs(key).has(ref) || before.some((t) => t.refs.some(([from, to]) => from === key && to === ref));
    const touched = new Set([
      ...bases.get(file).sections.keys(),
      ...build.sections.keys(),
      ...before.flatMap((t) => [...t.bytes.keys()]),
    ]);
    terms.push({
      file,
      own,
      build,
      use: own.map(([macro, bits]) => `${macro}:${bits}`).join(' '),
      bytes: new Map(
        [...touched].map((key) => [key, build.bytes(key) - expectedBytes(key)]).filter(([, bytes]) => bytes !== 0),
      ),
      refs: [...touched].flatMap((key) =>
        [...build.refs(key)].filter((ref) => !isExpected(key, ref)).map((ref) => [key, ref]),
      ),
    });
  }
  return tableOf(base, terms, addLibrary);
}

function fileOf(macro) {
  if (macro.startsWith('QMCU_CONV2D')) return 'conv2d.c';
  if (macro.startsWith('QMCU_DEPTHWISE2D')) return 'depthwise2d.c';
  return 'elementwise.c';
}

function tableOf(base, terms, addLibrary) {
  const all = new Map();
  for (const { sections } of [base, ...terms.map((t) => t.build)])
    for (const [key, { refs }] of sections)
      all.set(key, { bytes: 0, refs: new Set([...(all.get(key)?.refs ?? []), ...refs]) });
  addLibrary(all);
  const keys = [...all.keys()];
  const index = new Map(keys.map((key, i) => [key, i]));
  const places = (refs) => [...refs].flatMap((ref) => index.get(ref) ?? []);
  const isOurs = (key) => base.sections.has(key) || terms.some((t) => t.build.sections.has(key));
  return {
    nodes: Object.fromEntries(
      keys.flatMap((key, i) => (/^(net_qmcu_\w+|memcpy)$/.test(key) ? [[key.replace(/^net_/, ''), i]] : [])),
    ),
    sizes: keys.map((key) => (isOurs(key) ? base.bytes(key) : all.get(key).bytes)),
    refs: keys.map((key) => places(isOurs(key) ? base.refs(key) : all.get(key).refs)),
    more: Object.fromEntries(
      terms.map(({ use, bytes, refs }) => [
        use,
        {
          bytes: [...bytes].map(([key, n]) => [index.get(key), n]),
          refs: refs.flatMap(([from, to]) => places([to]).map((node) => [index.get(from), node])),
        },
      ]),
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
