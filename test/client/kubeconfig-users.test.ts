import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadKubeconfig } from "../../src/client/kubeconfig.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "ebb-kubeconfig-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

const write = (name: string, content: object | string, mode = 0o600): string => {
  const file = join(dir, name);
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content), { mode });
  return file;
};

const config = (user: object, cluster: object = { server: "https://x:1" }): object => ({
  contexts: [{ name: "c", context: { cluster: "k", user: "u" } }],
  clusters: [{ name: "k", cluster }],
  users: [{ name: "u", user }],
  "current-context": "c",
});

const load = (user: object, cluster?: object, environment: Readonly<Record<string, string>> = {}) =>
  loadKubeconfig(write("config", config(user, cluster)), undefined, { PATH: process.env["PATH"], ...environment });

describe("what users of a kubeconfig are", () => {
  test("somebody else, by impersonation", async () => {
    const user = { token: "t", as: "jane", "as-groups": ["dev", "ops"], "as-user-extra": { "Acme/Scope": ["a"] } };
    expect((await load(user)).headers).toEqual({
      "impersonate-user": "jane",
      "impersonate-group": ["dev", "ops"],
      "impersonate-extra-acme%2Fscope": ["a"],
    });
  });

  test("a name and a password", async () => {
    expect((await load({ username: "me", password: "p:w" })).headers).toEqual({
      authorization: `Basic ${Buffer.from("me:p:w").toString("base64")}`,
    });
  });

  test("a token file rather than the token beside it, which counts where the file is gone", async () => {
    write("token", "fresh\n");
    expect(await load({ token: "old", tokenFile: "token" })).toMatchObject({ token: { value: "fresh" } });
    expect(await load({ token: "old", tokenFile: "gone" })).toMatchObject({ token: { value: "old" } });
    await expect(load({ tokenFile: "gone" })).rejects.toThrow("cannot read the token file");
  });

  test("an auth provider, which Kubernetes no longer has, is said so", async () => {
    await expect(load({ "auth-provider": { name: "gcp" } })).rejects.toThrow(
      'the auth provider "gcp" of this kubeconfig',
    );
  });
});

describe("credential plugins", () => {
  const plugin = (body: string): string => {
    mkdirSync(join(dir, "bin"), { recursive: true });
    return write("bin/plugin", `#!${process.execPath}\n${body}`, 0o755);
  };

  test("one beside the kubeconfig is told of the cluster when it asks", async () => {
    plugin(
      `const { spec } = JSON.parse(process.env.KUBERNETES_EXEC_INFO); console.log(JSON.stringify({ status: { token: JSON.stringify(spec) } }))`,
    );
    const cluster = {
      server: "https://x:1",
      "certificate-authority-data": Buffer.from("CA").toString("base64"),
      extensions: [{ name: "client.authentication.k8s.io/exec", extension: { audience: "a" } }],
    };
    const user = { exec: { command: "bin/plugin", provideClusterInfo: true, interactiveMode: "Never" } };
    expect(JSON.parse((await load(user, cluster)).token?.value ?? "")).toEqual({
      interactive: false,
      cluster: {
        server: "https://x:1",
        "certificate-authority-data": Buffer.from("CA").toString("base64"),
        config: { audience: "a" },
      },
    });
  });

  test("a certificate is as good as a token", async () => {
    plugin(`console.log(JSON.stringify({ status: { clientCertificateData: "CERT", clientKeyData: "KEY" } }))`);
    expect(await load({ exec: { command: "bin/plugin" } })).toMatchObject({
      clientCertificate: "CERT",
      clientKey: "KEY",
    });
  });

  test("its last words are told when it fails", async () => {
    plugin(`console.error("session expired: run login"); process.exit(3)`);
    await expect(load({ exec: { command: "bin/plugin" } })).rejects.toThrow(
      /failed: it ended with 3: session expired: run login/,
    );
  });

  test("one that must ask is not started where nobody can answer", async () => {
    plugin(`console.log("{}")`);
    await expect(load({ exec: { command: "bin/plugin", interactiveMode: "Always" } })).rejects.toThrow(
      "asks questions: run this in a terminal",
    );
  });
});

describe("clusters and files", () => {
  test("a server without a scheme is asked over TLS", async () => {
    expect((await load({}, { server: "api.example:6443" })).server).toBe("https://api.example:6443");
  });

  test("a proxy of the cluster's own comes before the environment's", async () => {
    const environment = { HTTPS_PROXY: "http://env:1" };
    expect((await load({}, undefined, environment)).proxyUrl).toBe("http://env:1");
    const own = { server: "https://x:1", "proxy-url": "socks5://own:2" };
    expect((await load({}, own, environment)).proxyUrl).toBe("socks5://own:2");
  });

  test("files of a list that do not exist are passed over while one does", async () => {
    const file = write("config", config({ token: "t" }));
    expect(await loadKubeconfig([join(dir, "gone"), file], undefined, {})).toMatchObject({ context: "c" });
    await expect(loadKubeconfig([join(dir, "gone"), join(dir, "too")], undefined, {})).rejects.toThrow(
      /none of .* exists/,
    );
  });
});
