import { h, setAria } from './dom';

export interface Splitter {
  readonly element: HTMLElement;
  readonly refresh: () => void;
}

/**
 * A border that can be dragged, or moved with the arrow keys, to change the size of what lies behind it. `size` grows
 * against the pointer's direction.
 */
export function splitter(options: {
  readonly orientation: 'vertical' | 'horizontal';
  readonly label: string;
  readonly min: number;
  readonly max: () => number;
  readonly get: () => number;
  readonly set: (size: number) => void;
}): Splitter {
  const { orientation, min } = options;
  const element = h('div', {
    class: `splitter splitter-${orientation}`,
    role: 'separator',
    tabIndex: 0,
    aria: { label: options.label, orientation },
  });
  const clamp = (size: number): number => Math.max(min, Math.min(options.max(), size));
  const refresh = (): void => {
    setAria(element, 'valuemin', min);
    setAria(element, 'valuemax', Math.round(Math.max(min, options.max())));
    setAria(element, 'valuenow', Math.round(clamp(options.get())));
  };
  element.addEventListener('pointerdown', (event) => {
    const start = { position: orientation === 'vertical' ? event.clientX : event.clientY, size: clamp(options.get()) };
    element.setPointerCapture(event.pointerId);
    const move = (moved: PointerEvent): void =>
      options.set(clamp(start.size - ((orientation === 'vertical' ? moved.clientX : moved.clientY) - start.position)));
    element.addEventListener('pointermove', move);
    element.addEventListener('lostpointercapture', () => element.removeEventListener('pointermove', move), {
      once: true,
    });
    event.preventDefault();
  });
  element.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: 16, ArrowUp: 16, ArrowRight: -16, ArrowDown: -16 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    options.set(clamp(options.get() + step));
  });
  return { element, refresh };
}
