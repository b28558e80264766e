import type { HeadLevel } from '../head';

/** The family that a level of a head is like, by its functions; `custom` where it is like none. */
export function presetOf({ box, objectness, score }: HeadLevel): string {
  if (box.form === 'ltrb') return box.bins === 16 ? 'yolov8' : box.bins === 8 ? 'picodet' : 'custom';
  if (box.form !== 'center') return 'custom';
  const { xy, wh } = box;
  if (xy.unit === 'anchor') return 'ssd';
  if (!objectness) return 'custom';
  if (xy.fn === 'linear') return wh.fn === 'exp' ? 'yolox' : 'custom';
  if (wh.fn === 'square') return 'yolov5';
  if (wh.fn !== 'exp') return 'custom';
  return score.fn === 'softmax' ? 'yolov2' : xy.scale === 1 ? 'yolov3' : 'yolov4';
}
