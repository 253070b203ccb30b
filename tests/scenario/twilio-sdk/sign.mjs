// Sends webhooks as Twilio would: signed by Twilio's own SDK, over TLS. Reads
// from standard input
//
//   {"token": …, "port": …, "ca": file, "cases": [
//       {"signed": URL that is signed, "path": …, "fields": {…}}, …]}
//
// and writes, for each case, what came back: status, type, body, and the verbs
// of the TwiML in it, with their attributes and texts.

import { readFileSync } from "node:fs";
import https from "node:https";
import twilio from "twilio";

const { token, port, ca, cases } = JSON.parse(readFileSync(0, "utf8"));
const agent = new https.Agent({ ca: readFileSync(ca), keepAlive: true });

function post({ signed, path, fields }) {
  const signature = twilio.getExpectedTwilioSignature(token, signed, fields);
  if (!twilio.validateRequest(token, signature, signed, fields))
    throw new Error("the SDK does not take its own signature");
  const body = new URLSearchParams(fields).toString();
  return new Promise((resolve, reject) => {
    const request = https.request(
      {
        agent, port, path, host: "localhost", method: "POST",
        headers: {
          "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
          "Content-Length": Buffer.byteLength(body),
          "X-Twilio-Signature": signature,
        },
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (piece) => (text += piece));
        response.on("end", () =>
          resolve({
            status: response.statusCode,
            type: response.headers["content-type"],
            body: text,
            verbs: verbs(text),
          }));
      });
    request.on("error", reject);
    request.end(body);
  });
}

// The elements of a document, in order: name, attributes, text.
function verbs(xml) {
  const found = [];
  for (const [, name, attributes, text] of xml.matchAll(
    /<([A-Z][A-Za-z]*)([^>]*?)\/?>([^<]*)/g)) {
    const pairs = [...attributes.matchAll(/([A-Za-z]+)="([^"]*)"/g)];
    found.push({ name, text: text.trim(),
                 ...Object.fromEntries(pairs.map(([, key, value]) =>
                   [key, value.replaceAll("&amp;", "&")])) });
  }
  return found;
}

const answers = [];
for (const each of cases) answers.push(await post(each));
process.stdout.write(JSON.stringify(answers));
agent.destroy();
