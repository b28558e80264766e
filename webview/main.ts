/** Entry of the editor's page. */
import './styles/base.css';
import './styles/frame.css';
import './styles/header.css';
import './styles/grid.css';
import './styles/details.css';
import './styles/views.css';
import './styles/tradeOff.css';
import './styles/detections.css';
import './styles/fit.css';
import './styles/room.css';
import type { EditorHost } from '../src/protocol/editor';
import { RpcPeer } from '../src/protocol/peer';
import type { RpcMessage } from '../src/protocol/rpc';
import { App } from './app';
import type { Context } from './context';
import { h } from './dom';
import { Edits } from './edits';
import { Store, type StateKeeper } from './state';
import { Theme } from './theme';

interface VsCodeApi extends StateKeeper {
  postMessage(message: unknown): void;
}
declare function acquireVsCodeApi(): VsCodeApi;

const vscode = acquireVsCodeApi();
const root = h('div', { class: 'app' });
const live = h('div', { class: 'sr-only', role: 'status', aria: { live: 'polite' } });
document.body.append(root, live);

const peer = new RpcPeer((message) => vscode.postMessage(message));
const host = peer.client<EditorHost>();
const announce = (line: string): void => {
  live.textContent = line;
};
const context: Context = {
  store: new Store(vscode),
  host,
  theme: new Theme(),
  edits: new Edits(host, announce),
  announce,
};
const app = new App(root, context);
peer.serve(() => app);
// Extensions of browsers and the frame around the page also post messages; ours carry the type of a call or an answer.
window.addEventListener('message', (event: MessageEvent<RpcMessage | null>) => {
  if (
    typeof event.data === 'object' &&
    event.data !== null &&
    typeof event.data.type === 'string' &&
    typeof event.data.id === 'number'
  )
    peer.receive(event.data);
});
void context.host.ready();
