import type { LayerView } from '../../src/protocol/views';
import type { Context } from '../context';
import { fill, h } from '../dom';
import { t } from '../l10n';
import { linkButton } from '../ui';

/** The line of generated C that runs the selected layer, where a firmware project of the workspace has it. */
export class GeneratedCode {
  readonly element = h('section', { class: 'generated-code' });
  private asked = 0;

  constructor(private readonly context: Context) {
    this.element.hidden = true;
  }

  show(layer: LayerView): void {
    const asked = ++this.asked;
    const { host, edits } = this.context;
    this.element.hidden = true;
    void host
      .generatedCode(layer.id)
      .catch(() => null)
      .then((code) => {
        if (asked !== this.asked || code == null) return;
        const { file, line, text } = code;
        fill(
          this.element,
          h('h3', {}, t('Generated C')),
          h('pre', { class: 'code-line' }, text),
          linkButton(
            `${file.split('/').pop() ?? file}:${line}`,
            () => edits.run(() => host.openGeneratedCode(layer.id)),
            { class: 'link-button', title: file },
          ),
        );
        this.element.hidden = false;
      });
  }
}
