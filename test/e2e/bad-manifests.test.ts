/** What kubectl prints for manifests that are wrong. */
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { eventually } from "./ebb-process.ts";
import { openHome, patienceMs, type Home } from "./home.ts";

vi.setConfig({ testTimeout: patienceMs(60_000), hookTimeout: patienceMs(30_000) });

let ebb: Home;
beforeAll(async () => {
  ebb = await openHome();
});
afterAll(() => ebb.close());

const service = (name: string, { spec = "", container = "" } = {}): string => `
apiVersion: serving.knative.dev/v1
kind: Service
metadata: { name: ${name} }
spec: { template: { spec: { ${spec} containers: [{ image: dev.local/x ${container} }] } } }
`;
const denied = 'admission webhook "validation.webhook.serving.knative.dev" denied the request: validation failed: ';

test.each([
  [
    "an unknown field",
    service("a", { container: ", imagee: x" }),
    'strict decoding error: unknown field "spec.template.spec.containers[0].imagee"',
  ],
  [
    "a wrong type",
    service("a", { spec: "containerConcurrency: lots," }),
    'spec.template.spec.containerConcurrency: Invalid value: "string": spec.template.spec.containerConcurrency in body must be of type integer: "string"',
  ],
  [
    "a number out of bounds",
    service("a", { spec: "containerConcurrency: -1," }),
    `${denied}expected 0 <= -1 <= 1000: spec.template.spec.containerConcurrency`,
  ],
  [
    "a bad name",
    service("Bad_Name"),
    `metadata.name: Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain must consist of`,
  ],
  [
    "a name too long for a host",
    service("a".repeat(64)),
    `${denied}not a DNS 1035 label: [must be no more than 63 characters]: metadata.name`,
  ],
  [
    "a variable that is not the user's",
    service("a", { container: ", env: [{ name: K_SERVICE, value: x }]" }),
    `${denied}"K_SERVICE" is a reserved environment variable: spec.template.spec.containers[0].env[0].name`,
  ],
])("%s is refused with its path", async (_what, manifest, message) => {
  const applied = await ebb.kubectl(["apply", "-f", "-"], { stdin: manifest });
  expect(applied).toMatchObject({ code: 1, stdout: "" });
  expect(applied.stderr).toContain(message);
});

test("a name held by somebody else's object makes a Service not ready, with who is in the way", async () => {
  const taken = service("taken").replace("kind: Service", "kind: Configuration");
  expect(await ebb.kubectl(["apply", "-f", "-"], { stdin: taken })).toMatchObject({ code: 0 });
  expect(await ebb.kubectl(["apply", "-f", "-"], { stdin: service("taken") })).toMatchObject({ code: 0 });
  let seen = "";
  await eventually(
    "the Service says so",
    async () => {
      const path = '{.status.conditions[?(@.type=="Ready")]}';
      seen = (await ebb.kubectl(["get", "ksvc", "taken", "-o", `jsonpath=${path}`])).stdout;
      return seen.includes('"NotOwned"') ? true : undefined;
    },
    { seen: () => seen },
  );
  expect(JSON.parse(seen).message).toBe('There is an existing Configuration "taken" that we do not own.');
});
