// Runs the fault tests: bad models, sidecars, images and disks. `node test/faults/run.mjs [FILE|FOLDER…] [--grep
// PATTERN] [--reporter NAME]`.
import { suiteCommand } from '../support/suiteCommand.mjs';

await suiteCommand('faults', { reporter: 'spec' });
