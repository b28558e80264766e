// Entry that VS Code calls in its extension host: runs the bundled suite with mocha and leaves the result in a file.
const fs = require('node:fs');

exports.run = async function run() {
  const { default: Mocha } = await import('mocha');
  const mocha = new Mocha({
    ui: 'bdd',
    // Long for a busy machine: nothing here is a bound on speed.
    timeout: 240_000,
    color: false,
    grep: process.env.QUANTMCU_TEST_GREP || undefined,
    reporter: 'spec',
  });
  mocha.addFile(process.env.QUANTMCU_TEST_SUITE);
  await mocha.loadFilesAsync();
  const tests = [];
  const add = (test, state, error) =>
    tests.push({
      title: test.fullTitle(),
      state,
      milliseconds: test.duration ?? 0,
      error: error && String(error.stack ?? error),
    });
  const failures = await new Promise((resolve) => {
    const runner = mocha.run(resolve);
    runner.on('pass', (test) => add(test, 'passed'));
    runner.on('fail', (test, error) => add(test, 'failed', error));
    runner.on('pending', (test) => add(test, 'skipped'));
  });
  const count = (state) => tests.filter((test) => test.state === state).length;
  fs.writeFileSync(
    process.env.QUANTMCU_TEST_RESULT,
    JSON.stringify({ passed: count('passed'), failed: count('failed'), skipped: count('skipped'), tests }),
  );
  if (failures > 0) throw new Error(`${failures} tests failed.`);
};
