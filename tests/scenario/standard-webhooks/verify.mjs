// Verifies events as an app would, by the library of Standard Webhooks. Reads
// from standard input
//
//   [{"secret": …, "headers": {…}, "body": …}, …]
//
// and writes, for each, the document it verified, or null.

import { readFileSync } from "node:fs";
import { Webhook, WebhookVerificationError } from "standardwebhooks";

function verify({ secret, headers, body }) {
  try {
    return new Webhook(secret).verify(body, headers);
  } catch (error) {
    if (error instanceof WebhookVerificationError) return null;
    throw error;
  }
}

const cases = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(cases.map(verify)));
