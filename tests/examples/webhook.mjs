// Takes the events of callmask, with Node 18 and `npm install standardwebhooks`:
//
//   WEBHOOK_SECRET=whsec_… PORT=8080 node webhook.mjs
//
// Put it behind TLS, and tell callmask:
//
//   callmask service set webhook-url=https://app.example/hooks   # prints a secret
//   callmask webhook test

import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";

const webhook = new Webhook(process.env.WEBHOOK_SECRET);
const seen = new Set(); // yours is a table: an event may come twice

createServer(async (request, response) => {
  try {
    // The signature is over the bytes as they came.
    const pieces = [];
    for await (const piece of request) pieces.push(piece);
    const event = webhook.verify(Buffer.concat(pieces).toString(), request.headers);
    if (!seen.has(event.id)) console.log(event.type, event.id);
    seen.add(event.id);
    response.writeHead(204).end();
  } catch {
    response.writeHead(400).end();
  }
}).listen(process.env.PORT, "127.0.0.1", () => console.log("ready"));
