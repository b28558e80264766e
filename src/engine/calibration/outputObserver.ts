import { elements, type MapId } from '../graph/types';
import type { ElementArray, ElementType, ObservationProblem, ObservedOutput } from '../inference/frames';
import type { NamedArray } from '../inference/process';
import type { OutputObserver } from '../inference/serve';
import { elementsAsFloat } from './elements';
import { MapAccumulator } from './statistics';
import type { MapStatistics } from './types';

const FIELDS = ['min', 'max', 'mean', 'variance', 'lo', 'width'] as const;
const COUNTS = ['histograms', 'zeros'] as const;

/** Observes outputs where onnxruntime runs, so that their values need not leave its process. */
export class OutputStatistics implements OutputObserver {
  private readonly accumulators: readonly MapAccumulator[];

  constructor(private readonly observed: readonly ObservedOutput[]) {
    this.accumulators = observed.map(({ map, name, shape }) => new MapAccumulator({ id: map, name, shape }));
  }

  take(
    outputs: ReadonlyMap<string, { readonly type: ElementType; readonly data: ElementArray }>,
  ): ObservationProblem | null {
    const values = this.observed.map(({ value }) => {
      const output = outputs.get(value);
      return output && elementsAsFloat(output.type, output.data);
    });
    // Where lengths differ, nothing is taken in.
    for (const [i, { map, shape }] of this.observed.entries()) {
      const length = values[i]?.length ?? null;
      if (length !== elements(shape)) return { kind: 'length', map, length };
    }
    for (const [i, { map, layout }] of this.observed.entries())
      if (!this.accumulators[i].add(values[i]!, layout)) return { kind: 'infinite', map };
    return null;
  }

  results(): NamedArray[] {
    return this.accumulators.flatMap((accumulator, i) => {
      const found = accumulator.finish();
      const array = (name: string, type: ElementType, data: Float64Array | Uint32Array): NamedArray => ({
        name: `${this.observed[i].map}.${name}`,
        type,
        dims: [data.length],
        data: data as ElementArray,
      });
      return [
        ...FIELDS.map((field) => array(field, 'float64', found[field])),
        ...COUNTS.map((field) => array(field, 'uint32', found[field]!)),
      ];
    });
  }
}

/**
 * What an {@link OutputStatistics} found.
 * @param arrays of {@link OutputStatistics.results}; they are copied
 */
export function statisticsOf(
  observed: readonly ObservedOutput[],
  arrays: readonly NamedArray[],
): Map<MapId, MapStatistics> {
  const found = new Map(arrays.map(({ name, data }) => [name, data]));
  return new Map(
    observed.map(({ map, name, shape }) => {
      const floats = (field: string): Float64Array => (found.get(`${map}.${field}`) as Float64Array).slice();
      const counts = (field: string): Uint32Array => (found.get(`${map}.${field}`) as Uint32Array).slice();
      const histograms = counts('histograms');
      const statistics: MapStatistics = {
        map,
        name,
        shape,
        min: floats('min'),
        max: floats('max'),
        mean: floats('mean'),
        variance: floats('variance'),
        bins: histograms.length / shape.c,
        lo: floats('lo'),
        width: floats('width'),
        histograms,
        zeros: counts('zeros'),
      };
      return [map, statistics];
    }),
  );
}
