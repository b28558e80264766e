import { containsRegion, regionHeight, regionWidth } from '../../graph/region';
import type { Access, Program, ProgramBuffer } from '../types';
import type { CodeBlock } from './codes';

/**
 * Throws unless a buffer's sizes follow from its window, channels and bits, and it lies inside the arena (behind it, if
 * it is external).
 */
export function checkBuffer(program: Program, buffer: ProgramBuffer): void {
  const pixelBytes = Math.ceil((buffer.channels * buffer.bits) / 8);
  const rowBytes = pixelBytes * regionWidth(buffer.window);
  const bytes = rowBytes * regionHeight(buffer.window);
  if (buffer.pixelBytes !== pixelBytes || buffer.rowBytes !== rowBytes || buffer.bytes !== bytes) {
    throw new RangeError(`Buffer ${buffer.id}: its byte sizes do not follow from window, channels and bits.`);
  }
  const inPlace = buffer.external
    ? buffer.offset >= program.arenaBytes
    : buffer.offset >= 0 && buffer.offset + bytes <= program.arenaBytes;
  if (!inPlace || buffer.offset % buffer.align !== 0) {
    throw new RangeError(
      `Buffer ${buffer.id}: bytes ${buffer.offset}…${buffer.offset + bytes} are misaligned or outside the arena ` +
        `of ${program.arenaBytes}.`,
    );
  }
}

/**
 * Turns an access into addresses.
 *
 * An access that writes must end on a byte or with the buffer's last channel: no kernel changes part of a byte, since
 * the bits after the last channel are written as 0. Accesses that read may end anywhere.
 *
 * @throws RangeError if any byte of the access lies outside its buffer's window or channels, or it does not begin on
 *   a byte
 */
export function resolveAccess(program: Program, access: Access, writes: boolean): CodeBlock {
  const buffer = program.buffers[access.buffer];
  if (buffer === undefined) throw new RangeError(`There is no buffer ${access.buffer}.`);
  if (writes && buffer.external)
    throw new RangeError(`Buffer ${buffer.id} is the application's and must not be written.`);
  const { region } = access;
  const h = regionHeight(region);
  const w = regionWidth(region);
  if (h === 0 || w === 0 || !containsRegion(buffer.window, region)) {
    throw new RangeError(
      `Rows ${region.y0}…${region.y1}, columns ${region.x0}…${region.x1} are empty or outside buffer ` +
        `${buffer.id}'s window.`,
    );
  }
  const end = access.channel + access.channels;
  if (!(access.channel >= 0 && access.channels > 0 && end <= buffer.channels)) {
    throw new RangeError(
      `Channels ${access.channel}…${end} are empty or outside buffer ${buffer.id}'s ${buffer.channels}.`,
    );
  }
  if ((access.channel * buffer.bits) % 8 !== 0)
    throw new RangeError(`Channel ${access.channel} of buffer ${buffer.id} does not begin on a byte.`);
  if (writes && end !== buffer.channels && (end * buffer.bits) % 8 !== 0) {
    throw new RangeError(
      `Channels ${access.channel}…${end} of buffer ${buffer.id} are written but do not end on a byte.`,
    );
  }
  return {
    offset:
      buffer.offset +
      (region.y0 - buffer.window.y0) * buffer.rowBytes +
      (region.x0 - buffer.window.x0) * buffer.pixelBytes +
      (access.channel * buffer.bits) / 8,
    h,
    w,
    channels: access.channels,
    pixelBytes: buffer.pixelBytes,
    rowBytes: buffer.rowBytes,
    bits: buffer.bits,
    signed: buffer.signed,
  };
}
