/** Connecting to NATS: logins, TLS, and sources of NATS itself, which keeps nothing. */
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { makeNats, noNats, type NatsServer } from "../nats-server.ts";
import { makeServerCertificates, type ServerCertificates } from "./server-certificates.ts";
import { bodies, createSourceBench, until, type SourceBench } from "./source-bench.ts";

if (noNats !== undefined) test.skip(`a NatsSource: ${noNats}`, () => undefined);

describe.skipIf(noNats !== undefined)("a NatsSource", { timeout: 30_000 }, () => {
  let nats: NatsServer;
  let secured: NatsServer;
  let certificates: ServerCertificates;
  let connection: NatsConnection;
  let bench: SourceBench;
  beforeAll(async () => {
    certificates = makeServerCertificates();
    nats = await makeNats({ syncAlways: false });
    const { certFile, keyFile } = certificates;
    const tls = `tls { cert_file: ${JSON.stringify(certFile)}, key_file: ${JSON.stringify(keyFile)} }`;
    const settings = `${tls}\nauthorization { user: ada, password: secret }`;
    secured = await makeNats({ syncAlways: false, settings });
    await Promise.all([nats.start(), secured.start()]);
    connection = await connect({ servers: nats.url });
  });
  afterAll(async () => {
    await connection.close();
    await Promise.all([nats.remove(), secured.remove()]);
    certificates.remove();
  });
  beforeEach(async () => {
    bench = await createSourceBench();
  });
  afterEach(() => bench.close());

  const specOf = (settings: object, name = "s") => {
    const key = `natssource/default/${name}` as const;
    return bench.spec("NatsSource", { servers: [nats.url], subjects: ["orders.>"], ...settings }, { key, name });
  };
  const open = async (settings: object = {}, name = "s"): Promise<void> => {
    const spec = specOf(settings, name);
    bench.runner.setSource(spec);
    await until(
      () => bench.runner.sourceState(spec.key),
      (state) => state?.connected === true,
      "connection",
    );
  };
  const troubleOf = async (settings: object): Promise<string | undefined> => {
    const spec = specOf(settings);
    bench.runner.setSource(spec);
    const state = await until(
      () => bench.runner.sourceState(spec.key),
      (now) => now?.trouble !== undefined,
      "trouble",
    );
    await bench.runner.removeSource(spec.key, spec.uid);
    return state?.trouble;
  };
  const publish = (subject: string, ...texts: string[]): void => {
    for (const text of texts) connection.publish(subject, text);
  };
  const got = (count: number) =>
    until(
      () => bench.received,
      (seen) => seen.length >= count,
      `${count} events`,
    );

  test("sends messages of its subjects, each once for a queue group, so many at once", async () => {
    const held: (() => void)[] = [];
    bench.answer = () => new Promise((resolve) => held.push(() => resolve(204)));
    const group = { queueGroup: "g", maxInFlight: 2 };
    await open(group, "one");
    await open(group, "two");
    publish("other", "no");
    publish("orders.eu", ...Array.from({ length: 12 }, (_, n) => String(n)));
    await got(4);
    expect(bench.runner.sources().map(({ inFlight }) => inFlight)).toEqual([2, 2]);
    bench.answer = () => 204;
    for (const release of held) release();
    await got(12);
    expect(new Set(bodies(bench.received)).size).toBe(12);
    expect(bench.received[0]?.headers).toMatchObject({
      "ce-type": "dev.ebb.nats.message",
      "ce-source": "/sources/natssource",
      "ce-subject": "orders.eu",
    });
  });

  test("logs in over TLS, and says what to check when it may not come in", async () => {
    const servers = [secured.url];
    const login = { user: "ada", password: "secret" };
    const tls = { enable: true, caCert: certificates.ca };
    await open({ servers, auth: login, tls });
    const at = new URL(secured.url).host;
    expect(await troubleOf({ servers, auth: { ...login, password: "wrong" }, tls })).toBe(
      `NATS at ${at} refused the login (Authorization Violation): check spec.auth`,
    );
    expect(await troubleOf({ servers, auth: login, tls: { enable: true } })).toMatch(
      /^no encrypted connection to NATS at .* check spec\.tls and its caCert$/,
    );
    expect(await troubleOf({ servers: ["nats://127.0.0.1:1"] })).toMatch(
      /^NATS at 127\.0\.0\.1:1 cannot be reached .*: check spec\.servers$/,
    );
  });
});
