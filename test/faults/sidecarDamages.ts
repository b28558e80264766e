/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-argument --
   sidecars are damaged on purpose */
/** A sidecar as JSON. */
export type Json = Record<string, any>; // eslint-disable-line @typescript-eslint/no-explicit-any

/** Puts a value where the path says. */
const set =
  (place: string, value: unknown) =>
  (p: Json): void => {
    const keys = place.split('.');
    const last = keys.pop()!;
    keys.reduce((part, key) => part[key] as Json, p)[last] = value;
  };

/** What is done to a sound sidecar, and what the refusal says. */
export const damages: [string, (p: Json) => unknown, RegExp][] = [
  ['an unknown key', set('surprise', 1), /additional properties "surprise"/],
  ['an unknown key inside', set('model.url', 'http://x'), /additional properties "url"/],
  ['a wrong type', set('maps', []), /\/maps must be object/],
  ['null for an object', set('target', null), /\/target must be object/],
  ['an array at the top', () => [], /must be object/],
  [
    'bits that do not exist',
    (p) => {
      p.maps[Object.keys(p.maps)[0]] = { bits: 3 };
    },
    /allowed values/,
  ],
  [
    'a version of the future',
    (p) => {
      p.version = 2;
      p.maps = 'in another form';
    },
    /\/version is 2, but only version 1 can be read\. Open it with/,
  ],
  ['a hash that is none', set('model.sha256', '../x'), /\/model\/sha256/],
  ['negative SRAM', set('target.sramBytes', -1), /\/target\/sramBytes/],
  ['more SRAM than a core can address', set('target.sramBytes', 1e29), /\/target\/sramBytes/],
  ['a grid of 0', set('patchStage.grid.rows', 0), /\/patchStage/],
  [
    'more classes than the grid has',
    set(
      'patchStage.classes',
      Array.from({ length: 100_000 }, () => 'O'),
    ),
    /\/patchStage\/classes/,
  ],
  [
    'a huge grid',
    (p) => {
      p.patchStage.grid = { rows: 256, cols: 256 };
      p.patchStage.classes = Array.from({ length: 256 }, () => '.'.repeat(256));
    },
    /is too fine for/,
  ],
  ['a split map that does not exist', set('patchStage.splitMap', 'nowhere'), /no feature map "nowhere"/],
  ['a split map named __proto__', set('patchStage.splitMap', '__proto__'), /no feature map "__proto__"/],
  ['a kept map that does not exist', set('patchStage.keep', ['constructor']), /no feature map "constructor"/],
  ['parameters outside of the folder', set('parameters.file', '../../x'), /beside the plan/],
  ['parameters at an absolute path', set('parameters.file', '/etc/passwd'), /beside the plan/],
  ['parameters named ..', set('parameters.file', '..'), /calibration is not cached|beside the plan/],
  ['parameters of another file', set('parameters.file', 'model.onnx'), /does not belong to this plan/],
  ['a model on a server', set('model.file', '//server/share/model.onnx'), /is on a server/],
  ['a model that is a folder', set('model.file', '.'), /not a file/],
  ['a model that is missing', set('model.file', 'gone.onnx'), /gone\.onnx does not exist/],
  [
    'a model that is another file',
    set('model.file', '../../../../../../../etc/passwd'),
    /has changed since|is a text file, not an ONNX model|does not exist/,
  ],
  ['a name with line breaks', set('model.file', 'a\nb\r\nc'), /does not exist/],
  ['input sizes of another model', set('model.sizes', { ['x'.repeat(10_000)]: 65536, __proto__x: 1 }), /./],
];
