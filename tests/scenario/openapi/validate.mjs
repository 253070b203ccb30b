// Says what is wrong with the OpenAPI descriptions whose files it is given: a JSON
// list of lists.

import { Validator } from "@seriousme/openapi-schema-validator";

const verdicts = [];
for (const file of process.argv.slice(2)) {
  const { valid, errors } = await new Validator().validate(file);
  verdicts.push(valid ? [] : errors);
}
process.stdout.write(JSON.stringify(verdicts));
