import type { GeneratedFile } from '../types';
import { ownLines, ownText, splitLines, withBlock, withoutBlocks } from './blocks';
import type { ProjectListing, Role, Wiring } from './types';

/** The C files among generated ones. */
export function cFiles(sources: readonly GeneratedFile[]): string[] {
  return sources.filter((f) => f.path.endsWith('.c')).map((f) => f.path);
}

/** `CMakeLists.txt` of a static library of the model's name. */
export function staticLibrary(name: string, sources: readonly GeneratedFile[], uses?: string): GeneratedFile {
  const text =
    `# In the project: add_subdirectory(lib/${name}) and target_link_libraries(<target> PRIVATE ${name})\n` +
    `add_library(${name} STATIC\n${cFiles(sources)
      .map((file) => `  ${file}\n`)
      .join('')})\ntarget_include_directories(${name} PUBLIC \${CMAKE_CURRENT_SOURCE_DIR})\n` +
    `set_target_properties(${name} PROPERTIES C_STANDARD 99 C_STANDARD_REQUIRED ON)\n` +
    (uses === undefined ? '' : `target_link_libraries(${name} PUBLIC ${uses})\n`) +
    `# Also where the firmware is built without optimization: unoptimized kernels take thirty times as long.
if(CMAKE_C_COMPILER_ID MATCHES "GNU|Clang")
  target_compile_options(${name} PRIVATE
    $<$<NOT:$<OR:$<CONFIG:Release>,$<CONFIG:RelWithDebInfo>,$<CONFIG:MinSizeRel>>>:-O2>)
endif()
# A release is optimized as it says.
target_compile_definitions(${name} PRIVATE $<$<CONFIG:Release>:QMCU_KEEP_OPTIMIZATION>)
`;
  return { path: 'CMakeLists.txt', text };
}

/** The firmware's target: the argument of the first `add_executable` that makes one. */
function executableOf(text: string): string | undefined {
  const commands = ownText(text).matchAll(/\badd_executable\s*\(\s*("?)([\w.+${}-]+)\1\s*([A-Z]*)/gi);
  return [...commands].find(([, , , keyword]) => keyword !== 'ALIAS' && keyword !== 'IMPORTED')?.[2];
}

/**
 * Links the library by two lines at the end of the top `CMakeLists.txt`. A project that has an `add_subdirectory` of
 * the folder already is left as it is.
 */
export function linkAtEnd(name: string, project: ProjectListing, role: Role): Wiring {
  const file = 'CMakeLists.txt';
  const text = project.text(file);
  const before = text === undefined ? '' : withoutBlocks(text, name);
  if (new RegExp(`add_subdirectory\\s*\\(\\s*"?([^\\s()"]*/)?lib/${name}[\\s")]`, 'i').test(ownText(before)))
    return { edits: [], instructions: [] };
  const target = executableOf(before);
  const lines = [
    `add_subdirectory(lib/${name})`,
    ...(role === 'runtime'
      ? [] // The models link it.
      : [`target_link_libraries(${target ?? '<target>'}${linkKeyword(before, target)} ${name})`]),
  ];
  const instructions = [`Add to ${file}:`, ...lines.map((line) => `  ${line}`)];
  if (text === undefined || target === undefined) return { edits: [], instructions };
  const after = withBlock(before, name, splitLines(before).length, lines);
  return after === text
    ? { edits: [], instructions: [] }
    : { edits: [{ path: file, before: text, after }], instructions };
}

/** CMake allows one signature per target, with or without keyword: the one that the project uses. */
function linkKeyword(text: string, target: string | undefined): string {
  const calls = [...ownText(text).matchAll(/\btarget_link_libraries\s*\(\s*"?([\w.+${}-]+)"?\s+(\w+)?/gi)].filter(
    (call) => call[1] === target,
  );
  return calls.length > 0 && !calls.some((call) => /^(PRIVATE|PUBLIC|INTERFACE)$/.test(call[2] ?? ''))
    ? ''
    : ' PRIVATE';
}

/** Index and indentation of the first line of the user's that matches; undefined if none does. */
export function findLine(text: string, pattern: RegExp): { index: number; indent: string } | undefined {
  const found = ownLines(text).find(({ line }) => pattern.test(line));
  return found && { index: found.index, indent: /^[ \t]*/.exec(found.line)![0] };
}
