import type { Calibration } from '../engine/calibration/types';
import { UserError } from '../engine/common/errors';
import { isWeighted, type WeightedLayer } from '../engine/graph/types';
import type { OpenedPlan } from '../engine/planned/open';
import type { LayerDetailsView } from '../protocol/details';
import { mapDistribution, referenceDistribution, weightDistribution } from './distribution';

/**
 * Distributions of a layer's weights and output. @param channel of the output; null: all. @throws UserError for a layer
 * or channel that does not exist
 */
export function layerDetails(
  { graph, plan, parameters }: OpenedPlan,
  calibration: Calibration | null,
  id: number,
  channel: number | null,
): LayerDetailsView {
  const layer = graph.layers[id];
  if (!layer) throw new UserError(`The model has no layer ${id}: it has changed. Open it again.`);
  const channels = graph.maps[layer.output].shape.c;
  if (channel !== null && !(Number.isInteger(channel) && channel >= 0 && channel < channels))
    throw new UserError(`"${layer.name}" has no channel ${channel}.`);
  const { phi } = plan.search;
  const own = parameters.layers.get(id);
  const statistics = calibration?.maps.get(layer.output);
  const patches = calibration?.patches;
  return {
    layer: id,
    channel,
    channels,
    weights: isWeighted(layer)
      ? weightDistribution(
          layer.weights,
          own?.codes ?? null,
          own?.weightBits ?? 8,
          channel === null ? () => true : weightsOf(layer, channels, channel),
        )
      : null,
    activations: statistics
      ? mapDistribution(statistics, channel, parameters.formats.get(layer.output) ?? null, phi)
      : null,
    reference:
      patches && patches.map === layer.output && patches.source === 'preActivation'
        ? referenceDistribution(patches, phi)
        : null,
  };
}

/** Which of a layer's weights belong to a channel of its output. */
function weightsOf(layer: WeightedLayer, channels: number, channel: number): (index: number) => boolean {
  if (layer.kind === 'depthwise') return (index) => index % channels === channel;
  const perChannel = layer.weights.length / channels;
  return (index) => Math.floor(index / perChannel) === channel;
}
