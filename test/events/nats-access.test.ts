import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createUser } from "@nats-io/nkeys";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { systemClock } from "../../src/client/clock.ts";
import type { JetStreamLog } from "../../src/events/log/jetstream-store.ts";
import { openNatsLog, parseNatsUrl } from "../../src/main/nats-log.ts";
import { issueCertificate } from "../../src/pki/certificate.ts";
import { anEvent } from "../conformance/event-store.ts";
import { makeNatsCluster } from "./nats-cluster.ts";
import { knowsSync, makeNats, noNats } from "./nats-server.ts";
import { silentLogger as log } from "../silent-logger.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});
const open = async (url: string): Promise<JetStreamLog> => {
  const store = await openNatsLog(parseNatsUrl(url), { clock: systemClock, log });
  closers.push(() => store.close());
  return store;
};

describe("a URL of NATS", () => {
  test("names several servers, how to log in, and files for what is secret", () => {
    expect(parseNatsUrl("nats://a:4222,b:4223?replicas=3&monitor=http://a:8222,http://b:8222")).toEqual({
      servers: "nats://a:4222,nats://b:4223",
      access: {},
      replicas: 3,
      monitorUrl: "http://a:8222,http://b:8222",
    });
    expect(parseNatsUrl("tls://u%40x@h?password=/run/pw&ca=/ca&cert=/c&key=/k")).toEqual({
      servers: "nats://h",
      access: { user: "u@x", passwordFile: "/run/pw", tls: { caFile: "/ca", certFile: "/c", keyFile: "/k" } },
      replicas: 1,
    });
    expect(parseNatsUrl("nats://u:p%3Aw@h:4222?ephemeral=true")).toMatchObject({
      access: { user: "u", password: "p:w" },
      ephemeral: true,
    });
  });

  test.each([
    ["http://h:4222", /must be a URL like nats:/],
    ["nats://", /must be a URL like nats:/],
    ["nats://h:99999", /must be a URL like nats:/],
    ["nats://h?replicas=2", /must be 1, 3 or 5, not "2"/],
    ["nats://h?replica=3", /no parameter "replica"; there are replicas,/],
    ["nats://h?cert=/c", /both cert= and key=/],
    ["nats://u@h?token=/t", /token and a user: choose one/],
    ["nats://h?monitor=h:8222/", /monitor of --events must be a URL|no parameter/],
  ])("that is wrong is refused: %s", (url, why) => {
    if (url.includes("monitor=h")) expect(() => parseNatsUrl("nats://h?monitor=:8222")).toThrow(why);
    else expect(() => parseNatsUrl(url)).toThrow(why);
  });

  test("is not repeated with its password", () => {
    expect(() => parseNatsUrl("nats://u:secret@h:99999")).toThrow(/u:…@h/);
  });
});

if (noNats !== undefined) test.skip(`logging in to NATS: ${noNats}`, () => undefined);

describe.skipIf(noNats !== undefined)("a NATS server", () => {
  const dir = mkdtempSync(join(tmpdir(), "ebb-nats-access-"));
  afterAll(() => rmSync(dir, { recursive: true }));
  const file = (name: string, text: string | Uint8Array): string => {
    const path = join(dir, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const start = async (settings: string): Promise<string> => {
    const nats = await makeNats({ settings });
    await nats.start();
    closers.push(() => nats.remove());
    return nats.url.replace("nats://", "");
  };
  const takes = async (url: string): Promise<void> => {
    const stream = await (await open(url)).openStream("s", {});
    expect(await stream.append([{ event: anEvent("1") }])).toEqual([{ seq: 1, duplicate: false }]);
  };

  test("is logged in to with a password from a file, a token or an nkey; a wrong one is said to be so", async () => {
    const byUser = await start('authorization { user: u, password: "s3cret" }');
    await takes(`nats://u@${byUser}?password=${file("password", "s3cret\n")}`);
    await expect(open(`nats://u:wrong@${byUser}`)).rejects.toThrow(/refused the login.*check the user and password=/);
    await expect(open(`nats://u@${byUser}?password=${dir}/none`)).rejects.toThrow(/its password file .*none.*ENOENT/);
    const byToken = await start('authorization { token: "t0ken" }');
    await takes(`nats://${byToken}?token=${file("token", "t0ken")}`);
    const user = createUser();
    const byKey = await start(`authorization { users: [{ nkey: ${user.getPublicKey()} }] }`);
    await takes(`nats://${byKey}?nkey=${file("seed", user.getSeed())}`);
  });

  test("is spoken to over TLS, with a client's certificate where it wants one; and never in the clear", async () => {
    const validity = { now: Date.now(), days: 1 };
    const ca = issueCertificate({ commonName: "ca", use: "ca", ...validity });
    const server = issueCertificate({ commonName: "s", use: "server", hosts: ["127.0.0.1"], ...validity }, ca);
    const client = issueCertificate({ commonName: "c", use: "client", ...validity }, ca);
    const caFile = file("ca.crt", ca.certificate);
    const files = `ca=${caFile}&cert=${file("c.crt", client.certificate)}&key=${file("c.key", client.key)}`;
    const tls = (verify: boolean): string =>
      `tls { cert_file: ${JSON.stringify(file("s.crt", server.certificate))}, key_file: ${JSON.stringify(file("s.key", server.key))}, ca_file: ${JSON.stringify(caFile)}, verify: ${verify} }`;
    const plain = await start("");
    const oneSided = await start(tls(false));
    const mutual = await start(tls(true));
    await takes(`tls://${oneSided}?ca=${caFile}`);
    await expect(open(`tls://${oneSided}`)).rejects.toThrow(/no TLS with it.*check ca=/);
    await takes(`tls://${mutual}?${files}`);
    await expect(open(`tls://${mutual}?ca=${caFile}`)).rejects.toThrow(/client's certificate\? Name cert=/);
    await expect(open(`tls://${plain}`)).rejects.toThrow(/no TLS with it/);
  });

  test("says what it is worth that it has an event", async () => {
    const lazy = await makeNats({ syncAlways: false });
    const eager = await makeNats();
    for (const nats of [lazy, eager]) {
      await nats.start();
      closers.push(() => nats.remove());
    }
    const worth = async (url: string): Promise<readonly [string, string]> => {
      const store = await open(url);
      return [store.durability, (await store.openStream("worth", {})).worth];
    };
    expect(await worth(lazy.url)).toEqual(["process", expect.stringContaining("not known when it is synced")]);
    expect(await worth(`${lazy.url}?monitor=${lazy.monitorUrl}`)).toEqual([
      "process",
      "one copy on disk, synced later: a power loss may take the last two minutes",
    ]);
    if (knowsSync) {
      expect(await worth(`${eager.url}?monitor=${eager.monitorUrl}`)).toEqual([
        "fsync",
        "one copy on disk, synced before it is acknowledged",
      ]);
      const both = `${eager.url}?monitor=${eager.monitorUrl},${lazy.monitorUrl}`;
      expect((await worth(both))[0]).toBe("process");
    }
    expect(await worth(`${lazy.url}?ephemeral=true`)).toEqual([
      "none",
      expect.stringContaining("goes with the server"),
    ]);
    await expect(open(`${lazy.url}?monitor=http://127.0.0.1:1`)).rejects.toThrow(/monitoring port .* does not say/);
    await expect(open(`${lazy.url}?replicas=3`)).rejects.toThrow(/replicas/);
  });

  test(
    "that is one of three may die, and another after it came back: nothing is lost",
    { timeout: 180_000 },
    async () => {
      const cluster = await makeNatsCluster({ settings: 'authorization { user: u, password: "p" }' });
      await cluster.start();
      closers.push(() => cluster.remove());
      const store = await open(`nats://u:p@${cluster.hosts}?replicas=3&monitor=${cluster.monitorUrls.join(",")}`);
      expect(store.durability).toBe(knowsSync ? "fsync" : "process");
      const stream = await store.openStream("three", {});
      expect(stream.worth).toMatch(/^3 copies on disk/);
      const taken: string[] = [];
      const state = { ended: false, refused: 0 };
      const lane = async (at: number): Promise<void> => {
        for (let n = 0; !state.ended;)
          try {
            await stream.append([{ event: anEvent(`${at}-${n}`), dedupe: true }]);
            taken.push(`${at}-${n}`);
            n += 1;
          } catch {
            state.refused += 1;
          }
      };
      const lanes = Promise.all([0, 1, 2, 3].map(lane));
      const more = async (count: number): Promise<void> => {
        const from = taken.length;
        await expect.poll(() => taken.length, { timeout: 60_000 }).toBeGreaterThan(from + count);
      };
      for (const at of [0, 1, 2]) {
        await more(50);
        await cluster.kill(at);
        await more(50);
        cluster.startOne(at);
        await cluster.healthy(at);
      }
      state.ended = true;
      await lanes;
      await expect.poll(() => stream.bounds().last, { timeout: 10_000 }).toBeGreaterThanOrEqual(taken.length);
      const kept: string[] = [];
      for (let after = 0; after < stream.bounds().last;) {
        const records = await stream.read(after, 500);
        kept.push(...records.map(({ event }) => String(event.attributes["id"])));
        after = records.at(-1)?.seq ?? stream.bounds().last;
      }
      const missing = new Set(kept);
      expect(taken.filter((id) => !missing.has(id))).toEqual([]);
      expect(new Set(kept).size).toBe(kept.length);
      for (const at of [0, 1, 2, 3]) {
        const numbers = kept.filter((id) => id.startsWith(`${at}-`)).map((id) => Number(id.split("-")[1]));
        expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
      }
    },
  );
});
