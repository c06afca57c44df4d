/** Sinks and transforms of Eventing on a really started ebb: an event through a transform into a Job, and into the log. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startEbb, type EbbProcess } from "./ebb-process.ts";

const source = mkdtempSync(join(tmpdir(), "ebb-kinds-"));
const data = mkdtempSync(join(tmpdir(), "ebb-kinds-data-"));
let ebb: EbbProcess;

/** Answers questions with what they brought along. */
const program = `export default async (request) => {
  const asked = request.headers.get("ce-correlationid");
  if (asked !== null) {
    const headers = { "ce-specversion": "1.0", "ce-id": asked, "ce-source": "/f", "ce-type": "answer", "ce-replyid": asked };
    return new Response("it is " + (await request.json()).n, { headers: { ...headers, "content-type": "text/plain" } });
  }
  console.log("got", request.headers.get("ce-type"), request.headers.get("ce-id"), await request.text());
  return new Response("OK");
};`;

beforeAll(async () => {
  writeFileSync(join(source, "f.js"), program);
  ebb = await startEbb({ dir: data });
  expect(await ebb.ebb("deploy", join(source, "f.js"), "--name", "f", "--min", "1")).toMatchObject({ code: 0 });
}, 90_000);
afterAll(async () => {
  await ebb.stop();
  for (const dir of [source, data]) rmSync(dir, { recursive: true });
});

const apply = async (manifest: string): Promise<void> => {
  expect(await ebb.kubectl(["apply", "-f", "-"], { stdin: manifest })).toMatchObject({ code: 0, stderr: "" });
};
const get = async (...args: string[]): Promise<string> => (await ebb.kubectl(["get", ...args])).stdout.trim();
const ready = (kind: string, name: string): Promise<void> =>
  expect
    .poll(() => get(kind, name, "-o", 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'), { timeout: 15_000 })
    .toBe("True") as Promise<void>;
const send = (host: string, path: string, id: string, body = '{"n":2}') =>
  ebb.call(`${host}.knative-eventing.localhost`, {
    method: "POST",
    path,
    headers: {
      "ce-specversion": "1.0",
      "ce-id": id,
      "ce-source": "/me",
      "ce-type": "order",
      "content-type": "application/json",
    },
    body,
  });

const flow = `apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: { name: default, namespace: default }
---
apiVersion: eventing.knative.dev/v1alpha1
kind: EventTransform
metadata: { name: double, namespace: default }
spec:
  jsonata:
    expression: |
      {"specversion": "1.0", "id": id & "-d", "source": "/double", "type": "doubled", "data": {"n": data.n * 2}}
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: { name: to-double, namespace: default }
spec:
  broker: default
  filter: { attributes: { type: order } }
  subscriber: { ref: { apiVersion: eventing.knative.dev/v1alpha1, kind: EventTransform, name: double } }
---
apiVersion: sinks.knative.dev/v1alpha1
kind: JobSink
metadata: { name: work, namespace: default }
spec:
  job:
    spec:
      completions: 1
      template:
        spec:
          restartPolicy: Never
          containers:
            - name: main
              image: dev.local/default/f
              command: [sh, -c, 'cat "$K_EVENT_PATH/event"; echo; echo "mode $K_EXECUTION_MODE"']
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: { name: to-work, namespace: default }
spec:
  broker: default
  filter: { attributes: { type: doubled } }
  subscriber: { ref: { apiVersion: sinks.knative.dev/v1alpha1, kind: JobSink, name: work } }
---
apiVersion: sinks.knative.dev/v1alpha1
kind: IntegrationSink
metadata: { name: log, namespace: default }
spec: { log: { loggerName: seen, level: INFO } }
`;

test("an event goes through a transform back into its broker and runs a Job", { timeout: 60_000 }, async () => {
  await apply(flow);
  for (const [kind, name] of [
    ["eventtransform", "double"],
    ["jobsink", "work"],
    ["integrationsink", "log"],
    ["trigger", "to-double"],
    ["trigger", "to-work"],
  ] as const)
    await ready(kind, name);
  expect((await send("broker-ingress", "/default/default", "1")).status).toBe(202);
  const labels = await get("jobsink", "work", "-o", "jsonpath={.status.job.selector}");
  expect(labels).toBe("sinks.knative.dev/job-sink-name=work");
  await expect
    .poll(() => get("jobs", "-l", labels, "-o", "jsonpath={.items[*].status.succeeded}"), { timeout: 30_000 })
    .toBe("1");
  const pods = await get("pods", "-l", `batch.kubernetes.io/job-name`, "-o", "jsonpath={.items[*].metadata.name}");
  const { stdout } = await ebb.kubectl(["logs", pods]);
  const [event = "", mode] = stdout.trim().split("\n");
  expect(JSON.parse(event)).toMatchObject({ id: "1-d", type: "doubled", data: { n: 4 } });
  expect(mode).toBe("mode batch");
});

test("a JobSink is sent to by hand, and says how the Job fares", { timeout: 60_000 }, async () => {
  const sent = await send("job-sink", "/default/work", "by hand");
  expect(sent.status).toBe(202);
  const path = String(sent.headers["location"]);
  expect(path).toBe("/namespaces/default/name/work/sources/%2Fme/ids/by%20hand");
  await expect
    .poll(async () => (await ebb.call("job-sink.knative-eventing.localhost", { path })).status, { timeout: 30_000 })
    .toBe(200);
});

test("a RequestReply answers a request with the event that replies to it", { timeout: 40_000 }, async () => {
  await apply(`apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: { name: questions, namespace: default }
---
apiVersion: eventing.knative.dev/v1alpha1
kind: RequestReply
metadata: { name: ask, namespace: default }
spec:
  brokerRef: { apiVersion: eventing.knative.dev/v1, kind: Broker, name: questions }
  timeout: PT10S
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: { name: answers, namespace: default }
spec:
  broker: questions
  filter: { attributes: { type: order } }
  subscriber: { ref: { apiVersion: serving.knative.dev/v1, kind: Service, name: f } }
`);
  await ready("requestreply", "ask");
  await ready("trigger", "answers");
  const answers = await Promise.all([4, 5].map((n) => send("request-reply", "/default/ask", `q${n}`, `{"n":${n}}`)));
  expect(answers.map(({ status, body, headers }) => [status, body, headers["ce-type"]])).toEqual([
    [200, "it is 4", "answer"],
    [200, "it is 5", "answer"],
  ]);
});

test("what came to a Broker is told by EventTypes", async () => {
  const columns = "custom-columns=T:.spec.attributes[0].value,R:.spec.reference.name";
  await expect
    .poll(async () =>
      (await get("eventtypes", "-o", columns, "--no-headers"))
        .split("\n")
        .map((l) => l.split(/ +/))
        .sort(),
    )
    .toEqual([
      ["answer", "questions"],
      ["doubled", "default"],
      ["order", "default"],
      ["order", "questions"],
    ]);
});

test("an IntegrationSink writes events to ebb's log", async () => {
  expect((await send("integration-sink", "/default/log", "seen-1")).status).toBe(202);
  await expect.poll(() => ebb.output()).toMatch(/seen-1/);
});

test("a hostile expression is ended, and ebb goes on", { timeout: 30_000 }, async () => {
  await apply(`apiVersion: eventing.knative.dev/v1alpha1
kind: EventTransform
metadata: { name: hostile, namespace: default }
spec: { jsonata: { expression: '($f := function($n) { $f($n + 1) }; $f(0))' } }
`);
  await ready("eventtransform", "hostile");
  const [stuck, fine] = await Promise.all([
    send("event-transform", "/default/hostile", "1"),
    send("event-transform", "/default/double", "2"),
  ]);
  expect([stuck.status, stuck.body]).toEqual([422, expect.stringContaining("took longer than 2 s")]);
  expect(fine.status).toBe(200);
  const refused = await ebb.kubectl(["apply", "-f", "-"], {
    stdin:
      "apiVersion: eventing.knative.dev/v1alpha1\nkind: EventTransform\nmetadata: { name: bad, namespace: default }\nspec: { jsonata: { expression: '{' } }\n",
  });
  expect(refused.stderr).toMatch(/spec\.jsonata\.expression/);
});

test("what is deleted takes nothing more", { timeout: 30_000 }, async () => {
  expect(await ebb.kubectl(["delete", "eventtransform/double", "jobsink/work", "--timeout", "20s"])).toMatchObject({
    code: 0,
  });
  expect((await send("event-transform", "/default/double", "3")).status).toBe(404);
  await expect.poll(() => get("jobs", "-o", "name"), { timeout: 15_000 }).toBe("");
});
