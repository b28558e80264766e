import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { createMcpServer } from '../../../src/cli/mcpServer';
import { projectRoot } from '../../support/paths';

const sample = path.join(projectRoot, 'media/sample');

describe('tools for agents over the Model Context Protocol', () => {
  let folder: string;
  let model: string;
  let client: Client;
  before(async () => {
    folder = await fs.mkdtemp(path.join(os.tmpdir(), 'quantmcu-mcp-'));
    model = path.join(folder, 'gauge.onnx');
    await fs.copyFile(path.join(sample, 'gauge.onnx'), model);
    const [ours, theirs] = InMemoryTransport.createLinkedPair();
    client = new Client({ name: 'test', version: '1' });
    await Promise.all([createMcpServer('1').connect(theirs), client.connect(ours)]);
  });
  after(async () => {
    await client.close();
    await fs.rm(folder, { recursive: true, force: true });
  });

  interface Answer {
    readonly isError?: boolean;
    readonly content: readonly { readonly text: string }[];
  }
  const call = async (name: string, given: object): Promise<Answer> =>
    (await client.callTool({ name, arguments: given as Record<string, unknown> }, undefined, {
      timeout: 600_000,
    })) as unknown as Answer;
  const json = async (name: string, given: object): Promise<Record<string, unknown>> => {
    const { isError, content } = await call(name, given);
    assert.ok(!isError, content[0].text);
    return JSON.parse(content[0].text) as Record<string, unknown>;
  };

  it('are named verb_noun and say which of them write', async () => {
    const { tools } = await client.listTools();
    for (const { name } of tools) assert.match(name, /^[a-z]+_[a-z]+$/);
    const writing = tools.filter(({ annotations }) => annotations?.readOnlyHint !== true).map(({ name }) => name);
    assert.deepEqual(writing.sort(), ['generate_firmware', 'quantize_model', 'sweep_plans']);
  });

  it('lead from constraints to a plan, C and a passed self-test', async () => {
    const fit = (await json('check_fit', { model, target: 'nano33ble' })) as { boards: { verdict: string }[] };
    assert.equal(fit.boards[0].verdict, 'fits');

    const limits = { target: 'nano33ble', sramBytes: 40 * 1024, flashBytes: 700 * 1024, maxMs: 5000 };
    const summary = await json('quantize_model', {
      model,
      images: path.join(sample, 'images'),
      ...limits,
      accuracyBudget: 1,
      limit: 24,
    });
    const { meets, plan } = summary as { meets: Record<string, unknown>; plan: string };
    assert.deepEqual(meets, { sram: true, loss: true, time: true });
    const { search } = JSON.parse(await fs.readFile(plan, 'utf8')) as { search: { latencyBudget?: number } };
    assert.equal(search.latencyBudget, 5000);

    const project = path.join(folder, 'firmware');
    await fs.mkdir(project);
    const { written } = (await json('generate_firmware', { plan, project })) as { written: string[] };
    assert.ok(written.some((file) => file.endsWith('gauge.h')));

    const { passed } = (await json('run_selftest', { plan, core: 'host' })) as { passed: boolean };
    assert.equal(passed, true);
  });

  it('answer with one line of error that a person could act on', async () => {
    const { isError, content } = await call('check_fit', { model: path.join(folder, 'nothing.onnx') });
    assert.equal(isError, true);
    assert.match(content[0].text, /nothing\.onnx/);
    assert.equal(content[0].text.split('\n').length, 1);
  });
});
