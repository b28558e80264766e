import { UserError } from '../../common/errors';
import type { Graph, Layer, LayerId, MapId } from '../../graph/types';
import { formatTies } from '../../quantize/ties';
import type { MapFormat, QuantizedParameters } from '../../quantize/types';
import type { Schedule, ScheduleAccess, ScheduleStep, Scope } from '../../schedule/schedule';
import { baseFormat, outlierFormat, type BranchFormat } from './formats';
import { channelsOf } from './scheduleFor';

/** The formats in which steps of a schedule read and write. */
export class StepFormats {
  private readonly splitGroup: number;
  private readonly bitGroup: readonly MapId[];
  private readonly partBegins = new Map<LayerId, readonly number[]>();

  /** @param splitMap the map that ends the patch stage; null without one */
  constructor(
    private readonly graph: Graph,
    private readonly parameters: QuantizedParameters,
    private readonly schedule: Schedule,
    splitMap: MapId | null,
  ) {
    this.bitGroup = formatTies(graph).bitGroup;
    this.splitGroup = splitMap === null ? -1 : this.bitGroup[splitMap];
  }

  /** Format of a map in the regular class and in the tail. @throws UserError where it has none */
  stored(map: MapId): MapFormat {
    const format = this.parameters.formats.get(map);
    if (!format)
      throw new UserError(`Feature map "${this.graph.maps[map].name}" has no scales. Quantize the model again.`);
    return format;
  }

  /**
   * Format in which a layer reads a requantized copy of a map: the plan's view, or, where a branch of regular class
   * follows a map that was computed with the widths of the outlier class, the map's own.
   */
  viewFormat(map: MapId, reader: LayerId): MapFormat {
    return this.parameters.views.get(reader) ?? this.stored(map);
  }

  /** Format of what an access reads or writes: by the class of the buffer that holds it. */
  of(access: ScheduleAccess, reader?: LayerId): BranchFormat {
    const buffer = this.schedule.buffers[access.buffer];
    if (buffer.role === 'view') {
      const view = this.viewFormat(access.map, buffer.reader ?? reader!);
      return buffer.scope === 'outlier' ? outlierFormat(view) : baseFormat(view);
    }
    const format = this.stored(access.map);
    return this.isOutlier(access.map, buffer.scope) ? outlierFormat(format) : baseFormat(format);
  }

  private isOutlier(map: MapId, scope: Scope): boolean {
    return scope === 'outlier' && this.bitGroup[map] !== this.splitGroup;
  }

  /** The format of the channels of a concat's or slice's step. */
  ofPart(layer: Layer, step: ScheduleStep, format: BranchFormat, side: 'in' | 'out'): BranchFormat {
    if (layer.kind === 'slice' && side === 'in')
      return { ...format, base: channelsOf(format.base, layer.begin, layer.end - layer.begin) };
    if (layer.kind === 'concat' && side === 'out' && layer.axis === 'c') {
      const begin = this.partBegin(layer, step.part);
      return { ...format, base: channelsOf(format.base, begin, this.graph.maps[layer.inputs[step.part]].shape.c) };
    }
    return format;
  }

  /** First output channel of an input of a concatenation of channels. */
  private partBegin({ id, inputs }: Layer, part: number): number {
    let begins = this.partBegins.get(id);
    if (!begins) {
      let begin = 0;
      begins = inputs.map((map) => (begin += this.graph.maps[map].shape.c) - this.graph.maps[map].shape.c);
      this.partBegins.set(id, begins);
    }
    return begins[part];
  }
}
