// The system's tools that tests and the demo need: found, or installed where that is allowed (root with apt-get), or
// named.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { closingLine } from './closingLine.mjs';

const succeeds = (command, args) => spawnSync(command, args, { stdio: 'ignore' }).status === 0;
const output = (command, args) => String(spawnSync(command, args, { encoding: 'utf8' }).stdout ?? '').trim();
const firstExisting = (candidates) => candidates.find((file) => existsSync(file));
const onPath = (command) =>
  firstExisting((process.env.PATH ?? '').split(path.delimiter).map((folder) => path.join(folder, command)));

/** Path of a Chromium or Chrome that can be driven; undefined if there is none. */
export const chromiumPath = () =>
  process.env.CHROME_PATH || onPath('chromium') || onPath('google-chrome') || onPath('chromium-browser');

const clangMajor = () => /version (\d+)/.exec(output('clang', ['--version']))?.[1] ?? '14';
const sanitizerRuntime = () =>
  output('clang', ['-print-file-name=libclang_rt.asan-x86_64.a']).startsWith('/') ||
  output('clang', ['-print-file-name=libclang_rt.asan.a']).startsWith('/') ||
  output('clang', ['-print-file-name=libclang_rt.asan-aarch64.a']).startsWith('/');

/**
 * A command that tells its version.
 * @param {string} name @param {string[]} packages @param {string} why
 */
const command = (name, packages, why) => ({
  found: () => succeeds(name, ['--version']),
  packages: () => packages,
  why,
});

/** @type {Record<string, {found: () => unknown, packages: () => string[], why: string}>} */
const tools = {
  gcc: command('gcc', ['gcc', 'libc6-dev'], "the host's C compiler"),
  ccache: command('ccache', ['ccache'], 'compiling equal sources once'),
  make: command('make', ['make'], "the sample firmware's build"),
  clang: command('clang', ['clang'], 'a second C compiler'),
  sanitizers: {
    found: sanitizerRuntime,
    packages: () => [`libclang-rt-${clangMajor()}-dev`],
    why: 'address and undefined-behavior checks',
  },
  armGcc: command('arm-none-eabi-gcc', ['gcc-arm-none-eabi'], 'the compiler for Cortex-M'),
  newlib: {
    found: () => output('arm-none-eabi-gcc', ['-print-file-name=libc.a']).startsWith('/'),
    packages: () => ['libnewlib-arm-none-eabi'],
    why: 'the C library for Cortex-M',
  },
  qemu: command('qemu-system-arm', ['qemu-system-arm'], 'emulated boards'),
  riscvGcc: command('riscv64-unknown-elf-gcc', ['gcc-riscv64-unknown-elf'], 'the compiler for RISC-V'),
  picolibc: {
    found: () =>
      output('riscv64-unknown-elf-gcc', ['-print-file-name=picolibc.specs']).startsWith('/') ||
      existsSync('/usr/lib/picolibc/riscv64-unknown-elf/lib/libc.a'),
    packages: () => ['picolibc-riscv64-unknown-elf'],
    why: 'the C library for RISC-V',
  },
  qemuRiscv: command('qemu-system-riscv32', ['qemu-system-misc'], 'an emulated RISC-V board'),
  cmake: command('cmake', ['cmake'], 'generated CMake projects'),
  ninja: command('ninja', ['ninja-build'], 'generated CMake projects'),
  jpeg: {
    found: () => onPath('cjpeg') && onPath('djpeg'),
    packages: () => ['libjpeg-turbo-progs'],
    why: 'libjpeg-turbo, to compare pixels with',
  },
  chromium: { found: chromiumPath, packages: () => ['chromium'], why: 'the browser in front of VS Code' },
  fonts: {
    found: () => existsSync('/usr/share/fonts/truetype/dejavu') || process.platform !== 'linux',
    packages: () => ['fonts-dejavu-core'],
    why: 'readable screenshots',
  },
  nativeBuild: {
    found: () =>
      ['make', 'g++', 'python3'].every((c) => succeeds(c, ['--version'])) && existsSync('/usr/include/gssapi/gssapi.h'),
    packages: () => ['make', 'g++', 'python3', 'libkrb5-dev'],
    why: "code-server's native modules",
  },
};

/** @typedef {keyof typeof tools} ToolName */

/**
 * Makes sure that the tools are there, in the order given; missing ones are installed when this process is root and has
 * apt-get.
 * @param {string[]} names @returns {string[]} one line for each tool that is still missing, with the package that
 *   holds it
 */
export function ensureTools(names) {
  const installable = process.getuid?.() === 0 && onPath('apt-get') !== undefined;
  let updated = false;
  const missing = [];
  for (const name of names) {
    const tool = tools[name];
    if (!tool) throw new Error(`Unknown tool '${name}'.`);
    if (tool.found()) continue;
    const packages = tool.packages();
    if (installable) {
      console.log(`Installing ${packages.join(' ')} (${tool.why})`);
      const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
      // Another installation may hold the lock: it is waited for.
      const aptGet = (...args) =>
        spawnSync('apt-get', ['-o', 'DPkg::Lock::Timeout=300', '-o', 'Acquire::Retries=3', '-qq', ...args], {
          stdio: ['ignore', 'ignore', 'inherit'],
          env,
        });
      if (!updated) aptGet('update');
      updated = true;
      const { status } = aptGet('install', '-y', '--no-install-recommends', ...packages);
      if (status !== 0) console.log(`apt-get could not install ${packages.join(' ')}: see its messages above.`);
    }
    if (!tool.found()) missing.push(`${name} (${tool.why}): install ${packages.join(' ')}`);
  }
  return missing;
}

/**
 * Whether a suite can run. Missing tools fail it where nothing may be skipped (CI=true), and count as one skipped test
 * elsewhere.
 * @param {string[]} names @returns {boolean}
 */
export function requireTools(names) {
  const missing = ensureTools(names);
  if (missing.length === 0) return true;
  console.log(`Missing:\n  ${missing.join('\n  ')}`);
  const isCi = process.env.CI === 'true';
  console.log(closingLine({ passed: 0, failed: isCi ? 1 : 0, skipped: isCi ? 0 : 1 }));
  process.exitCode = isCi ? 1 : 0;
  return false;
}

const CODE_SERVER = '4.139.1'; // VS Code 1.139.1
const NODE_FOR_CODE_SERVER = '24.21.0'; // it needs Node 24; this npm package ships the binary and its headers

/**
 * VS Code as a server, from npm, in a cache folder that lasts between runs (not among the project's dependencies: 600
 * MB).
 * @returns {{node: string, entry: string}} the Node binary that runs it and its entry script
 */
export function ensureCodeServer() {
  const cache = path.join(
    process.env.QUANTMCU_CACHE || path.join(process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'quantmcu'),
    'code-server',
  );
  const nodeFolder = path.join(cache, 'node');
  const serverFolder = path.join(cache, 'server');
  const nodePackage = path.join(nodeFolder, 'node_modules/node');
  const node = path.join(nodePackage, 'bin/node');
  const entry = path.join(serverFolder, 'node_modules/code-server/out/node/entry.js');
  const complete = path.join(cache, `complete-${CODE_SERVER}`);
  if (existsSync(complete) && existsSync(entry)) return { node, entry };

  const lock = `${cache}.lock`;
  takeLock(lock);
  try {
    if (!existsSync(complete) || !existsSync(entry)) installCodeServer(cache, complete, { nodePackage, node, entry });
  } finally {
    rmSync(lock, { force: true });
  }
  return { node, entry };
}

/** One process installs, others wait for it; what a killed one left behind is taken over. */
function takeLock(lock) {
  mkdirSync(path.dirname(lock), { recursive: true });
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (!holderRuns(lock)) rmSync(lock, { force: true });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
  }
}

function holderRuns(lock) {
  try {
    process.kill(Number(readFileSync(lock, 'utf8')), 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function installCodeServer(cache, complete, { nodePackage, node, entry }) {
  const nodeFolder = path.join(cache, 'node');
  const serverFolder = path.join(cache, 'server');
  console.log(`Installing code-server ${CODE_SERVER} into ${cache}: takes two to ten minutes, once`);
  rmSync(cache, { recursive: true, force: true });
  // Two folders: installing code-server beside the package `node` would replace that while it is in use.
  install(nodeFolder, `node@${NODE_FOR_CODE_SERVER}`, process.env);
  const headers = firstExisting(
    ['x64', 'arm64']
      .map((arch) => path.join(nodePackage, `node_modules/node-${process.platform}-${arch}`))
      .concat(['x64', 'arm64'].map((arch) => path.join(nodeFolder, `node_modules/node-${process.platform}-${arch}`))),
  );
  install(serverFolder, `code-server@${CODE_SERVER}`, {
    ...process.env,
    PATH: `${path.dirname(node)}${path.delimiter}${process.env.PATH}`,
    npm_config_nodedir: headers,
  });
  if (!existsSync(entry)) throw new Error(`npm did not install ${entry}.`);
  writeFileSync(complete, '');
}

function install(folder, specifier, environment) {
  mkdirSync(folder, { recursive: true });
  // npm run sets npm_config_* for the project that it runs in; they must not leak into this install.
  const env = Object.fromEntries(
    Object.entries(environment).filter(
      ([key]) => !/^npm_config_(?!nodedir|registry|cache|userconfig|globalconfig)|^npm_(package|lifecycle)_/i.test(key),
    ),
  );
  const { status, stdout, stderr } = spawnSync(
    'npm',
    ['install', '--no-save', '--no-audit', '--no-fund', '--prefix', folder, specifier],
    { cwd: folder, env, encoding: 'utf8', maxBuffer: 1 << 28 },
  );
  if (status !== 0)
    throw new Error(`npm could not install ${specifier}:\n${stdout.slice(-2000)}${stderr.slice(-6000)}`);
}
