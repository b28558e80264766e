import type { Usage } from '../../engine/codegen/usageTypes';

/** Text that goes into a source before the character at `offset`. */
export interface Insertion {
  readonly offset: number;
  readonly text: string;
}

/** Whether a source includes the network's header already. */
export function includesHeader(source: string, { includes }: Usage): boolean {
  return hasInclude(source, includes[includes.length - 1]);
}

/**
 * What makes a C or C++ source run the network: headers behind its last `#include` outside of conditions, and the code
 * behind them; in STM32CubeMX's files in the sections that it leaves alone. Ends of lines are the source's own.
 */
export function usageInsertions(source: string, usage: Usage): readonly Insertion[] {
  const eol = source.includes('\r\n') ? '\r\n' : '\n';
  const own = (text: string): string => text.replaceAll('\n', eol);
  const includes = usage.includes.filter((file) => !hasInclude(source, file)).map((file) => `#include ${file}\n`);
  const behindIncludes = sectionBegin(source, 'Includes');
  const behindCode = sectionBegin(source, '0');
  if (behindIncludes !== undefined && behindCode !== undefined)
    return [
      ...(includes.length > 0 ? [{ offset: behindIncludes, text: own(includes.join('')) }] : []),
      { offset: behindCode, text: own(usage.code) },
    ];
  const offset = behindLastInclude(source);
  const begun = offset === 0 || source[offset - 1] === '\n' ? '' : '\n';
  return [{ offset, text: own(`${begun}${includes.join('')}\n${usage.code}`) }];
}

function hasInclude(source: string, file: string): boolean {
  return source.split(/\r?\n/).some((line) => /^\s*#\s*include\s*(\S+)/.exec(line)?.[1] === file);
}

/** Behind the line `USER CODE BEGIN name` of STM32CubeMX. */
function sectionBegin(source: string, name: string): number | undefined {
  const match = new RegExp(`^[^\\n]*/\\* USER CODE BEGIN ${name} \\*/[^\\n]*\\n`, 'm').exec(source);
  return match ? match.index + match[0].length : undefined;
}

/** Behind the last `#include` that no `#if` surrounds; without one, behind the comment that the source begins with. */
function behindLastInclude(source: string): number {
  let depth = 0;
  let end: number | undefined;
  for (const { 0: line, index } of source.matchAll(/^[^\n]*(?:\n|$)/gm)) {
    if (/^\s*#\s*if/.test(line)) depth++;
    else if (/^\s*#\s*endif/.test(line)) depth--;
    else if (depth === 0 && /^\s*#\s*include\b/.test(line)) end = index + line.length;
    if (index + line.length >= source.length) break;
  }
  return end ?? /^\s*(?:\/\*[^]*?\*\/[^\n]*(?:\n|$)|(?:\/\/[^\n]*(?:\n|$))+)/.exec(source)?.[0].length ?? 0;
}
