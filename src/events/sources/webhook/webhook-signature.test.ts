import { createHmac } from "node:crypto";
import { expect, test } from "vitest";
import { whyForged, type Verification } from "./webhook-signature.ts";

type Headers = Readonly<Record<string, string>>;
const forged = (verification: Verification, headers: Headers, body: string, nowMs = 0): string | undefined =>
  whyForged(verification, { headers, body: Buffer.from(body) }, nowMs);

/** Examples that the providers publish. */
const github = {
  verification: { scheme: "github", secret: "It's a Secret to Everybody" },
  headers: { "x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17" },
  body: "Hello, World!",
};
const slack = {
  verification: { scheme: "slack", secret: "8f742231b10e8888abcd99yyyzzz85a5" },
  headers: {
    "x-slack-request-timestamp": "1531420618",
    "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
  },
  body: "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c",
};
const svix = {
  verification: { scheme: "standard", secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" },
  headers: {
    "svix-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "svix-timestamp": "1614265330",
    "svix-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  },
  body: '{"test": 2432232314}',
};

test("the providers' own examples are believed", () => {
  expect(forged(github.verification, github.headers, github.body)).toBeUndefined();
  expect(forged(slack.verification, slack.headers, slack.body, 1531420618000)).toBeUndefined();
  expect(forged(svix.verification, svix.headers, svix.body, 1614265330000)).toBeUndefined();
});

const hex = (algorithm: string, secret: string, text: string): string =>
  createHmac(algorithm, secret).update(text).digest("hex");

test("Stripe: any of its signatures counts, old schemes do not", () => {
  const verification = { scheme: "stripe", secret: "whsec_x", toleranceSeconds: 300 };
  const signed = hex("sha256", "whsec_x", "1000.{}");
  const header = (text: string) => ({ "stripe-signature": text });
  expect(forged(verification, header(`t=1000,v1=${"0".repeat(64)},v1=${signed}`), "{}", 1_000_000)).toBeUndefined();
  expect(forged(verification, header(`t=1000,v0=${signed}`), "{}", 1_000_000)).toMatch(/missing or not understood/);
  expect(forged(verification, header(`t=1001,v1=${signed}`), "{}", 1_000_000)).toMatch(/not that of the secret/);
});

test("plain HMACs, by header, algorithm, encoding and prefix", () => {
  const verification = {
    scheme: "hmac",
    secret: "s",
    header: "X-Sig",
    algorithm: "sha512",
    encoding: "base64",
    prefix: "v=",
  };
  const signature = createHmac("sha512", "s").update("body").digest("base64");
  expect(forged(verification, { "x-sig": `v=${signature}` }, "body")).toBeUndefined();
  expect(forged(verification, { "x-sig": signature }, "body")).toMatch(/missing/);
  const plain = { scheme: "hmac", secret: "s", header: "X-Sig", algorithm: "sha1" };
  expect(forged(plain, { "x-sig": hex("sha1", "s", "body").toUpperCase() }, "body")).toBeUndefined();
});

test("tokens", () => {
  expect(forged({ scheme: "gitlab", secret: "t" }, { "x-gitlab-token": "t" }, "")).toBeUndefined();
  expect(forged({ scheme: "gitlab", secret: "t" }, { "x-gitlab-token": "tt" }, "")).toMatch(/not that of the secret/);
  const bearer = { scheme: "token", secret: "t", header: "Authorization", prefix: "Bearer " };
  expect(forged(bearer, { authorization: "Bearer t" }, "")).toBeUndefined();
  expect(forged(bearer, { authorization: "t" }, "")).toMatch(/missing/);
});

test("while a secret is being changed, both count", () => {
  const both = { ...github.verification, secret: "new", previousSecret: github.verification.secret };
  expect(forged(both, github.headers, github.body)).toBeUndefined();
  expect(forged({ ...github.verification, secret: "new" }, github.headers, github.body)).toMatch(/not that/);
});

test.each([-301, 301])("what was signed %i s away is replayed, or a clock is wrong", (off) => {
  expect(forged(slack.verification, slack.headers, slack.body, (1531420618 + off) * 1000)).toMatch(/too long ago/);
});

test("a body, a signature or a time that was changed is not believed, and neither is an empty secret", () => {
  expect(forged(github.verification, github.headers, "Hello, World?")).toMatch(/not that of the secret/);
  expect(forged(github.verification, { "x-hub-signature-256": "sha256=75" }, github.body)).toMatch(/not that/);
  expect(forged(github.verification, { "x-hub-signature-256": "sha256=zz" }, github.body)).toMatch(/missing/);
  expect(forged(github.verification, {}, github.body)).toMatch(/missing/);
  const later = { ...svix.headers, "svix-timestamp": "1614265331" };
  expect(forged(svix.verification, later, svix.body, 1614265331000)).toMatch(/not that/);
  const odd = { ...svix.headers, "svix-timestamp": "soon" };
  expect(forged(svix.verification, odd, svix.body, 1614265331000)).toMatch(/too long ago/);
  const empty = { "x-hub-signature-256": `sha256=${hex("sha256", "", "x")}` };
  expect(forged({ scheme: "github", secret: "" }, empty, "x")).toBe("the source has no secret");
});
