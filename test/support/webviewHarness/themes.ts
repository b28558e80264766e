/** The variables of VS Code's own themes that the page uses, with the values that VS Code gives them. */
export type ThemeName = 'dark' | 'light' | 'high-contrast' | 'high-contrast-light';
export const themeNames: readonly ThemeName[] = ['dark', 'light', 'high-contrast', 'high-contrast-light'];

interface ThemeSpec {
  readonly bodyClass: string;
  readonly kind: string;
  readonly variables: Readonly<Record<string, string>>;
}

const fonts = {
  'font-family': 'system-ui, "Segoe WPC", "Segoe UI", "DejaVu Sans", sans-serif', 'font-size': '13px', 'font-weight': 'normal',
  'editor-font-family': '"Droid Sans Mono", "DejaVu Sans Mono", monospace', 'editor-font-size': '14px',
};

const dark = {
  'editor-background': '#1f1f1f', 'editor-foreground': '#cccccc', foreground: '#cccccc', descriptionForeground: '#9d9d9d', disabledForeground: 'rgba(204, 204, 204, 0.5)',
  errorForeground: '#f85149', focusBorder: '#0078d4', 'icon-foreground': '#cccccc', 'panel-border': '#2b2b2b', 'editorWidget-background': '#202020',
  'panelTitle-activeForeground': '#cccccc', 'panelTitle-inactiveForeground': '#9d9d9d', 'panelTitle-activeBorder': '#0078d4',
  'list-hoverBackground': '#2a2d2e', 'list-activeSelectionBackground': '#04395e', 'list-activeSelectionForeground': '#ffffff', 'list-inactiveSelectionBackground': '#37373d',
  'toolbar-hoverBackground': 'rgba(90, 93, 94, 0.31)', 'inputOption-activeBackground': 'rgba(36, 137, 219, 0.51)', 'inputOption-activeForeground': '#ffffff', 'inputOption-activeBorder': '#2488db',
  'button-background': '#0078d4', 'button-foreground': '#ffffff', 'button-hoverBackground': '#026ec1', 'button-border': 'rgba(255, 255, 255, 0.07)',
  'button-secondaryBackground': '#313131', 'button-secondaryForeground': '#cccccc', 'button-secondaryHoverBackground': '#3c3c3c',
  'input-background': '#313131', 'input-foreground': '#cccccc', 'input-placeholderForeground': '#989898', 'settings-textInputBorder': '#3c3c3c', 'dropdown-border': '#3c3c3c',
  'badge-background': '#616161', 'badge-foreground': '#f8f8f8', 'textLink-foreground': '#4daafc', 'progressBar-background': '#0078d4', 'sash-hoverBorder': '#0078d4',
  'inputValidation-warningBackground': '#352a05', 'inputValidation-errorBackground': '#5a1d1d', 'inputValidation-errorBorder': '#be1100', 'editorWarning-foreground': '#cca700',
  'editorHoverWidget-background': '#202020', 'editorHoverWidget-foreground': '#cccccc', 'editorHoverWidget-border': '#454545', 'widget-shadow': 'rgba(0, 0, 0, 0.36)',
  'charts-foreground': '#cccccc', 'charts-lines': 'rgba(204, 204, 204, 0.5)', 'charts-red': '#f14c4c', 'charts-blue': '#3794ff', 'charts-yellow': '#cca700', 'charts-orange': '#d18616',
  'charts-green': '#89d185', 'charts-purple': '#b180d7',
};

const light = {
  ...dark,
  'editor-background': '#ffffff', 'editor-foreground': '#3b3b3b', foreground: '#3b3b3b', descriptionForeground: '#3b3b3b', disabledForeground: 'rgba(97, 97, 97, 0.5)',
  errorForeground: '#f85149', focusBorder: '#005fb8', 'icon-foreground': '#3b3b3b', 'panel-border': '#e5e5e5', 'editorWidget-background': '#f8f8f8',
  'panelTitle-activeForeground': '#3b3b3b', 'panelTitle-inactiveForeground': '#3b3b3b', 'panelTitle-activeBorder': '#005fb8',
  'list-hoverBackground': '#f2f2f2', 'list-activeSelectionBackground': '#e8e8e8', 'list-activeSelectionForeground': '#000000', 'list-inactiveSelectionBackground': '#e4e6f1',
  'toolbar-hoverBackground': 'rgba(184, 184, 184, 0.31)', 'inputOption-activeBackground': '#bed6ed', 'inputOption-activeForeground': '#000000', 'inputOption-activeBorder': '#005fb8',
  'button-background': '#005fb8', 'button-foreground': '#ffffff', 'button-hoverBackground': '#0258a8', 'button-border': 'rgba(0, 0, 0, 0.1)',
  'button-secondaryBackground': '#e5e5e5', 'button-secondaryForeground': '#3b3b3b', 'button-secondaryHoverBackground': '#cccccc',
  'input-background': '#ffffff', 'input-foreground': '#3b3b3b', 'input-placeholderForeground': '#767676', 'settings-textInputBorder': '#cecece', 'dropdown-border': '#cecece',
  'badge-background': '#cccccc', 'badge-foreground': '#3b3b3b', 'textLink-foreground': '#005fb8', 'progressBar-background': '#005fb8', 'sash-hoverBorder': '#005fb8',
  'inputValidation-warningBackground': '#f6f5d2', 'inputValidation-errorBackground': '#f2dede', 'inputValidation-errorBorder': '#be1100', 'editorWarning-foreground': '#bf8803',
  'editorHoverWidget-background': '#f8f8f8', 'editorHoverWidget-foreground': '#3b3b3b', 'editorHoverWidget-border': '#c8c8c8', 'widget-shadow': 'rgba(0, 0, 0, 0.16)',
  'charts-foreground': '#3b3b3b', 'charts-lines': 'rgba(59, 59, 59, 0.5)', 'charts-red': '#e51400', 'charts-blue': '#1a85ff', 'charts-yellow': '#bf8803', 'charts-orange': '#d18616',
  'charts-green': '#388a34', 'charts-purple': '#652d90',
};

function without(variables: Readonly<Record<string, string>>, ...names: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(variables).filter(([name]) => !names.includes(name)));
}

// High contrast themes define no fills for selections, hovers and buttons: outlines take their place.
const noFills = ['list-hoverBackground', 'list-activeSelectionBackground', 'list-activeSelectionForeground', 'list-inactiveSelectionBackground', 'toolbar-hoverBackground', 'inputOption-activeBackground', 'button-secondaryBackground', 'inputValidation-warningBackground', 'panel-border'];

const highContrast = {
  ...without(dark, ...noFills),
  'editor-background': '#000000', 'editor-foreground': '#ffffff', foreground: '#ffffff', descriptionForeground: 'rgba(255, 255, 255, 0.7)', disabledForeground: '#a5a5a5', errorForeground: '#f48771',
  focusBorder: '#f38518', contrastBorder: '#6fc3df', contrastActiveBorder: '#f38518', 'icon-foreground': '#ffffff', 'editorWidget-background': '#0c141f',
  'panelTitle-activeForeground': '#ffffff', 'panelTitle-inactiveForeground': '#ffffff', 'panelTitle-activeBorder': '#6fc3df', 'button-background': '#000000', 'button-foreground': '#ffffff', 'button-border': '#6fc3df', 'button-secondaryForeground': '#ffffff',
  'input-background': '#000000', 'input-foreground': '#ffffff', 'input-placeholderForeground': 'rgba(255, 255, 255, 0.7)', 'settings-textInputBorder': '#6fc3df', 'badge-background': '#000000', 'badge-foreground': '#ffffff',
  'textLink-foreground': '#21a6ff', 'editorHoverWidget-background': '#0c141f', 'editorHoverWidget-border': '#6fc3df', 'inputOption-activeBorder': '#6fc3df', 'inputOption-activeForeground': '#ffffff', 'inputValidation-errorBackground': '#000000',
  'charts-foreground': '#ffffff', 'charts-red': '#f48771', 'charts-yellow': '#ffd370',
};

const highContrastLight = {
  ...without(light, ...noFills),
  'editor-background': '#ffffff', 'editor-foreground': '#292929', foreground: '#292929', descriptionForeground: 'rgba(41, 41, 41, 0.7)', disabledForeground: '#7f7f7f', errorForeground: '#b5200d',
  focusBorder: '#006bbd', contrastBorder: '#0f4a85', contrastActiveBorder: '#006bbd', 'button-background': '#0f4a85', 'button-foreground': '#ffffff', 'button-border': '#0f4a85', 'button-secondaryBackground': '#ffffff', 'button-secondaryForeground': '#292929',
  'badge-background': '#0f4a85', 'badge-foreground': '#ffffff', 'textLink-foreground': '#0f4a85', 'input-foreground': '#292929', 'settings-textInputBorder': '#0f4a85', 'inputValidation-errorBackground': '#ffffff',
  'charts-foreground': '#292929', 'charts-red': '#b5200d', 'charts-blue': '#0063d3', 'charts-yellow': '#895503', 'charts-green': '#374e06',
};

export const themes: Readonly<Record<ThemeName, ThemeSpec>> = {
  dark: { bodyClass: 'vscode-dark', kind: 'vscode-dark', variables: { ...fonts, ...dark } },
  light: { bodyClass: 'vscode-light', kind: 'vscode-light', variables: { ...fonts, ...light } },
  'high-contrast': { bodyClass: 'vscode-high-contrast', kind: 'vscode-high-contrast', variables: { ...fonts, ...highContrast } },
  'high-contrast-light': { bodyClass: 'vscode-high-contrast-light vscode-high-contrast', kind: 'vscode-high-contrast-light', variables: { ...fonts, ...highContrastLight } },
};
