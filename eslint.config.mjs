// @ts-check
import eslint from '@eslint/js';
import { createNodeResolver, importX } from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

/**
 * The import boundaries: imports point downward only, host → protocol ← worker → engine. Each entry names the files of
 * a room and what they must not import; `typesFrom` may be imported with `import type` alone.
 */
const rooms = [
  {
    files: ['src/protocol/**/*.ts'],
    never: ['host', 'webview', 'entries'],
    typesFrom: ['engine'],
    modules: ['vscode'],
  },
  { files: ['src/host/**/*.ts'], never: ['webview', 'entries'], typesFrom: ['engine'], modules: [] },
  { files: ['src/extension.ts'], never: ['webview', 'engine', 'entries'], modules: [] },
  { files: ['src/worker.ts', 'src/worker/**/*.ts'], never: ['host', 'webview'], modules: ['vscode'] },
  { files: ['src/evaluator.ts', 'src/inference.ts'], never: ['host', 'webview', 'protocol'], modules: ['vscode'] },
  { files: ['src/cli.ts', 'src/cli/**/*.ts'], never: ['host', 'webview', 'protocol'], modules: ['vscode'] },
  { files: ['webview/**/*.ts'], never: ['host', 'entries'], typesFrom: ['engine'], modules: ['vscode'] },
];

/** The engine's floors, lowest first: a folder imports from itself and from those below it (docs/architecture.md). */
export const floors = [
  'common',
  'inference',
  'graph',
  'onnx',
  'calibration',
  'detection',
  'quantize',
  'targets',
  'plan',
  'arena',
  'schedule',
  'program',
  'cost',
  'codegen',
  'planned',
  'patch',
  'vdpc',
  'compensate',
  'vdqs',
  'evaluation',
  'run',
  'export',
  'emulator',
  'sweep',
];

const paths = {
  host: '(^|/)host/',
  protocol: '(^|/)protocol(/|$)',
  webview: '(^|/)webview/',
  engine: '(^|/)engine/',
  entries: '(^|/)(extension|worker|evaluator|fitter|inference|cli)$|(^|/)cli/',
};

/** Tables that a command writes: as long and as wide as they have to be. */
const tables = ['src/engine/cost/codeSizes.ts'];

/** Long functions of tests: lists of models and views, and switches with a case for each kind of layer or kernel. */
const listsInTests = [
  'test/faults/{hostileModels,strangeModels,strangeShapes}.ts',
  'test/support/{randomGraph,randomProgram}.ts',
  'test/support/webviewHarness/planned.ts',
  'test/unit/program/interpreter/support/naive.ts',
];

/** Packages that only certain files may import. */
const guarded = [
  {
    name: '@vscode/webview-ui-toolkit',
    allowed: /^webview\/ui\.ts$/,
    message: 'Only webview/ui.ts imports the toolkit.',
  },
  {
    name: 'onnxruntime-node',
    allowed: /^src\/engine\/inference\/|^test\//,
    message: 'onnxruntime-node is loaded by src/engine/inference alone (and tests).',
  },
];

/** @param {{files: string[], never: string[], typesFrom?: string[], modules: string[], above?: string[]}} room */
function boundary({ files, never, typesFrom = [], modules, above = [] }) {
  const room = files[0] ?? '';
  const packages = guarded.filter((g) => !g.allowed.test(room));
  return {
    files,
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          paths: [...modules, ...packages.map((g) => g.name)].map((name) => ({
            name,
            message: packages.find((g) => g.name === name)?.message ?? `${room} must not import '${name}'.`,
          })),
          patterns: [
            ...never.map((to) => ({
              regex: paths[to],
              message: `${room} must not import ${to}: imports point downward only.`,
            })),
            ...(above.length === 0
              ? []
              : [
                  {
                    regex: `^(\\.\\./)+(${above.join('|')})(/|$)`,
                    message: `${room} lies below what it imports: the engine's floors point downward only.`,
                  },
                ]),
            ...typesFrom.map((to) => ({
              regex: paths[to],
              allowTypeImports: true,
              message: `${room} may import types only from ${to}.`,
            })),
          ],
        },
      ],
    },
  };
}

export default tseslint.config(
  { ignores: ['dist/', 'out/', 'node_modules/', '**/*.d.ts', 'media/', 'src/engine/**/assembly/*.ts'] },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: { project: ['./tsconfig.json', './tsconfig.webview.json'], tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/require-await': 'off',
      // Wire formats carry plain numbers that are compared with enum members.
      '@typescript-eslint/no-unsafe-enum-comparison': 'off',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'prefer-const': ['error', { destructuring: 'all' }],
    },
  },
  ...rooms.map(boundary),
  ...floors.map((floor, i) =>
    boundary({
      files: [`src/engine/${floor}/**/*.ts`],
      never: ['host', 'protocol', 'webview', 'entries'],
      modules: ['vscode'],
      above: floors.slice(i + 1),
    }),
  ),
  {
    files: ['src/**/*.ts', 'webview/**/*.ts'],
    plugins: { 'import-x': importX },
    settings: {
      'import-x/resolver-next': [createNodeResolver({ extensions: ['.ts'] })],
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts'] },
    },
    // Types may name each other in a ring within a folder; at run time nothing does.
    rules: { 'import-x/no-cycle': ['error', { ignoreExternal: true }] },
  },
  {
    files: ['**/*.ts', '**/*.mjs', '**/*.js'],
    ignores: tables,
    rules: { 'max-len': ['error', { code: 120 }] },
  },
  {
    files: ['**/*.ts', '**/*.mjs', '**/*.js'],
    ignores: tables,
    rules: { 'max-lines': ['error', { max: 400 }] },
  },
  {
    files: ['src/**/*.ts', 'webview/**/*.ts', 'test/**/*.ts', 'test/**/*.mjs'],
    // What `describe` is given holds all of its tests.
    ignores: [...tables, 'test/**/*.test.ts', ...listsInTests],
    rules: { 'max-lines-per-function': ['error', { max: 80 }] },
  },
  boundary({ files: ['webview/ui.ts'], never: ['host', 'entries'], typesFrom: ['engine'], modules: ['vscode'] }),
  {
    files: ['test/**/*.ts'],
    rules: {
      // mocha's describe and it return what nobody awaits, and tests look into what types hide.
      '@typescript-eslint/no-floating-promises': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    files: ['**/*.mjs', '**/*.cjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        require: 'readonly',
        exports: 'writable',
        console: 'readonly',
        URL: 'readonly',
        Buffer: 'readonly',
        setTimeout: 'readonly',
        setImmediate: 'readonly',
        clearTimeout: 'readonly',
        fetch: 'readonly',
        setInterval: 'readonly',
        clearInterval: 'readonly',
        performance: 'readonly',
        window: 'readonly',
        document: 'readonly',
      },
    },
  },
);
