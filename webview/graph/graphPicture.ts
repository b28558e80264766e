import type { Picture } from '../export/pictures';
import { paintGraph } from './paint';
import type { GraphMarks } from './paintNode';
import type { Scene } from './scene';

/** All of a drawing, for a file. */
export function graphPicture(scene: Scene, meaning: Pick<GraphMarks, 'coloring' | 'name'>): Picture {
  const margin = 16;
  const { x, y, width, height } = scene.bounds;
  const size = { width: width + 2 * margin, height: height + 2 * margin };
  return {
    ...size,
    paint: (context, colors) =>
      paintGraph(
        context,
        scene,
        { x: x + width / 2, y: y + height / 2, scale: 1 },
        size,
        { selected: null, hovered: null, found: null, focused: false, ...meaning },
        colors,
      ),
  };
}
