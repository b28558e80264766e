/**
 * The theme's colours for what is drawn on a canvas, read from VS Code's variables and again whenever the theme
 * changes.
 */

export interface Colors {
  readonly background: string;
  readonly foreground: string;
  readonly muted: string;
  readonly border: string;
  readonly surface: string;
  readonly focus: string;
  readonly selection: string;
  readonly error: string;
  readonly warning: string;
  readonly stage: string;
  readonly bits16: string;
  readonly bits8: string;
  readonly bits4: string;
  readonly bits2: string;
  readonly none: string;
  readonly fontFamily: string;
  readonly monoFamily: string;
  readonly highContrast: boolean;
}

/** For paper, whatever the theme. */
export const paperColors: Colors = {
  background: '#ffffff',
  foreground: '#1f2328',
  muted: '#59636e',
  border: '#d1d9e0',
  surface: '#f6f8fa',
  focus: '#0969da',
  selection: '#ddf4ff',
  error: '#d1242f',
  warning: '#bc4c00',
  stage: '#8250df',
  bits16: '#1b7c83',
  bits8: '#0969da',
  bits4: '#1a7f37',
  bits2: '#9a6700',
  none: '#818b98',
  fontFamily: 'sans-serif',
  monoFamily: 'monospace',
  highContrast: false,
};

/** How strongly an area in a bitwidth's colour is filled: outlines carry the picture in high contrast. */
export const fillAlpha = (colors: Colors): number => (colors.highContrast ? 0.12 : 0.26);

export function bitsColor(colors: Colors, bits: number | null): string {
  if (bits === 16) return colors.bits16;
  return bits === 8 ? colors.bits8 : bits === 4 ? colors.bits4 : bits === 2 ? colors.bits2 : colors.none;
}

function read(): Colors {
  const style = getComputedStyle(document.body);
  const get = (name: string): string => style.getPropertyValue(name).trim();
  const classes = document.body.classList;
  return {
    background: get('--q-background'),
    foreground: get('--q-foreground'),
    muted: get('--q-muted'),
    border: get('--q-border'),
    surface: get('--q-surface'),
    focus: get('--q-focus'),
    selection: get('--q-selection'),
    error: get('--q-error'),
    warning: get('--q-warning'),
    stage: get('--q-stage'),
    bits16: get('--q-bits16'),
    bits8: get('--q-bits8'),
    bits4: get('--q-bits4'),
    bits2: get('--q-bits2'),
    none: get('--q-none'),
    fontFamily: get('--q-font') || 'sans-serif',
    monoFamily: get('--q-mono') || 'monospace',
    highContrast: classes.contains('vscode-high-contrast') || classes.contains('vscode-high-contrast-light'),
  };
}

export class Theme {
  private cached: Colors | null = null;
  private readonly listeners: (() => void)[] = [];

  constructor() {
    const observer = new MutationObserver(() => {
      this.cached = null;
      for (const listener of this.listeners) listener();
    });
    observer.observe(document.body, { attributes: true, attributeFilter: ['class', 'data-vscode-theme-id', 'style'] });
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ['class', 'style'] });
  }

  get colors(): Colors {
    this.cached ??= read();
    return this.cached;
  }

  get reducedMotion(): boolean {
    return (
      document.body.classList.contains('vscode-reduce-motion') || matchMedia('(prefers-reduced-motion: reduce)').matches
    );
  }

  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }
}
