// Runs the unit tests: `node test/unit/run.mjs [FILE|FOLDER…] [--grep PATTERN] [--reporter NAME]`.
import { suiteCommand } from '../support/suiteCommand.mjs';

await suiteCommand('unit');
