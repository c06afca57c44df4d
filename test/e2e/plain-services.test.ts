/** Plain Services of Kubernetes as subscribers, on a really started ebb. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startEbb, type EbbProcess } from "./ebb-process.ts";

const dir = mkdtempSync(join(tmpdir(), "ebb-plain-"));
let ebb: EbbProcess;

const program = `export default async (request) => {
  console.log("got", request.headers.get("ce-type"), request.headers.get("ce-id"));
  return new Response("OK");
};`;

const apply = async (manifest: string): Promise<void> => {
  expect(await ebb.kubectl(["apply", "-f", "-"], { stdin: manifest })).toMatchObject({ code: 0 });
};
const ready = (kind: string, name: string): Promise<void> =>
  expect
    .poll(
      async () =>
        (await ebb.kubectl(["get", kind, name, "-o", 'jsonpath={.status.conditions[?(@.type=="Ready")].status}']))
          .stdout,
      { timeout: 20_000 },
    )
    .toBe("True") as Promise<void>;
const send = (host: string, path: string, id: string, type = "order") =>
  ebb.call(host, {
    method: "POST",
    path,
    headers: { "ce-specversion": "1.0", "ce-id": id, "ce-source": "/me", "ce-type": type },
    body: "x",
  });

beforeAll(async () => {
  ebb = await startEbb();
  writeFileSync(join(dir, "f.js"), program);
  expect(await ebb.ebb("deploy", join(dir, "f.js"), "--name", "f", "--min", "1")).toMatchObject({ code: 0 });
}, 90_000);
afterAll(async () => {
  await ebb.stop();
  rmSync(dir, { recursive: true });
});

test("a plain Service is a subscriber, by reference and by its name in the cluster", { timeout: 60_000 }, async () => {
  const trigger = (name: string, subscriber: string): string => `---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: { name: ${name}, namespace: default }
spec: { broker: plain, subscriber: ${subscriber} }
`;
  await apply(`apiVersion: apps/v1
kind: Deployment
metadata: { name: plain, namespace: default }
spec:
  selector: { matchLabels: { app: plain } }
  template:
    metadata: { labels: { app: plain } }
    spec: { containers: [{ name: c, image: dev.local/default/f, ports: [{ containerPort: 8080 }] }] }
---
apiVersion: v1
kind: Service
metadata: { name: plain, namespace: default }
spec: { selector: { app: plain }, ports: [{ port: 80, targetPort: 8080 }] }
---
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: { name: plain, namespace: default }
${trigger("by-ref", "{ ref: { apiVersion: v1, kind: Service, name: plain } }")}${trigger("by-name", '{ uri: "http://plain.default.svc.cluster.local/by-name" }')}${trigger("by-short-name", '{ uri: "http://plain.default.svc/by-short-name" }')}`);
  for (const name of ["by-ref", "by-name", "by-short-name"]) await ready("trigger", name);
  expect((await send("broker-ingress.knative-eventing.localhost", "/default/plain", "plain-1")).status).toBe(202);
  const logs = async (): Promise<number> =>
    (await ebb.kubectl(["logs", "deploy/plain"])).stdout.match(/got order plain-1/g)?.length ?? 0;
  await expect.poll(logs, { timeout: 30_000 }).toBe(3);
});
