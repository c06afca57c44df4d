/** WebhookSource, and GitHubSource as eventing-github has it (pkg/apis/sources/v1alpha1/githubsource_types.go). */
import { disallowedField, invalidValue, missingField, within, type Problems } from "../serving/problems.ts";
import { checkHeaderName, sourceDefinition } from "./store-definitions.ts";
import { GitHubSourceKind, WebhookSourceKind } from "./store-kinds.ts";
import { checkSecretValue } from "./message-source.ts";
import { checkRange, checkRequiredSecret, checkUrl, checkWord } from "./store-source-checks.ts";
import type { WebhookVerification } from "./types-stores.gen.ts";

export const webhookSchemes = ["github", "stripe", "gitlab", "slack", "standard", "hmac", "token", "none"] as const;

export const webhookSourceDefinition = sourceDefinition({
  kind: WebhookSourceKind,
  shown: ["Type", "eventType", "The type of its events."],
  defaults: (spec) => {
    spec.maxBytes ??= 1024 * 1024;
    const { verify } = spec;
    if (verify && isTimed(verify)) verify.toleranceSeconds ??= 300;
    if (verify?.scheme === "hmac") {
      verify.algorithm ||= "sha256";
      verify.encoding ||= "hex";
    }
  },
  check: ({ verify, eventType, eventTypeHeader, idHeader, maxBytes }) => [
    ...(verify ? within("verify", checkVerification(verify)) : [missingField("verify")]),
    ...(eventType !== undefined && eventType.trim() !== eventType ? [invalidValue(eventType, "eventType")] : []),
    ...checkHeaderName(eventTypeHeader, "eventTypeHeader"),
    ...checkHeaderName(idHeader, "idHeader"),
    ...checkRange(maxBytes, "maxBytes", [1, 16 * 1024 * 1024]),
  ],
});

const isTimed = ({ scheme }: WebhookVerification): boolean =>
  scheme === "stripe" || scheme === "slack" || scheme === "standard";

function checkVerification(verify: WebhookVerification): Problems {
  const { scheme, secret, previousSecret, header, toleranceSeconds } = verify;
  if (!scheme) return [missingField("scheme")];
  const named = checkWord(scheme, "scheme", webhookSchemes);
  if (named.length > 0) return named;
  if (scheme === "none") return secret ? [disallowedField("secret")] : [];
  const hasOwnHeader = scheme === "hmac" || scheme === "token";
  return [
    ...checkRequiredSecret(secret, "secret"),
    ...checkSecretValue("previousSecret", previousSecret),
    ...(hasOwnHeader && !header ? [missingField("header")] : []),
    ...(!hasOwnHeader && header ? [disallowedField("header")] : []),
    ...checkHeaderName(header, "header"),
    ...(toleranceSeconds !== undefined && !isTimed(verify) ? [disallowedField("toleranceSeconds")] : []),
    ...checkRange(toleranceSeconds, "toleranceSeconds", [1, 24 * 3600]),
    ...checkHmac(verify),
  ];
}

function checkHmac({ scheme, algorithm, encoding, prefix }: WebhookVerification): Problems {
  if (scheme === "hmac")
    return [
      ...checkWord(algorithm, "algorithm", ["sha1", "sha256", "sha512"]),
      ...checkWord(encoding, "encoding", ["hex", "base64"]),
    ];
  return [
    ...(algorithm ? [disallowedField("algorithm")] : []),
    ...(encoding ? [disallowedField("encoding")] : []),
    ...(prefix && scheme !== "token" ? [disallowedField("prefix")] : []),
  ];
}

/** Upstream insists on an access token; without one the webhook is made by hand. */
export const gitHubSourceDefinition = sourceDefinition({
  kind: GitHubSourceKind,
  shown: ["Repository", "ownerAndRepository", "Whose events."],
  check: ({ ownerAndRepository, eventTypes, accessToken, secretToken, githubAPIURL }) => [
    ...checkRepository(ownerAndRepository),
    ...(eventTypes && eventTypes.length > 0 ? [] : [missingField("eventTypes")]),
    ...(eventTypes ?? []).flatMap((type, at) =>
      /^[a-z_]+$/.test(type) || type === "*" ? [] : [invalidValue(type, `eventTypes[${at}]`)],
    ),
    ...checkSecretValue("accessToken", accessToken),
    ...checkRequiredSecret(secretToken, "secretToken"),
    ...(githubAPIURL ? checkUrl(githubAPIURL, "githubAPIURL", ["http", "https"]) : []),
  ],
});

function checkRepository(given: string | undefined): Problems {
  if (!given) return [missingField("ownerAndRepository")];
  return /^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)?$/.test(given)
    ? []
    : [invalidValue(given, "ownerAndRepository", "must be owner/repository, or an organization")];
}
