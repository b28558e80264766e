/** How well the float network does under a preprocessing. */
export interface PreprocessScore {
  /** As loadPreprocess takes it, e.g. `tf` or `imagenet+bgr`. */
  readonly name: string;
  /** Share of the labelled images with the right answer, 0…1; null without labels. */
  readonly top1: number | null;
  /** How confident and how varied the answers are, 0…1, see certaintyOf. */
  readonly certainty: number;
  readonly images: number;
  /** What labels count from against the network's classes: 1 where its first class is the background. */
  readonly labelOffset: number;
}

export interface FoundPreprocess {
  /** The best first. */
  readonly scores: readonly PreprocessScore[];
  /** Whether the best is good enough to be the right one. */
  readonly plausible: boolean;
  /** What they are ranked by. */
  readonly by: 'top1' | 'certainty';
}
