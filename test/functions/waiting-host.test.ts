import { readdirSync, readFileSync } from "node:fs";
import { writeFile, mkdtemp, rm } from "node:fs/promises";
import { connect as connectPlain } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { claimerName, type HostName, type PushedClaim } from "../../src/functions/hosts/protocol.ts";
import {
  ClaimLost,
  ClaimRefused,
  connectHost,
  type Claimer,
  type RemoteHost,
  type ShownHost,
} from "../../src/functions/pool/remote-host.ts";
import { HostLoadError } from "../../src/functions/pool/host-process.ts";
import type { LayerFile } from "../../src/images/layer.ts";
import type { KeyedCertificate } from "../../src/pki/certificate.ts";
import { hostToken, layerOf, makeAuthority, makeClaimer, startWaitingHost, type WaitingHost } from "./waiting-host.ts";

let authority: KeyedCertificate;
let claimer: Claimer;
beforeAll(() => {
  authority = makeAuthority();
  claimer = makeClaimer(authority);
});

/** Connects; what the host shows on the way is appended to `shown`. */
function connectTo({ place }: WaitingHost, as: Claimer = claimer, shown: ShownHost[] = []): Promise<RemoteHost> {
  return connectHost(place, as, (one) => {
    shown.push(one);
    return one.token === hostToken ? Promise.resolve() : Promise.reject(new Error("another pod's token"));
  });
}

const open: WaitingHost[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((host) => host[Symbol.asyncDispose]()));
});

interface Runtime {
  readonly host: HostName;
  readonly version: RegExp;
  readonly file: string;
  /** Answers with the variable SECRET. */
  readonly hello: string;
  /** Answers with the names of all variables, sorted, as JSON; Python itself adds LC_CTYPE where no locale is set. */
  readonly environment: string;
  /** What another layer brings, where that is unpacked to, and what answers with it. */
  readonly dependency: LayerFile;
  readonly dependencyIn: string;
  readonly depending: string;
  readonly modules: Partial<Push["claim"]>;
  /** Listens on PORT itself. */
  readonly server: string;
  readonly serverModel: Partial<Push["claim"]>;
  readonly broken: string;
  /** Takes 300 ms. */
  readonly slow: string;
}

const wsgi = (value: string, before = ""): string => `import json, os, time
${before}
def app(environ, start_response):
    text = ${value}
    start_response("200 OK", [("content-type", "text/plain")])
    return [text.encode()]
`;

const runtimes: readonly Runtime[] = [
  {
    host: "node",
    version: new RegExp(`^${process.versions.node}$`),
    file: "index.mjs",
    hello: `export default { fetch: (_request, env) => new Response("hello " + env.SECRET) };`,
    environment: `export default { fetch: () => Response.json(Object.keys(process.env).sort()) };`,
    dependency: { path: "app/node_modules/words/index.js", content: `module.exports = "from a layer";` },
    dependencyIn: "node_modules",
    depending: `import words from "words"; export default { fetch: () => new Response(words) };`,
    modules: {},
    server: `import { createServer } from "node:http"; createServer((q, s) => s.end("own")).listen(process.env.PORT);`,
    serverModel: {},
    broken: `throw new Error("broken on purpose");`,
    slow: `export default { fetch: async () => { await new Promise((r) => setTimeout(r, 300)); return new Response("done"); } };`,
  },
  {
    host: "python",
    version: /^3\.\d+\.\d+/,
    file: "main.py",
    hello: wsgi(`"hello " + os.environ["SECRET"]`),
    environment: wsgi(`json.dumps(sorted(set(os.environ) - {"LC_CTYPE"}))`),
    dependency: { path: "deps/python/words.py", content: `WORDS = "from a layer"\n` },
    dependencyIn: ".ebb-deps",
    depending: wsgi("words.WORDS", "import words"),
    modules: { modulePaths: ["/deps/python"] },
    server: `import http.server, os
class Own(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"own")
http.server.HTTPServer(("", int(os.environ["PORT"])), Own).serve_forever()
`,
    serverModel: { model: "server" },
    broken: `raise RuntimeError("broken on purpose")`,
    slow: wsgi(`time.sleep(0.3) or "done"`),
  },
];

type Push = Omit<PushedClaim, "type" | "version" | "layers">;

describe.each(runtimes)("a waiting $host host:", (runtime) => {
  async function start(words: readonly string[] = []): Promise<WaitingHost> {
    const host = await startWaitingHost({ ca: authority.certificate, host: runtime.host, words });
    open.push(host);
    return host;
  }

  function pushOf(changes: Partial<Push["claim"]> = {}, more: Partial<Push> = {}): Push {
    const claim = {
      entry: `/app/${runtime.file}`,
      model: "auto",
      env: { SECRET: "s3cret", POD: "claimed" },
      cwd: "/app",
      loadTimeoutMs: 10_000,
      ...changes,
    } as const;
    return { host: runtime.host, claim, ...more };
  }

  const answering = (code: string) => layerOf([{ path: `app/${runtime.file}`, content: code }]);
  const hello = () => answering(runtime.hello);

  async function ask({ port }: WaitingHost, path = "/"): Promise<{ readonly status: number; readonly text: string }> {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`);
    return { status: answer.status, text: await answer.text() };
  }

  /** Still there, with nothing left behind, for the claim it is meant for. */
  async function expectWaiting(host: WaitingHost): Promise<void> {
    expect(readdirSync(host.appDir)).toEqual([]);
    expect((await ask(host)).status).toBe(503);
    const remote = await connectTo(host);
    await remote.claim(pushOf(), [await hello()]);
    expect(await ask(host)).toEqual({ status: 200, text: "hello s3cret" });
  }

  test("a claim brings code, environment and secrets, and the host serves on its port", async () => {
    const host = await start();
    const remote = await connectTo(host);
    expect(remote.runtime).toMatch(runtime.version);
    const doors = await remote.claim(pushOf(), [await hello()]);
    expect(doors.port).toBe(host.port);
    expect(await ask(host)).toEqual({ status: 200, text: "hello s3cret" });
  });

  test("a claimed host has given up its key, its door and its connections", async () => {
    const host = await start();
    const [remote, other] = [await connectTo(host), await connectTo(host)];
    await remote.claim(pushOf(), [await answering(runtime.environment)]);
    await Promise.all([remote.closed, other.closed]);
    expect(JSON.parse((await ask(host)).text)).toEqual(["PATH", "POD", "PORT", "SECRET", "TMPDIR"]);
    await expect(connectTo(host)).rejects.toThrow(/ECONNREFUSED/);
  });

  test("layers are laid over one another, and only what is the function's own is kept", async () => {
    const host = await start();
    const lower = await layerOf([runtime.dependency, { path: "ebb/host/evil.cjs", content: "" }]);
    const upper = await answering(runtime.depending);
    const remote = await connectTo(host);
    await remote.claim(pushOf(runtime.modules), [lower, upper]);
    expect((await ask(host)).text).toBe("from a layer");
    expect(readdirSync(host.appDir).toSorted()).toEqual([runtime.dependencyIn, runtime.file].toSorted());
  });

  test("of two claims at once one wins, and the other is told so", async () => {
    const host = await start();
    const hosts = await Promise.all([1, 2, 3].map(() => connectTo(host)));
    const layer = await hello();
    const outcomes = await Promise.allSettled(
      hosts.map((one, i) => one.claim(pushOf({ env: { SECRET: String(i) } }), [layer])),
    );
    const winners = outcomes.flatMap((one, i) => (one.status === "fulfilled" ? [i] : []));
    expect(winners).toHaveLength(1);
    expect((await ask(host)).text).toBe(`hello ${winners[0]}`);
    for (const one of outcomes)
      if (one.status === "rejected")
        expect(one.reason instanceof ClaimRefused ? one.reason.reason : (one.reason as Error).name).toMatch(
          /^(Taken|ClaimLost)$/,
        );
  });

  test("a program that listens itself is handed the port", async () => {
    const host = await start();
    const remote = await connectTo(host);
    await remote.claim(pushOf(runtime.serverModel), [await answering(runtime.server)]);
    expect((await ask(host)).text).toBe("own");
  });

  test("a function that does not load says why to the claimer and in the log, and the host ends", async () => {
    const host = await start();
    const remote = await connectTo(host);
    const claimed = remote.claim(pushOf(), [await answering(runtime.broken)]);
    await expect(claimed).rejects.toThrow(HostLoadError);
    await expect(claimed).rejects.toThrow("broken on purpose");
    expect(await host.exited).toBe(1);
    expect(host.printed()).toContain("broken on purpose");
  });

  test.each<[string, () => Claimer]>([
    ["of another authority", () => makeClaimer(makeAuthority())],
    ["that has expired", () => makeClaimer(authority, claimerName, 0)],
    ["for somebody who is no claimer", () => makeClaimer(authority, "ebb-router")],
  ])("a certificate %s opens nothing", async (_what, make) => {
    const host = await start();
    await expect(connectTo(host, make())).rejects.toThrow();
    await expectWaiting(host);
  });

  test("without a certificate, or without TLS, nobody is heard", async () => {
    const host = await start();
    const { port = 0 } = host.place;
    const bare = connect({ host: "127.0.0.1", port, rejectUnauthorized: false });
    bare.write(`${JSON.stringify({ type: "claim", version: 1, ...pushOf(), layers: [] })}\n`);
    let heard = "";
    bare.on("data", (chunk) => (heard += String(chunk)));
    bare.on("error", () => undefined);
    await new Promise((resolve) => bare.once("close", resolve));
    expect(heard).toBe("");
    const plain = connectPlain({ host: "127.0.0.1", port });
    plain.on("error", () => undefined).resume();
    plain.write("GET / HTTP/1.1\r\n\r\n");
    await new Promise((resolve) => plain.once("close", resolve));
    await expectWaiting(host);
  });

  test("a host shows its pod's token as it is now, and the same certificate as long as it lives", async () => {
    const host = await start();
    const shown: ShownHost[] = [];
    (await connectTo(host, claimer, shown)).close();
    await writeFile(host.tokenFile, "a later one");
    await expect(connectTo(host, claimer, shown)).rejects.toThrow("another pod's token");
    expect(shown.map(({ token }) => token)).toEqual([hostToken, "a later one"]);
    expect(shown[0]?.fingerprint).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    expect(shown[1]?.fingerprint).toBe(shown[0]?.fingerprint);
    const other: ShownHost[] = [];
    (await connectTo(await start(), claimer, other)).close();
    expect(other[0]?.fingerprint).not.toBe(shown[0]?.fingerprint);
    await writeFile(host.tokenFile, hostToken);
    await expectWaiting(host);
  });

  test("a token is shown to nobody but a claimer", async () => {
    const host = await start();
    const shown: ShownHost[] = [];
    await expect(connectTo(host, makeClaimer(authority, "ebb-router"), shown)).rejects.toThrow();
    await expect(connectTo(host, makeClaimer(makeAuthority()), shown)).rejects.toThrow();
    expect(shown).toEqual([]);
  });

  test("without a token a host says why and ends", async () => {
    await expect(start(["--token", "/nowhere/token"])).rejects.toThrow(/\/nowhere\/token/);
  });

  test("a claim that breaks off half-way leaves nothing, and the host waits on", async () => {
    const host = await start();
    const whole = await layerOf([{ path: "app/left.txt", content: "x".repeat(100_000) }]);
    const socket = connect({
      host: "127.0.0.1",
      port: host.place.port ?? 0,
      cert: claimer.certificate,
      key: claimer.key,
      rejectUnauthorized: false,
    });
    socket.on("error", () => undefined).resume();
    const layers = [whole, await hello()].map(({ digest, size }) => ({ digest, size }));
    socket.write(`${JSON.stringify({ type: "claim", version: 1, ...pushOf(), layers })}\n`);
    if ("bytes" in whole) await new Promise((resolve) => socket.write(whole.bytes, resolve));
    await expect.poll(() => readdirSync(host.appDir), { timeout: 5_000 }).toEqual(["left.txt"]);
    socket.destroy();
    await expect.poll(() => readdirSync(host.appDir), { timeout: 5_000 }).toEqual([]);
    await expectWaiting(host);
  });

  test("a claim that stops coming is given up", async () => {
    const host = await start(["--stall-ms", "200"]);
    const remote = await connectTo(host);
    const layer = await hello();
    const claimed = remote.claim(pushOf(), [{ ...layer, size: layer.size + 1000 }]);
    await expect(claimed).rejects.toThrow(ClaimLost);
    await expectWaiting(host);
  });

  test.each<[string, Partial<Push>, string]>([
    ["for another kind of host", { host: runtime.host === "node" ? "python" : "node" }, "WrongHost"],
    ["for another version of the runtime", { runtime: "18" }, "WrongRuntime"],
    ["without a place to start in", { claim: { ...pushOf().claim, cwd: "relative" } }, "Malformed"],
    ["that climbs out of its directory", { claim: { ...pushOf().claim, entry: "/app/../etc/passwd" } }, "Malformed"],
  ])("a claim %s is refused", async (_what, changes, reason) => {
    const host = await start();
    const remote = await connectTo(host);
    await expect(remote.claim(pushOf({}, changes), [await hello()])).rejects.toMatchObject({ reason });
    await expectWaiting(host);
  });

  test("a layer that is not what its digest says is refused, and so is one that climbs out", async () => {
    const host = await start();
    const layer = await hello();
    const digest = `sha256:${"0".repeat(64)}`;
    const damaged = (await connectTo(host)).claim(pushOf(), [{ ...layer, digest }]);
    await expect(damaged).rejects.toMatchObject({ reason: "Damaged" });
    const climbing = await layerOf([{ path: "app/link", content: "", link: "../../etc" }]);
    const unsafe = (await connectTo(host)).claim(pushOf(), [climbing]);
    await expect(unsafe).rejects.toMatchObject({
      reason: "Damaged",
      message: expect.stringContaining("outside its root"),
    });
    await expectWaiting(host);
  });

  test("more than a host takes is refused before it travels; much is taken from a file", async () => {
    const host = await start(["--max-bytes", "60000000"]);
    const dir = await mkdtemp(join(tmpdir(), "ebb-large-"));
    try {
      const large = await layerOf([{ path: "app/data.bin", content: Buffer.alloc(50_000_000, 7) }]);
      const file = join(dir, "large.tar");
      if ("bytes" in large) await writeFile(file, large.bytes);
      const { digest, size } = large;
      const tooMuch = (await connectTo(host)).claim(pushOf(), [
        { digest, size, file },
        { digest, size, file },
      ]);
      await expect(tooMuch).rejects.toMatchObject({ reason: "TooLarge" });
      expect(host.printed()).not.toMatch(/Error|Traceback/);
      const remote = await connectTo(host);
      await remote.claim(pushOf(), [{ digest, size, file }, await hello()]);
      expect((await ask(host)).text).toBe("hello s3cret");
      expect(readFileSync(join(host.appDir, "data.bin")).length).toBe(50_000_000);
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  test("TERM ends a host that waits, and lets a claimed one finish", async () => {
    const [waiting, claimed] = [await start(), await start()];
    waiting.child.kill("SIGTERM");
    expect(await waiting.exited).toBe(0);
    const slow = await answering(runtime.slow);
    await (await connectTo(claimed)).claim(pushOf(), [slow]);
    const answer = ask(claimed);
    await expect.poll(() => connected(claimed), { timeout: 5_000 }).toBe(true);
    claimed.child.kill("SIGTERM");
    expect(await answer).toEqual({ status: 200, text: "done" });
    expect(await claimed.exited).toBe(0);
  });
});

/** Whether somebody's connection is open at the host's port (Linux). */
function connected({ port }: WaitingHost): boolean {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  return ["/proc/net/tcp", "/proc/net/tcp6"].some((file) =>
    readFileSync(file, "utf8")
      .split("\n")
      .some((line) => new RegExp(`:${hex} \\S+ 01 `).test(line)),
  );
}
