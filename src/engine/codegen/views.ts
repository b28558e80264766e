import { regionHeight, regionWidth } from '../graph/region';
import type { Access, Program } from '../program/types';
import type { Scratch } from './scratch';
import { comment, commentText } from './text';

/**
 * The table of windows into feature maps that the steps read and write. A C `qmcu_map` holds a pointer, so it cannot be
 * constant; the table holds offsets, and the steps turn its entries into `qmcu_map`s. Steps that look at the same bytes
 * share an entry.
 */
export class ViewTable {
  private readonly indices = new Map<string, number>();
  private readonly lines: string[] = [];
  private largest = 0;

  constructor(private readonly program: Program) {}

  /** Index of an access in the table. */
  index(access: Access): number {
    const { buffers } = this.program;
    const buffer = buffers[access.buffer];
    const { region, channel, channels } = access;
    const { window } = buffer;
    const inside =
      region.y0 >= window.y0 &&
      region.x0 >= window.x0 &&
      region.y1 <= window.y1 &&
      region.x1 <= window.x1 &&
      regionHeight(region) > 0 &&
      regionWidth(region) > 0 &&
      channel >= 0 &&
      channels > 0 &&
      channel + channels <= buffer.channels;
    if (!inside || (channel * buffer.bits) % 8 !== 0)
      throw new Error(`A step reaches outside of buffer '${buffer.name}'.`);
    // An external buffer is found by its own pointer.
    const start = buffer.external ? 0 : buffer.offset;
    const offset =
      start +
      (region.y0 - window.y0) * buffer.rowBytes +
      (region.x0 - window.x0) * buffer.pixelBytes +
      (channel * buffer.bits) / 8;
    const extents = [regionHeight(region), regionWidth(region), channels, buffer.pixelBytes, buffer.rowBytes];
    this.largest = Math.max(this.largest, ...extents);
    const entry = `{${[offset, ...extents, `QMCU_${buffer.signed ? 'S' : 'U'}${buffer.bits}`].join(', ')}}`;
    return this.entry(entry, commentText(buffer.name));
  }

  /** Index of scratch memory in the table: its address is all that is read. */
  scratch({ offset }: Scratch): number {
    return this.entry(`{${offset}, 1, 1, 1, 1, 1, QMCU_U8}`, 'scratch');
  }

  private entry(entry: string, title: string): number {
    const known = this.indices.get(entry);
    if (known !== undefined) return known;
    const index = this.indices.size;
    this.indices.set(entry, index);
    this.lines.push(`    ${entry}, /* ${index}: ${title} */\n`);
    return index;
  }

  /** Entries of the table. */
  get length(): number {
    return this.indices.size;
  }

  /** Bytes of the table in flash. */
  get bytes(): number {
    return this.indices.size * (this.largest > 0xffff ? 28 : 16);
  }

  /** The table's type, its definition and the function that reads it. Empty when no step asked for an entry. */
  render(): string {
    if (this.indices.size === 0) return '';
    const extent = this.largest > 0xffff ? 'uint32_t' : 'uint16_t';
    return (
      comment(['A window into a feature map: where it lies in its memory, its size and the strides of the map.']) +
      `typedef struct {\n    uint32_t offset;\n    ${extent} h, w, channels, pixel_bytes, row_bytes;\n    ` +
      'uint16_t format;\n} map_view;\n\n' +
      `static const map_view views[${this.indices.size}] = {\n${this.lines.join('')}};\n\n` +
      'static QMCU_NOINLINE const qmcu_map *view(qmcu_map *map, uint8_t *memory, const map_view *at)\n{\n' +
      '    map->data = memory + at->offset;\n    map->h = at->h;\n    map->w = at->w;\n    map->channels = ' +
      'at->channels;\n' +
      '    map->pixel_bytes = at->pixel_bytes;\n    map->row_bytes = at->row_bytes;\n    map->format = ' +
      'at->format;\n    return map;\n}\n'
    ).replace(/(map->\w+ = )(at->(?:h|w|channels|pixel_bytes|row_bytes);)/g, '$1(int32_t)$2');
  }
}
