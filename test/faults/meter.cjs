// Loaded before a bundle that a test runs (`node --require meter.cjs BUNDLE COMMAND …`): tells on pipe 3 what the
// process cost, and compiles the bundle once for all runs of a command; to compile it takes longer than to refuse a
// model.
const fs = require('node:fs');
const Module = require('node:module');
const path = require('node:path');
const vm = require('node:vm');

const [, bundle, first] = process.argv;
const command = /^[a-z]+$/.test(first ?? '') ? first : 'any';
/** V8's code of the bundle, from the first run of this command that came to a result. */
const codeFile = `${bundle}.${command}.code`;
/** @type {vm.Script | undefined} */
let fresh;

const compile = Module.prototype._compile;
Module.prototype._compile = function (content, file) {
  if (file !== bundle) return compile.call(this, content, file);
  const cachedData = fs.existsSync(codeFile) ? fs.readFileSync(codeFile) : undefined;
  const script = new vm.Script(Module.wrap(content.replace(/^#!.*/, '')), { filename: file, cachedData });
  if (cachedData === undefined || script.cachedDataRejected) fresh = script;
  const { exports } = this;
  const folder = path.dirname(file);
  return script.runInThisContext().call(exports, exports, Module.createRequire(file), this, file, folder);
};

process.on('exit', (code) => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  try {
    fs.writeSync(3, JSON.stringify([userCPUTime + systemCPUTime, maxRSS]));
  } catch {
    // Nobody reads it.
  }
  if (fresh === undefined || code !== 0) return;
  try {
    const own = `${codeFile}.${process.pid}`;
    fs.writeFileSync(own, fresh.createCachedData());
    fs.renameSync(own, codeFile);
  } catch {
    // Another user's process may not write there.
  }
});
