import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import type { Context } from 'mocha';
import { detectLayouts, writeToProject } from '../../../src/engine/codegen';
import { randomProgram } from '../../support/randomProgram';
import { putFiles, removeFolder, runCommand, scratchFolder } from '../support/hostBuild';
import { reference } from '../support/reference';

/*
 * Projects on SDKs as their makers ship them, where the environment says that they are there: PICO_SDK_PATH (2.x),
 * IDF_PATH (5.x; its scripts in tools/cmake alone are enough), ZEPHYR_BASE (3.5 or later; where there is no west,
 * ZEPHYR_MODULES names its CMSIS module, a folder `cmsis`). Python must have what the SDK's scripts import.
 */

/** The folder that a variable names; the test is skipped, with a message, where it names none. */
function needSdk(context: Context, variable: string, file: string): string {
  const folder = process.env[variable];
  if (folder === undefined || !existsSync(path.join(folder, file))) {
    console.log(`      skipped: set ${variable} to a folder that holds ${file}`);
    return context.skip();
  }
  return path.resolve(folder);
}

function texts(folder: string): ReadonlyMap<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return new Map(
    names
      .filter((name) => !/^build($|\/)/.test(name) && statSync(path.join(folder, name)).isFile())
      .map((name) => [name, readFileSync(path.join(folder, name), 'utf8')]),
  );
}

/** How a build compiles a source. */
interface CompileCommand {
  readonly folder: string;
  readonly words: readonly string[];
}

/**
 * Configures a Zephyr application for an emulated Cortex-M3. Zephyr itself is not compiled.
 * @param options Kconfig's, which differ from the defaults
 * @returns how each source of the modules in `folder` is compiled, by its name as in `net/net.c`
 */
function configureZephyr(
  zephyr: string,
  folder: string,
  options: readonly string[] = [],
): ReadonlyMap<string, CompileCommand> {
  const compiler = runCommand('sh', ['-c', 'command -v arm-none-eabi-gcc']).trim();
  const build = path.join(folder, 'build');
  removeFolder(build);
  runCommand(
    'cmake',
    [
      ...['-G', 'Ninja', '-S', folder, '-B', build, '-DBOARD=qemu_cortex_m3', '-DCMAKE_EXPORT_COMPILE_COMMANDS=ON'],
      ...options.map((option) => `-D${option}`),
    ],
    {
      cwd: folder,
      timeout: 1_200_000,
      env: {
        ZEPHYR_BASE: zephyr,
        ZEPHYR_TOOLCHAIN_VARIANT: 'gnuarmemb',
        GNUARMEMB_TOOLCHAIN_PATH: path.dirname(path.dirname(compiler)),
      },
    },
  );
  const modules = path.join(folder, 'modules');
  const entries = JSON.parse(readFileSync(path.join(build, 'compile_commands.json'), 'utf8')) as {
    directory: string;
    command: string;
    file: string;
  }[];
  return new Map(
    entries
      .filter(({ file }) => file.startsWith(`${modules}/`))
      .map(({ directory, command, file }) => [
        path.relative(modules, file),
        { folder: directory, words: command.split(' ') },
      ]),
  );
}

/** Compiles as the build does; any warning fails. @returns the object */
function compileAs({ folder, words: [command, ...args] }: CompileCommand): string {
  const object = path.resolve(folder, args[args.indexOf('-o') + 1]);
  mkdirSync(path.dirname(object), { recursive: true });
  runCommand(command, [...args, '-Werror'], { cwd: folder });
  return object;
}

describe('layouts on real SDKs', function () {
  this.timeout(1_800_000);
  const models = [
    ['net', reference(randomProgram(9), 2).sources],
    ['second', reference({ ...randomProgram(11), name: 'second' }, 1).sources],
  ] as const;
  let folder: string;
  beforeEach(() => {
    folder = scratchFolder('sdk');
  });
  afterEach(() => removeFolder(folder));

  /** Writes two models into the project; a second time, which must touch nothing. */
  const generateTwice = async (layout: string): Promise<void> => {
    assert.equal((await detectLayouts(folder))[0].id, layout);
    for (const [name, sources] of models) await writeToProject(folder, name, sources, { editBuildFiles: true });
    const before = texts(folder);
    for (const [name, sources] of models) {
      const { written, edited } = await writeToProject(folder, name, sources, { editBuildFiles: true });
      assert.deepEqual([written, edited], [[], []]);
    }
    assert.deepEqual(texts(folder), before);
  };

  it('Pico SDK: a firmware with two networks links for the RP2040', async function () {
    const sdk = needSdk(this, 'PICO_SDK_PATH', 'external/pico_sdk_import.cmake');
    putFiles(folder, [
      {
        path: 'CMakeLists.txt',
        text: `cmake_minimum_required(VERSION 3.13)
include(pico_sdk_import.cmake)
project(gauge C CXX ASM)
set(CMAKE_C_STANDARD 11)
pico_sdk_init()
add_executable(gauge main.c)
target_link_libraries(gauge pico_stdlib)
`,
      },
      {
        path: 'main.c',
        text: `#include "pico/stdlib.h"
#include "net.h"
#include "second.h"

static NET_ARENA(net_arena);
static SECOND_ARENA(second_arena);

int main(void)
{
    return net_invoke(net_arena) != NET_OK || second_invoke(second_arena) != SECOND_OK;
}
`,
      },
    ]);
    cpSync(path.join(sdk, 'external/pico_sdk_import.cmake'), path.join(folder, 'pico_sdk_import.cmake'));
    await generateTwice('pico-sdk');
    const configure = ['-G', 'Ninja', '-S', '.', '-B', 'build', `-DPICO_SDK_PATH=${sdk}`, '-DPICO_BOARD=pico'];
    runCommand('cmake', [...configure, '-DPICO_NO_PICOTOOL=1'], { cwd: folder, timeout: 1_200_000 });
    runCommand('cmake', ['--build', 'build'], { cwd: folder, timeout: 1_200_000 });
    const symbols = runCommand('arm-none-eabi-nm', ['build/gauge.elf'], { cwd: folder });
    for (const symbol of ['net_invoke', 'second_invoke', 'qmcu_conv2d'])
      assert.equal([...symbols.matchAll(new RegExp(` T ${symbol}$`, 'gm'))].length, 1, symbol);
  });

  it('ESP-IDF: its own script finds the components and what they require', async function () {
    const idf = needSdk(this, 'IDF_PATH', 'tools/cmake/scripts/component_get_requirements.cmake');
    putFiles(folder, [
      {
        path: 'CMakeLists.txt',
        text:
          'cmake_minimum_required(VERSION 3.16)\ninclude($ENV{IDF_PATH}/tools/cmake/project.cmake)\n' +
          'project(firmware)\n',
      },
      { path: 'main/CMakeLists.txt', text: 'idf_component_register(SRCS "main.c" INCLUDE_DIRS ".")\n' },
    ]);
    await generateTwice('esp-idf');
    const components = readdirSync(path.join(folder, 'components')).sort();
    assert.deepEqual(components, ['net', 'quantmcu', 'second']);
    const properties = components.map(
      (name) =>
        `set(__component____idf_${name}_COMPONENT_NAME ${name})\n` +
        `set(__component____idf_${name}_COMPONENT_ALIAS idf::${name})\n` +
        `set(__component____idf_${name}_COMPONENT_SOURCE project_components)\n` +
        `set(__component____idf_${name}_COMPONENT_DIR ${path.join(folder, 'components', name)})\n`,
    );
    const targets = components.map((name) => `___idf_${name}`).join(';');
    writeFileSync(
      path.join(folder, 'build.cmake'),
      `set(IDF_PATH ${idf})\nset(__COMPONENT_TARGETS "${targets}")\nset(__COMPONENT_REQUIRES_COMMON "")\n`,
    );
    writeFileSync(path.join(folder, 'components.cmake'), properties.join(''));
    runCommand(
      'cmake',
      [
        `-DBUILD_PROPERTIES_FILE=${folder}/build.cmake`,
        `-DCOMPONENT_PROPERTIES_FILE=${folder}/components.cmake`,
        `-DCOMPONENT_REQUIRES_FILE=${folder}/requires.cmake`,
        '-P',
        path.join(idf, 'tools/cmake/scripts/component_get_requirements.cmake'),
      ],
      { cwd: folder },
    );
    const found = readFileSync(path.join(folder, 'requires.cmake'), 'utf8');
    for (const [name, needed] of [
      ['net', 'quantmcu'],
      ['second', 'quantmcu'],
      ['quantmcu', ''],
    ])
      assert.match(
        found,
        new RegExp(`\\(___idf_${name} REQUIRES "${needed}"\\)[^]*?_${name} __COMPONENT_REGISTERED 1\\)`),
      );
  });

  it('Zephyr: its own build files find the modules and compile their sources', async function () {
    const zephyr = needSdk(this, 'ZEPHYR_BASE', 'cmake/modules/zephyr_module.cmake');
    putFiles(folder, [
      {
        path: 'CMakeLists.txt',
        text: `cmake_minimum_required(VERSION 3.20.0)
find_package(Zephyr REQUIRED HINTS $ENV{ZEPHYR_BASE})
project(gauge)
target_sources(app PRIVATE src/main.c)
`,
      },
      { path: 'prj.conf', text: '' },
      { path: 'src/main.c', text: 'int main(void)\n{\n    return 0;\n}\n' },
    ]);
    await generateTwice('zephyr');
    const sourcesOf = (module: string): string[] =>
      readdirSync(path.join(folder, 'modules', module))
        .filter((name) => name.endsWith('.c'))
        .map((name) => `${module}/${name}`)
        .sort();

    const all = configureZephyr(zephyr, folder);
    assert.deepEqual([...all.keys()].sort(), ['net', 'quantmcu', 'second'].flatMap(sourcesOf).sort());
    const objects = [...all.values()].map((command) => compileAs(command));
    const symbols = runCommand('arm-none-eabi-nm', objects, { cwd: folder });
    for (const symbol of ['net_invoke', 'second_invoke', 'qmcu_conv2d'])
      assert.equal([...symbols.matchAll(new RegExp(` T ${symbol}$`, 'gm'))].length, 1, symbol);

    // Kconfig leaves a network out, and one that is debugged is optimized all the same.
    const some = configureZephyr(zephyr, folder, ['CONFIG_QUANTMCU_SECOND=n', 'CONFIG_DEBUG_OPTIMIZATIONS=y']);
    assert.deepEqual([...some.keys()].sort(), ['net', 'quantmcu'].flatMap(sourcesOf).sort());
    for (const [source, { words }] of some)
      assert.equal(words.filter((word) => /^-O/.test(word)).at(-1), '-O2', source);
  });
});
