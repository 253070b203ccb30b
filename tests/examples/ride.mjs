// A ride from its booking to its end, with Node 18 and nothing else:
//
//   export CALLMASK_URL=https://mask.example.net CALLMASK_API_KEY=…
//   node ride.mjs CUSTOMER DRIVER
//
// The two are phone numbers like +12025550147. NODE_EXTRA_CA_CERTS names the file
// of an authority of your own, as make run has one ($CALLMASK_CA).

import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";

const { CALLMASK_URL, CALLMASK_API_KEY } = process.env;
const [customer, driver] = process.argv.slice(2);

// One deed, however often it has to be asked for: the key makes that safe when an
// answer was lost. What the answer says; a problem document is thrown.
async function api(method, path, document) {
  const request = {
    method,
    headers: {
      Authorization: `Bearer ${CALLMASK_API_KEY}`,
      "Content-Type": "application/json",
      "Idempotency-Key": randomUUID(),
    },
    body: document && JSON.stringify(document),
  };
  for (let tries = 1; ; tries++) {
    let seconds = 1;
    try {
      const answer = await fetch(CALLMASK_URL + path, request);
      const said = await answer.json();
      if (answer.ok) return said;
      if (tries === 4 || ![429, 503].includes(answer.status))
        throw Object.assign(new Error(said.detail ?? said.title), said);
      seconds = Number(answer.headers.get("Retry-After"));
    } catch (error) {
      if (error.code || tries === 4) throw error;
    }
    await pause(seconds * 1000);
  }
}

let session = await api("POST", "/v1/sessions", {
  ttl: 7200,
  parties: [
    { role: "customer", phone: customer },
    { role: "driver", phone: driver },
  ],
});
const path = `/v1/sessions/${session.id}`;
console.log(`session ${session.id}: both dial ${session.parties[0].masked_number}`);

const { messages } = await api("POST", `${path}/messages`, {
  to: "driver",
  text: "Your customer waits at the main entrance.",
});
console.log(`text ${messages[0].id}: ${messages[0].status}`);

// The driver's phone rings first, then the customer's.
const call = await api("POST", `${path}/calls`, { from: "driver" });
console.log(`call ${call.id}: ${call.status}`);

session = await api("POST", `${path}/close`, { end_calls: true });
console.log(`session ${session.id}: ${session.status}`);
