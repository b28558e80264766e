import type { LayerId, MapId } from '../graph/types';
import type { ScaleComponent } from './components';
import type { BitDecisions } from './quantizeGraph';
import type { FormatTies } from './ties';
import type { LayerParameters, MapFormat } from './types';

/** Results that are kept for different bits; each may hold a layer's weights. */
const MOST_KEPT = 4;

type Question = 'mapBits' | 'weightBits' | 'inputBits';
type Answers = readonly (readonly [Question, number, number])[];

/** Results of a function of bit decisions: where the bits that it asked for are the same, so is the result. */
export class ByBits<T> {
  private readonly kept: { readonly answers: Answers; readonly result: T }[] = [];

  /** @param make depends on nothing else that changes */
  get(bits: BitDecisions, make: (bits: BitDecisions) => T): T {
    const found = this.kept.find(({ answers }) =>
      answers.every(([question, id, answer]) => bits[question](id) === answer),
    );
    if (found) return found.result;
    const answers: [Question, number, number][] = [];
    const noted = <A extends number>(question: Question, id: number, answer: A): A => {
      answers.push([question, id, answer]);
      return answer;
    };
    const result = make({
      mapBits: (map) => noted('mapBits', map, bits.mapBits(map)),
      weightBits: (layer) => noted('weightBits', layer, bits.weightBits(layer)),
      inputBits: (layer) => noted('inputBits', layer, bits.inputBits(layer)),
      ...(bits.heads ? { heads: bits.heads } : {}),
    });
    this.kept.unshift({ answers, result });
    if (this.kept.length > MOST_KEPT) this.kept.pop();
    return result;
  }
}

/** Maps that share scales, and their formats by bits. */
export interface ComponentParts {
  readonly component: ScaleComponent;
  readonly formats: ByBits<ReadonlyMap<MapId, MapFormat>>;
}

/** A layer's integer weights, and the format of its input where it reads fewer bits than are stored. */
export interface LayerParts {
  readonly view: MapFormat | null;
  readonly parameters: LayerParameters;
}

/**
 * Formats and weights that were quantized before, of one graph, calibration, input format and detection head. A search
 * quantizes a network many times with few bits changed: only what depends on those is made again.
 */
export class QuantizedParts {
  private readonly byOneScale = new Map<string, { ties: FormatTies; components: readonly ComponentParts[] }>();
  private readonly byStored = new Map<LayerId, WeakMap<MapFormat, ByBits<LayerParts>>>();

  /** @param oneScale maps that need one scale for all channels */
  components(
    oneScale: ReadonlySet<MapId> | undefined,
    make: () => { readonly ties: FormatTies; readonly components: readonly ScaleComponent[] },
  ): { readonly ties: FormatTies; readonly components: readonly ComponentParts[] } {
    const key = [...(oneScale ?? [])].sort((a, b) => a - b).join();
    let known = this.byOneScale.get(key);
    if (!known) {
      const { ties, components } = make();
      known = { ties, components: components.map((component) => ({ component, formats: new ByBits() })) };
      this.byOneScale.set(key, known);
    }
    return known;
  }

  /** Of a layer whose input is stored in this very format. */
  layer(layer: LayerId, stored: MapFormat): ByBits<LayerParts> {
    const known = this.byStored.get(layer) ?? new WeakMap<MapFormat, ByBits<LayerParts>>();
    this.byStored.set(layer, known);
    const parts = known.get(stored) ?? new ByBits<LayerParts>();
    known.set(stored, parts);
    return parts;
  }
}
