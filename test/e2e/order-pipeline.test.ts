/** examples/order-pipeline as its README tells it. */
import { createHmac } from "node:crypto";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openHome, patienceMs, type Home } from "./home.ts";

const example = join(import.meta.dirname, "../../examples/order-pipeline");
let home: Home;

beforeAll(async () => {
  home = await openHome();
  await done(home.kubectl(["apply", "-n", home.namespace, "-f", join(example, "pipeline.yaml")]));
  await done(home.ebb("deploy", ...["price", "charge", "ship"].map((name) => join(example, `${name}.ts`))));
  await done(home.ebb("deploy", join(example, "webhook.ts"), "--secret", "WEBHOOK_SECRET=shop:webhook"));
}, patienceMs(120_000));
afterAll(() => home.close());

async function done(command: ReturnType<Home["ebb"]>): Promise<string> {
  const { code, stdout, stderr } = await command;
  expect(code, `${stderr}${stdout}`).toBe(0);
  return stdout;
}

const order = (id: string, card: string): string =>
  JSON.stringify({
    id,
    card,
    items: [
      { name: "tea", price: 3 },
      { name: "cup", price: 4 },
    ],
  });

function post(body: string, secret = "change-me"): ReturnType<Home["call"]> {
  const signature = createHmac("sha256", secret).update(body).digest("hex");
  const headers = { "content-type": "application/json", "x-signature-256": `sha256=${signature}` };
  return home.call(home.host("webhook"), { method: "POST", body, headers });
}

/** Until the webhook knows the broker: the binding makes a revision of it. */
async function place(id: string, card: string): Promise<void> {
  await expect.poll(async () => (await post(order(id, card))).body, { timeout: 30_000 }).toBe("taken\n");
}

const logOf = async (name: string): Promise<string> => (await home.ebb("logs", name)).stdout;
const shows = (name: string, text: string): Promise<void> =>
  expect.poll(() => logOf(name), { timeout: 30_000 }).toContain(text) as Promise<void>;

test("an order goes from the webhook through three functions", { timeout: patienceMs(90_000) }, async () => {
  expect((await post(order("o-0", "4242"), "wrong")).status).toBe(401);
  await place("o-1", "4242");
  await shows("ship", "shipping o-1, paid 7");
  const seen = await done(home.ebb("events", "tail", "orders"));
  expect(seen.match(/order\.\w+/g)).toEqual(["order.placed", "order.priced", "order.paid"]);
});

test("a declined card is a dead letter, and goes on when it is accepted", { timeout: patienceMs(90_000) }, async () => {
  await place("o-2", "4000");
  await expect
    .poll(async () => (await home.ebb("events", "dead-letter", "charge")).stdout, { timeout: 30_000 })
    .toContain("it answered 402");
  await done(home.ebb("deploy", join(example, "charge.ts"), "--env", "ACCEPTED=4000"));
  expect(await done(home.ebb("events", "dead-letter", "charge", "--redrive"))).toMatch(/^\d+ delivered/);
  // The answer of a dead letter that is delivered is an event like any other.
  await shows("ship", "shipping o-2, paid 7");
});

test("a replay delivers all of it again", { timeout: patienceMs(90_000) }, async () => {
  await done(home.ebb("events", "replay", "ship", "--from", "earliest"));
  await shows("ship", "o-1 is under way already");
  await shows("ship", "o-2 is under way already");
});
