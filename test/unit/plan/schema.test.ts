import Ajv from 'ajv';
import assert from 'node:assert/strict';
import schema from '../../../media/schema/plan.schema.json';

describe('the schema of plans', () => {
  it('keeps to its meta-schema and to strict mode, which the product does not check again', () => {
    const ajv = new Ajv({ allowUnionTypes: true });
    assert.equal(ajv.validateSchema(schema), true, ajv.errorsText());
    assert.doesNotThrow(() => ajv.compile(schema));
  });
});
