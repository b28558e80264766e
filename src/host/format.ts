/** Bytes as people say them: `512 bytes`, `191.5 KiB`, `2 MiB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  const [value, unit] = bytes < 1024 * 1024 ? [bytes / 1024, 'KiB'] : [bytes / (1024 * 1024), 'MiB'];
  return `${Number(value.toFixed(1))} ${unit}`;
}

/** What a 32-bit core can address: no memory is larger. */
export const MOST_BYTES = 2 ** 32;

/**
 * Bytes of a memory as people type them: `262144`, `256K`, `256 KiB`, `0.5MB` (1024-based throughout); undefined if it
 * is none.
 */
export function parseBytes(text: string): number | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(k|m)?(?:i?b|bytes)?\s*$/i.exec(text);
  if (!match) return undefined;
  const factor = { k: 1024, m: 1024 * 1024 }[match[2]?.toLowerCase() ?? ''] ?? 1;
  const bytes = Math.round(Number(match[1]) * factor);
  return bytes > 0 && bytes <= MOST_BYTES ? bytes : undefined;
}

/**
 * Bytes as people would type them, without rounding: `262144` → `256K`, `1000` → `1000`. {@link parseBytes} gives the
 * same number back.
 */
export function editableBytes(bytes: number): string {
  if (bytes % (1024 * 1024) === 0) return `${bytes / (1024 * 1024)}M`;
  return bytes % 1024 === 0 ? `${bytes / 1024}K` : String(bytes);
}

/** Large counts in few digits: `950`, `12.5 k`, `301 M`, `1.2 G`. */
export function formatCount(count: number): string {
  const units = ['', ' k', ' M', ' G', ' T'];
  const power = Math.min(units.length - 1, count < 1 ? 0 : Math.floor(Math.log10(count) / 3));
  return `${Number((count / 1000 ** power).toPrecision(3))}${units[power]}`;
}

/** Times in few digits: `0.42 ms`, `116 ms`, `1.2 s`. */
export function formatMilliseconds(ms: number): string {
  return ms >= 1000 ? `${Number((ms / 1000).toPrecision(3))} s` : `${Number(ms.toPrecision(3))} ms`;
}
