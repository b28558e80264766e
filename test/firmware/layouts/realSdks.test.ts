import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import type { Context } from 'mocha';
import { detectLayouts, writeToProject } from '../../../src/engine/codegen';
import { randomProgram } from '../../support/randomProgram';
import { putFiles, removeFolder, runCommand, scratchFolder } from '../support/hostBuild';
import { reference } from '../support/reference';

/*
 * Projects on SDKs as their makers ship them, where the environment says that they are there: PICO_SDK_PATH (2.x),
 * IDF_PATH (5.x; its scripts in tools/cmake alone are enough).
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
});
