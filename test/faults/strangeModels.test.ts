import { testModels } from './modelTests';
import { strangeModels } from './strangeModels';

describe('strange models in the editor and on the command line', function () {
  this.timeout(600_000);

  testModels(strangeModels());
});
